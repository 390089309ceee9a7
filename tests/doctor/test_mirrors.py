"""Each mirror is asked, and what it lacks is told with its remedy."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from brqos.config.mirrors import MirrorsSpec
from brqos.config.model import BuildSpec, Engine
from brqos.doctor.mirrors import check_mirrors
from brqos.doctor.model import Check, Status
from brqos.image.official.transport import Patience
from brqos.rehearsal.miniature import Layout
from brqos.stages import Stage
from brqos.upstream.git import git
from doctor.oci import Oci, serving
from image.official.repository_maker import VARIANT, made
from image.official.server import serving as serving_files

pytestmark = [pytest.mark.loopback, pytest.mark.processes]
IMPATIENT = Patience(connect_seconds=2, read_seconds=2, whole_seconds=2, tries=1)
GITHUB = "https://github.com/bottlerocket-os/"
ALL = tuple(Stage)


@pytest.fixture
def oci() -> Iterator[Oci]:
    with serving(Oci()) as served:
        yield served


@pytest.fixture
def folder(miniature, tmp_path: Path) -> Path:
    """Both repositories, under the names that they have on GitHub."""
    place = tmp_path / "git"
    place.mkdir()
    repositories = miniature(Layout.DROP_IN)
    both = {"bottlerocket": repositories.bottlerocket, "bottlerocket-core-kit": repositories.core_kit}
    for name, repository in both.items():
        git("clone", "--quiet", "--bare", repository, place / f"{name}.git")
    return place


@pytest.fixture
def asked(tmp_path: Path, folder: Path) -> Callable[..., dict[str, Check]]:
    def ask(*, stages: tuple[Stage, ...] = ALL, ref: str = "v1.50.0", **mirrors: Any) -> dict[str, Check]:
        mirrors = {"git": {GITHUB: f"{folder.as_uri()}/"}, **mirrors}
        spec = BuildSpec(variant="aws-k8s-1.34", arch="x86_64", upstream={"ref": ref}, mirrors=MirrorsSpec(**mirrors))
        return {check.name: check for check in check_mirrors(spec, stages, tmp_path / "cache", IMPATIENT)}

    return ask


def test_without_mirrors_nothing_is_asked(tmp_path: Path) -> None:
    spec = BuildSpec(variant="aws-k8s-1.34", arch="x86_64", upstream={"ref": "v1.50.0"})
    assert check_mirrors(spec, ALL, tmp_path) == []


def test_git(asked, folder: Path) -> None:
    checks = asked()
    assert checks["mirror of bottlerocket"].version == f"{folder.as_uri()}/bottlerocket.git"
    assert checks["mirror of bottlerocket-core-kit"].is_there
    assert checks["crates.io"].status is Status.WARNING
    assert not checks["crates.io"].stops
    assert asked(stages=(Stage.REGISTER,)) == {}
    assert set(asked(stages=(Stage.GENERATE,))) == {"mirror of bottlerocket", "mirror of bottlerocket-core-kit"}


def test_a_tag_that_the_mirror_has_not_yet(asked) -> None:
    check = asked(ref="v1.99.0")["mirror of bottlerocket"]
    assert (check.stops, check.version) == (True, "has no v1.99.0")
    assert "bring the mirror up to date" in check.remedy


def test_a_place_that_is_not_there(asked, tmp_path: Path) -> None:
    for place in (f"{tmp_path}/nowhere/", f"{(tmp_path / 'nowhere').as_uri()}/"):
        checks = asked(git={GITHUB: place}, kits="127.0.0.1:1/x", twoliter="https://git.example.com")
        assert checks["mirror of bottlerocket"].stops
        assert checks["mirrored kits"].status is Status.WARNING
        assert checks["mirrored twoliter"].version == "not checked"


def test_a_git_server_that_asks_for_a_login(asked, oci: Oci) -> None:
    oci.guard = "basic"
    check = asked(git={GITHUB: f"http://{oci.host}/"})["mirror of bottlerocket"]
    assert (check.stops, check.version) == (True, "it asks for a login")
    assert "credential helper" in check.remedy


def test_a_repository_with_nothing_in_it(asked, folder: Path) -> None:
    shutil.rmtree(folder / "bottlerocket-core-kit.git")
    git("init", "--quiet", "--bare", folder / "bottlerocket-core-kit.git")
    check = asked()["mirror of bottlerocket-core-kit"]
    assert (check.is_there, check.version) == (False, "has no HEAD")
    assert "names no commit" in check.remedy


def test_kits_are_compared_with_the_lock(asked, oci: Oci, folder: Path) -> None:
    checks = asked(kits=f"{oci.host}/b", images={"misspelt": f"{oci.host}/x"})
    assert checks["bottlerocket-core-kit"].version == f"not (whole) in {oci.host}/b/bottlerocket-core-kit"
    source = "public.ecr.aws/bottlerocket/bottlerocket-core-kit:v10.9.0"
    copy = f"crane copy {source} {oci.host}/b/bottlerocket-core-kit:v10.9.0"
    assert checks["bottlerocket-core-kit"].remedy.endswith(copy)
    assert checks["mirrors.images misspelt"].status is Status.WARNING
    oci.push("b/bottlerocket-core-kit", "v10.9.0")
    check = asked(kits=f"{oci.host}/b")["bottlerocket-core-kit"]
    assert (check.stops, check.version) == (True, "another image")
    assert "Twoliter.lock" in check.remedy


def test_copies_with_the_right_bytes_are_found(asked, oci: Oci, monkeypatch: pytest.MonkeyPatch) -> None:
    """The miniature's digests are of nothing, so the lock is made to say what the registry has."""
    from dataclasses import replace

    from brqos.doctor import mirrored_images as module

    digest = oci.push("b/kit", "v10.9.0")
    real = module.pinned_images

    def pinned(files: Any) -> Any:
        kits = [image for image in real(files) if image.name == "bottlerocket-core-kit"]
        return tuple(replace(kit, digest=digest) for kit in kits)

    monkeypatch.setattr(module, "pinned_images", pinned)
    images = {"bottlerocket-core-kit": f"{oci.host}/b/kit"}
    check = asked(images=images)["bottlerocket-core-kit"]
    assert (check.is_there, check.version) == (True, f"{oci.host}/b/kit:v10.9.0")
    # A copy of one architecture only has the index, and not all that is in it.
    first = next(reference for name, reference in oci.manifests if reference.startswith("sha256:"))
    del oci.manifests["b/kit", first]
    assert asked(images=images)["bottlerocket-core-kit"].stops


def test_a_registry_that_asks_for_a_login_is_no_reason_to_stop(asked, oci: Oci) -> None:
    oci.guard, oci.login = "bearer", "me:hunter2"
    check = asked(kits=f"{oci.host}/b")["bottlerocket-sdk"]
    assert check.status is Status.WARNING
    assert f"docker login {oci.host}" in check.remedy


def test_a_release_that_cannot_have_mirrored_kits(asked, miniature, folder: Path) -> None:
    early = miniature(Layout.EARLY).bottlerocket
    git("fetch", "--quiet", early, "refs/tags/v1.21.0:refs/tags/v1.21.0", at=folder / "bottlerocket.git")
    checks = asked(ref="v1.21.0", kits="registry.example.com/b")
    assert checks["mirrored kits"].stops
    assert "cannot take kits or SDK from another registry" in checks["mirrored kits"].version
    # Its Dockerfile names a frontend of Docker Hub's.
    assert "registry-mirrors" in checks["Docker Hub"].remedy


def test_source_cache_and_twoliter(asked, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    with serving_files(files) as server:
        checks = asked(sources=server.url, twoliter=server.url)
        assert checks["source cache"].is_there
        assert "not there" in checks["mirrored twoliter"].version
        machine = BuildSpec(variant="aws-k8s-1.34", arch="x86_64").arch.of_this_machine()
        program = files / f"releases/download/v0.12.0/twoliter-{machine}-unknown-linux-musl.tar.xz"
        program.parent.mkdir(parents=True)
        program.write_bytes(b"<!doctype html>Log in, please")
        page = asked(twoliter=server.url)["mirrored twoliter"]
        assert (page.stops, page.version) == (True, "it is another file, or a page for people")
        program.write_bytes(b"\xfd7zXZ\0...")
        assert asked(twoliter=server.url)["mirrored twoliter"].version == "v0.12.0"
        assert asked(twoliter=files.as_uri())["mirrored twoliter"].is_there
        url = server.url
    assert "refuses the connection" in asked(sources=url)["source cache"].version


def test_crates(asked, tmp_path: Path) -> None:
    with serving_files(tmp_path / "files") as server:
        checks = asked(crates=f"sparse+{server.url}/index/")
        assert checks["mirrored crates"].version == "no registry"
        config = tmp_path / "files/index/config.json"
        config.parent.mkdir(parents=True)
        config.write_text('{"dl": "https://crates.example.com/dl"}')
        checks = asked(crates=f"sparse+{server.url}/index/")
        # The miniature has crates from git alone.
        assert checks["mirrored crates"].version.endswith("(it answers)")
        assert "crates.io" not in checks


def test_the_update_repository(tmp_path: Path) -> None:
    repository = made(tmp_path / "made")
    base = tmp_path / "updates"
    metadata = base / "2020-07-07" / VARIANT / "x86_64"
    root = tmp_path / "root.json"
    root.write_bytes((repository.metadata / "1.root.json").read_bytes())

    def check(**repack: Any) -> Check:
        spec = BuildSpec(
            variant=VARIANT,
            arch="x86_64",
            upstream={"ref": "v1.50.0"},
            build={"engine": Engine.REPACK},
            repack=repack,
            mirrors={"tuf": str(base)},
        )
        (found,) = check_mirrors(spec, ALL, tmp_path / "cache", IMPATIENT)
        return found

    assert "no root.json that is trusted" in check().version
    metadata.parent.mkdir(parents=True)
    metadata.symlink_to(repository.metadata)
    import hashlib

    sha512 = hashlib.sha512(root.read_bytes()).hexdigest()
    found = check(tuf_root=root, tuf_root_sha512=sha512)
    assert found.is_there, found
    metadata.unlink()
    assert "not there" in check(tuf_root=root, tuf_root_sha512=sha512).version
