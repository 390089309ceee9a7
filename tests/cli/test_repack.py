"""`brqos build --engine repack` through the command line, on small images of the real layout."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lz4.frame
import pytest

from brqos.image.repack import check, engine
from brqos.image.repack.filesystem.detect import detect
from brqos.image.repack.gpt import read_table
from brqos.image.repack.result import RefusedResultError
from cli.conftest import Ran
from image.official.repository_maker import VARIANT as OFFICIAL_VARIANT
from image.official.repository_maker import Made, flip
from image.repack.synthetic import Filesystem, SyntheticImage, compress, maker, root_files
from image.repack.synthetic.broken import Damage, break_image
from image.repack.synthetic.partitions import ROOT
from pipeline.repack_images import NAME, UPSTREAMS, Images, changed_name, everything_below, files_below
from pipeline.repack_images import images as images

pytestmark = pytest.mark.processes
Brqos = Callable[..., Ran]


def repack(brqos: Brqos, image: Path | SyntheticImage, *words: object, code: int = 0) -> Ran:
    file = image.os_image if isinstance(image, SyntheticImage) else image
    return brqos("build", "--engine", "repack", "--image", file, *words, code=code)


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def unpacked(file: Path, folder: Path) -> Path:
    """All frames of it, and not only the first one."""
    raw = folder / "unpacked.img"
    with lz4.frame.open(file) as source:
        raw.write_bytes(source.read())
    return raw


def file_in(image: Path, path: str) -> str:
    with image.open("rb") as disk:
        root = read_table(disk).labelled(ROOT)
    return (detect(image, root).read(path) or b"").decode()


def nothing_is_left(folder: Path) -> bool:
    return not (folder / ".brqos").exists()


@pytest.fixture
def image(images: Images, tmp_path: Path) -> SyntheticImage:
    """The image that most tests begin with: ext4, x86_64, signed as upstream signs."""
    return images.copied(tmp_path / "in")


# --- the whole way


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "arch", "signed"),
    [
        pytest.param(Filesystem.EXT4, "x86_64", True, id="ext4-x86_64-own-keys"),
        pytest.param(Filesystem.EROFS, "aarch64", True, id="erofs-aarch64-own-keys"),
        pytest.param(Filesystem.EROFS, "x86_64", False, id="erofs-x86_64-unsigned"),
        pytest.param(Filesystem.EXT4, "aarch64", False, id="ext4-aarch64-unsigned"),
    ],
)
def test_the_whole_way(brqos: Brqos, images: Images, tmp_path: Path, kind: Filesystem, arch: str, signed: bool) -> None:
    image = images.copied(tmp_path / "in", filesystem=kind, architecture=arch)
    before = everything_below(tmp_path / "in"), digest(image.os_image), digest(image.data_image)
    words = ("--sbkeys-profile", images.profile()) if signed else ("--unsigned",)
    ran = repack(brqos, image, *words, "--json")
    assert (everything_below(tmp_path / "in"), digest(image.os_image), digest(image.data_image)) == before
    assert signed or "Secure Boot switched off" in ran.err
    assert "No official image could be booted where brqos is developed" in ran.err

    result = ran.json
    assert (result["variant"], result["rehearsal"]) == ("aws-k8s-1.29-memoryqos", False)
    name = changed_name(result["build"]).replace("x86_64", arch)
    assert [Path(one["file"]).name for one in result["images"]] == [f"{name}.img.lz4", f"{name}-data.img.lz4"]
    os_image = Path(result["images"][0]["file"])
    raw = unpacked(os_image, tmp_path)
    assert digest(raw) == result["images"][0]["sha256"]
    os_release = file_in(raw, f"/{arch}-bottlerocket-linux-gnu/sys-root/usr/lib/os-release")
    assert "\nVARIANT_ID=aws-k8s-1.29-memoryqos\n" in os_release
    assert 'NAME="Bottlerocket derivative with MemoryQoS"' in os_release

    folder = Path(result["record"]).parent
    assert [file.name for file in folder.rglob("*")].count("build.json") == 1
    assert sorted(file.name for file in folder.rglob("*") if file.is_file()) == [
        "application-inventory.json", f"{name}-data.img.lz4", f"{name}.img.lz4", "build.json", "provenance.json",
        "sbom.cdx.json",
    ]  # fmt: skip
    bom = json.loads((folder / "attestations" / "sbom.cdx.json").read_text())
    components = {item["name"]: item for item in bom["components"]}
    assert components["systemd"]["purl"].startswith("pkg:rpm/bottlerocket/systemd@252.22-1.")
    assert bom["metadata"]["component"]["hashes"][0]["content"] == digest(raw)
    provenance = json.loads((folder / "attestations" / "provenance.json").read_text())
    made_of = {item["name"]: item for item in provenance["predicate"]["buildDefinition"]["resolvedDependencies"]}
    assert made_of[image.os_image.name]["digest"] == {"sha256": before[1]}
    record = json.loads((folder / "build.json").read_text())
    assert (record["engine"], record["delivery"], record["spec"]["arch"]) == ("repack", "drop-in", arch)
    assert record["repack"]["signed"] == record["result"]["secure-boot"] == signed
    assert (record["result"]["uefi-data"] is not None) == signed
    inputs = {one["file"]: one["sha256"] for one in record["repack"]["inputs"]}
    assert inputs == {image.os_image.name: before[1], image.data_image.name: before[2]}
    assert record["repack"] == result["repack"]
    assert any("os-release" in line for line in record["repack"]["changes"])
    assert any("veritysetup verify" in line for line in record["repack"]["checks"])
    assert any("sbverify" in line for line in record["repack"]["checks"]) == signed
    assert any("900-memory-qos.conf" in file["path"] for file in record["files"])


def test_what_people_read(brqos: Brqos, image: SyntheticImage) -> None:
    ran = repack(brqos, image, "--unsigned")
    assert "Changed, and nothing else:" in ran.out
    assert "unchanged: the partition table" in ran.out
    assert "repacked without signatures (no Secure Boot)" in ran.out
    assert "Next: brqos register --region REGION" in ran.out
    assert "No official image could be booted where brqos is developed" in ran.err


def test_the_record_names_no_place_of_this_machine_and_no_secret(
    brqos: Brqos, image: SyntheticImage, images: Images, tmp_path: Path
) -> None:
    result = repack(brqos, image, "--sbkeys-profile", images.profile(), "--json").json
    folder = Path(result["record"]).parent
    text = (folder / "build.json").read_text()
    assert str(tmp_path) not in text
    assert str(images.profile().parent) not in text
    assert '"image": "bottlerocket-aws-k8s-1.29-x86_64-' in text
    for key in images.profile().glob("*.key"):
        secret = key.read_text().splitlines()[5]
        assert all(secret.encode() not in file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_updates_can_be_switched_off_and_the_name_be_given(brqos: Brqos, image: SyntheticImage, tmp_path: Path) -> None:
    (tmp_path / "brqos.toml").write_text("[repack]\nswitch-updates-off = true\nunsigned = true\nlz4-level = 3\n")
    result = repack(brqos, image, "--pretty-name", "Example Corp's Bottlerocket derivative", "--json").json
    raw = unpacked(Path(result["images"][0]["file"]), tmp_path)
    usr = "/x86_64-bottlerocket-linux-gnu/sys-root/usr"
    assert "Example Corp's Bottlerocket derivative" in file_in(raw, f"{usr}/lib/os-release")
    defaults = file_in(raw, f"{usr}/share/storewolf/aws-k8s-1.29.toml")
    assert 'version-lock = "1.55.0"' in defaults or 'version-lock = "v1.55.0"' in defaults


# --- again, and otherwise


def test_the_same_again_is_taken_from_before(brqos: Brqos, image: SyntheticImage, tmp_path: Path) -> None:
    first = repack(brqos, image, "--unsigned", "--json")
    # Where it lies is not what it is.
    moved = image.os_image.rename(tmp_path / image.os_image.name)
    image.data_image.rename(tmp_path / image.data_image.name)
    again = repack(brqos, moved, "--unsigned", "--json")
    assert again.json == first.json
    assert "repacked already" in again.err
    assert "Writing the files" not in again.err
    Path(first.json["images"][1]["file"]).unlink()
    assert "Writing the files" in repack(brqos, moved, "--unsigned").err


@pytest.mark.slow
def test_force_signs_anew_and_leaves_one_image(
    brqos: Brqos, image: SyntheticImage, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--sbkeys-profile", images.profile(), "--json")
    first = repack(brqos, image, *words).json
    folder = Path(first["record"]).parent
    files = sorted(file.name for file in folder.rglob("*"))
    # Signatures have the second in which they were made.
    again = repack(brqos, image, *words, "--force").json
    assert again["build"] == first["build"]
    assert sorted(file.name for file in folder.rglob("*")) == files
    assert digest(unpacked(Path(again["images"][0]["file"]), tmp_path)) == again["images"][0]["sha256"]

    def wrong(*_: object) -> None:
        raise RefusedResultError("the result is wrong", "A test says so.")

    monkeypatch.setattr(check, "verify", wrong)
    failed = repack(brqos, image, *words, "--force", code=1)
    assert "Nothing was kept" in failed.err
    assert sorted(file.name for file in folder.rglob("*")) == files
    assert "repacked already" in repack(brqos, image, *words).err


def test_what_a_killed_run_left_is_removed_though_nothing_is_to_be_done(brqos: Brqos, image: SyntheticImage) -> None:
    result = repack(brqos, image, "--unsigned", "--json").json
    folder = Path(result["record"]).parent
    # Killed with --force, and killed with --dry-run.
    for left in (folder / "new-images" / ".brqos-repack-left", folder.parent / ".brqos-repack-left"):
        left.mkdir(parents=True)
        (left / "os.img").write_bytes(b"half")
    again = repack(brqos, image, "--unsigned", "--json")
    assert "repacked already" in again.err
    assert again.json == result
    assert sorted(file.name for file in folder.iterdir()) == ["attestations", "build.json", "images"]
    assert [file.name for file in folder.parent.iterdir()] == [folder.name]

    # One that was killed in its first run, and is refused in its second.
    other = folder.with_name(folder.name.replace("x86_64", "aarch64"))
    (other / "new-images" / ".brqos-repack-left").mkdir(parents=True)
    repack(brqos, image, "--unsigned", "--arch", "arm64", code=3)
    assert [file.name for file in folder.parent.iterdir()] == [folder.name]


def test_a_killed_run_is_gone_on_with(brqos: Brqos, image: SyntheticImage) -> None:
    result = repack(brqos, image, "--unsigned", "--json").json
    folder = Path(result["record"]).parent
    # As if it had been killed after the images had their names, and before the record was written.
    (folder / "build.json").unlink()
    (folder / "images").rename(folder / "new-images")
    again = repack(brqos, image, "--unsigned", "--json")
    assert "repacked already" not in again.err
    # The documents say when it was made.
    assert {**again.json, "attestations": None} == {**result, "attestations": None}
    assert sorted(file.name for file in folder.iterdir()) == ["attestations", "build.json", "images"]


@pytest.mark.slow
def test_other_settings_are_another_build(brqos: Brqos, image: SyntheticImage) -> None:
    wishes = ([], ["--factor", "0.5"], ["--switch-updates-off"])
    made = [repack(brqos, image, "--unsigned", "--json", *words).json for words in wishes]
    assert len({one["build"] for one in made}) == len({one["images"][0]["sha256"] for one in made}) == len(wishes)


def test_another_image_is_another_build(brqos: Brqos, images: Images, image: SyntheticImage, tmp_path: Path) -> None:
    one = repack(brqos, image, "--unsigned", "--json").json
    changed = images.copied(tmp_path / "other", filler_files=3)
    other = repack(brqos, changed, "--unsigned", "--json").json
    assert one["build"] != other["build"]
    assert len(brqos("status", "--json").json) == 2


# --- what image it is


@pytest.mark.parametrize(
    ("words", "toml", "said"),
    [
        (["--variant", "aws-k8s-1.30"], "", "the variant is aws-k8s-1.30, and the image is aws-k8s-1.29"),
        (["--variant", "aws-k8s-1.29-nvidia"], "", "the variant is aws-k8s-1.29-nvidia"),
        (["--variant", "aws-k8s-1.27"], "", "the variant is aws-k8s-1.27"),
        (["--arch", "arm64"], "", "the architecture is aarch64, and the image is for x86_64"),
        ([], 'variant = "aws-k8s-1.31"\n', "the variant is aws-k8s-1.31"),
        ([], 'arch = "aarch64"\n', "the architecture is aarch64"),
    ],
)
def test_wishes_that_contradict_the_image(
    brqos: Brqos, image: SyntheticImage, tmp_path: Path, words: list[str], toml: str, said: str
) -> None:
    (tmp_path / "brqos.toml").write_text(toml)
    ran = repack(brqos, image, "--unsigned", *words, code=3)
    assert said in ran.err
    assert ran.err.count("error:") == 1
    assert nothing_is_left(tmp_path)


def test_a_name_that_tells_nothing(brqos: Brqos, image: SyntheticImage, tmp_path: Path) -> None:
    mine = image.os_image.rename(tmp_path / "mine.img")
    assert "not called as upstream calls it" in repack(brqos, mine, "--unsigned", code=3).err
    words = ("--unsigned", "--variant", "aws-k8s-1.29", "--arch", "x86_64", "--json")
    alone = repack(brqos, mine, *words, "--quiet")
    assert "Secure Boot switched off" in alone.err
    assert "Examining" not in alone.err
    assert "there is no data image beside" in alone.err
    assert [one["role"] for one in alone.json["images"]] == ["os"]
    both = repack(brqos, mine, *words, "--data-image", image.data_image)
    assert "there is no data image" not in both.err
    assert [one["role"] for one in both.json["images"]] == ["os", "data"]


def test_packed_images_and_a_configuration_that_names_them(brqos: Brqos, image: SyntheticImage, tmp_path: Path) -> None:
    packed = compress(image.os_image)
    compress(image.data_image)
    (tmp_path / "brqos.toml").write_text(
        f'variant = "aws-k8s-1.29"\narch = "x86_64"\n[build]\nengine = "repack"\n'
        f'[repack]\nimage = "{packed}"\nunsigned = true\n'
    )
    result = brqos("build", "--json").json
    assert [one["file"] for one in result["repack"]["inputs"]] == [f"{NAME}.img.lz4", f"{NAME}-data.img.lz4"]
    assert result["repack"]["inputs"][0]["sha256"] == digest(image.os_image)
    ran = brqos("build", "--from-release", "newest", code=3)
    assert "both say which image is changed" in ran.err


# --- what does not go together


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--engine", "repacked", "--unsigned"], 3, "'source' or 'repack'"),
        (["--engine", "source", "--unsigned"], 2, "--image means nothing to --engine source"),
        ([], 2, "--image means nothing to --engine source"),
        (["--engine", "repack", "--unsigned", "--from-release", "newest"], 2, "does not go together"),
        (["--engine", "repack", "--unsigned", "--jobs", "4"], 2, "--jobs means nothing to --engine repack"),
        (["--engine", "repack", "--unsigned", "--make-env", "A=b"], 2, "--make-env means nothing"),
        (["--engine", "repack", "--unsigned", "--ref", "v1.50.0"], 2, "--ref means nothing"),
        (["--engine", "repack", "--unsigned", "--core-kit", "x"], 2, "--core-kit means nothing"),
        (["--engine", "repack", "--unsigned", "--tuf-root", "x"], 2, "--tuf-root means nothing"),
        (["--engine", "repack", "--unsigned", "--metadata-url", "/x"], 2, "--metadata-url means nothing"),
        (["--engine", "repack", "--unsigned", "--rehearse"], 2, "Leave out --rehearse"),
        (["--engine", "repack"], 3, "brqos keys new"),
        (["--engine", "repack", "--sbkeys-profile", "/nowhere"], 3, "no signing profile at /nowhere"),
        (["--engine", "repack", "--unsigned", "--sbkeys-profile", "/nowhere"], 3, "Leave out --sbkeys-profile, or"),
        (["--engine", "repack", "--unsigned", "--factor", "2"], 3, "0.9"),
        (["--engine", "repack", "--unsigned", "--policy", "TieredReservation"], 3, "1.36"),
        (["--engine", "repack", "--unsigned", "--delivery", "native"], 3, "“native” does not work"),
        (["--engine", "repack", "--unsigned", "--region", "Frankfurt"], 3, "ami.regions"),
    ],
)
def test_what_does_not_go_together(
    brqos: Brqos, image: SyntheticImage, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    ran = brqos("build", "--image", image.os_image, *words, code=code)
    assert said in ran.err
    assert ran.err.count("error:") == 1
    assert nothing_is_left(tmp_path)


def test_profiles_that_cannot_sign(brqos: Brqos, images: Images, image: SyntheticImage, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(images.profile(), broken)
    (broken / "code-sign.key").unlink()
    (broken / "vendor.crt").write_text("")
    ran = repack(brqos, image, "--sbkeys-profile", broken, code=3)
    assert "Missing or empty: vendor.crt, code-sign.key" in ran.err
    in_kms = tmp_path / "kms"
    shutil.copytree(images.profile(), in_kms)
    (in_kms / "shim-sign.key").unlink()
    (in_kms / "kms-sign.json").write_text("{}")
    assert "are in KMS" in repack(brqos, image, "--sbkeys-profile", in_kms, code=3).err
    mixed = tmp_path / "mixed"
    shutil.copytree(images.profile(), mixed)
    shutil.copy(images.profile(UPSTREAMS) / "code-sign.key", mixed)
    assert "code-sign" in repack(brqos, image, "--sbkeys-profile", mixed, code=3).err
    assert nothing_is_left(tmp_path)


# --- a dry run


def test_a_dry_run_leaves_nothing(
    brqos: Brqos, images: Images, image: SyntheticImage, tmp_path: Path, home: Path
) -> None:
    before = everything_below(tmp_path), files_below(home)
    ran = repack(brqos, image, "--sbkeys-profile", images.profile(), "--dry-run")
    assert (everything_below(tmp_path), files_below(home)) == before
    for words in ("os-release", "900-memory-qos.conf", "hash tree", "sign grub.cfg", "Nothing was done"):
        assert words in ran.out
    assert "register" not in ran.out
    steps = repack(brqos, image, "--unsigned", "--dry-run", "--json", "--region", "eu-west-1", "--cluster", "c").json
    assert (everything_below(tmp_path), files_below(home)) == before
    calls = {step["does"]: step["parameters"] for step in steps["steps"] if step["stage"] == "register"}
    registered = calls["eu-west-1: ec2 RegisterImage"]
    assert registered["Name"].startswith("bottlerocket-aws-k8s-1.29-memoryqos-x86_64-v1.55.0-")
    assert "UefiData" not in registered
    does = [step["does"] for step in steps["steps"]]
    assert does[-4].startswith("write the file for c")
    assert does[-3:] == [
        "write attestations/sbom.cdx.json", "write attestations/provenance.json", "eu-west-1: ec2 CreateTags",
    ]  # fmt: skip


# --- official images


@pytest.fixture
def repository(images: Images, tmp_path: Path) -> Made:
    """A repository with one release, whose images are of the real layout."""
    image = images.copied(
        tmp_path / "official", variant=OFFICIAL_VARIANT, kubelet="1.35.2", version="1.61.2", build_id="deadbeef"
    )
    made = Made(tmp_path / "repository")
    made.add_release("1.60.0", "0123abcd")
    made.add_release("1.61.2", "deadbeef", data=compress(image.os_image).read_bytes())
    for name in (f"1.61.2-{'deadbeef'}", "v1.61.2"):
        data = compress(image.data_image).read_bytes()
        made.add(f"bottlerocket-{OFFICIAL_VARIANT}-x86_64-{name}-data.img.lz4", data)
    made.publish()
    shutil.rmtree(tmp_path / "official")
    return made


@pytest.fixture
def fetching(brqos: Brqos, repository: Made) -> Brqos:
    root = repository.metadata / "1.root.json"

    def run(*words: object, code: int = 0, sha512: str | None = None) -> Ran:
        base = repository.folder
        trust = ("--tuf-root", root, "--tuf-root-sha512", sha512 or hashlib.sha512(root.read_bytes()).hexdigest())
        where = ("--metadata-url", f"{base}/metadata/{{variant}}/{{arch}}", "--targets-url", base / "targets")
        image = ("--variant", OFFICIAL_VARIANT, "--arch", "x86_64", "--unsigned")
        return brqos("build", "--engine", "repack", *image, *trust, *where, *words, code=code)

    return run


@pytest.mark.slow
def test_an_official_image_is_verified_recorded_and_cached(
    brqos: Brqos, fetching: Brqos, repository: Made, tmp_path: Path
) -> None:
    first = fetching("--from-release", "newest", "--json")
    assert "Fetching bottlerocket-aws-k8s-1.35-x86_64-1.61.2-deadbeef.img.lz4" in first.err
    official = first.json["repack"]["official"]
    name = "bottlerocket-aws-k8s-1.35-x86_64-1.61.2-deadbeef.img.lz4"
    assert (official["version"], official["build"], official["os"]["target"]) == ("1.61.2", "deadbeef", name)
    assert official["os"]["file-sha256"] == repository.targets[name]["hashes"]["sha256"]
    root = (repository.metadata / "1.root.json").read_bytes()
    assert official["repository"]["root-sha512"] == hashlib.sha512(root).hexdigest()
    assert first.json["repack"]["inputs"][0]["file"] == name
    record = Path(first.json["record"])
    assert str(tmp_path) not in record.read_text()
    assert brqos("status", "--record", record, "--json").json["repack"]["official"] == official

    again = fetching("--from-release", "newest", "--json", "--force")
    assert f"Fetching {name}" not in again.err
    assert again.json["images"] == first.json["images"]

    cleaned = brqos("clean", "--dry-run", "--json").json
    assert [entry["kind"] for entry in cleaned["removed"]] == ["official/images"] * 2
    assert brqos("clean", "--json").json["bytes"] == cleaned["bytes"] > 0
    assert f"Fetching {name}" in fetching("--from-release", "v1.61.2", "--dry-run").err


@pytest.mark.loopback
def test_official_images_that_are_not_to_be_trusted(
    fetching: Brqos, repository: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is not the root.json that was meant" in fetching(sha512="0" * 128, code=3).err
    assert "does not list release 1.59.0" in fetching("--from-release", "1.59.0", code=5).err
    # The variant's pinned release, which this repository has not.
    assert "does not list release 1." in fetching(code=5).err
    name = "bottlerocket-aws-k8s-1.35-x86_64-1.61.2-deadbeef.img.lz4"
    flip(repository.file_of(name), 1000)
    ran = fetching("--from-release", "newest", code=5)
    assert name in ran.err
    assert ran.err.count("error:") == 1
    assert nothing_is_left(tmp_path)


# --- native settings


@pytest.fixture
def native(images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SyntheticImage:
    """An image whose kubelet's template knows the settings, as that of Kubernetes 1.37 does."""

    def with_settings(options: Any) -> Any:
        settings = (
            b"memoryThrottlingFactor: {{settings.kubernetes.memory-throttling-factor}}\n"
            b"memoryReservationPolicy: {{settings.kubernetes.memory-reservation-policy}}\n"
        )
        files = root_files.root_files(options)
        return tuple(
            root_files.RootFile(one.path, one.content + settings, one.mode, one.label)
            if one.path.endswith("/kubelet-config")
            else one
            for one in files
        )

    monkeypatch.setattr(maker, "root_files", with_settings)
    return images.copied(tmp_path / "in", variant="aws-k8s-1.37", kubelet="1.37.1")


def test_an_image_that_knows_the_settings(brqos: Brqos, native: SyntheticImage, tmp_path: Path) -> None:
    ran = repack(brqos, native, "--unsigned", code=3)
    assert "needs no repacking" in ran.err
    assert "brqos nodegroup --official --variant aws-k8s-1.37 --arch x86_64" in " ".join(ran.err.split())
    assert "--bake" in ran.err
    assert "--bake" in repack(brqos, native, "--unsigned", "--dry-run", code=3).err
    assert nothing_is_left(tmp_path)
    baked = repack(brqos, native, "--unsigned", "--bake", "--json").json
    record = json.loads(Path(baked["record"]).read_text())
    assert (record["delivery"], record["variant"]) == ("drop-in", "aws-k8s-1.37-memoryqos")
    assert record["kubelet-configuration"]["memoryReservationPolicy"] == "TieredReservation"


# --- bad input


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (Damage.TRUNCATED, ""),
        (Damage.GARBAGE, ""),
        (Damage.NO_TABLE, ""),
        (Damage.ENCRYPTED_ROOT, ""),
        (Damage.DATA_BLOCK, ""),
        (Damage.TREE_LEAF, ""),
        (Damage.LABEL_TWICE, ROOT),
        (Damage.NO_GRUB_CONFIG, "grub.cfg"),
        (Damage.UKI, "unified kernel image"),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, Damage) else "",
)
def test_damaged_images(
    brqos: Brqos, image: SyntheticImage, tmp_path: Path, home: Path, damage: Damage, said: str
) -> None:
    broken = break_image(image, damage, tmp_path / "broken")
    before = everything_below(tmp_path), files_below(home), digest(broken.os_image)
    ran = repack(brqos, broken, "--unsigned", code=3)
    assert said in ran.err
    assert ran.err.count("error:") == 1
    assert ran.out == ""
    assert (everything_below(tmp_path), files_below(home), digest(broken.os_image)) == before


def test_files_that_are_no_images(brqos: Brqos, image: SyntheticImage, tmp_path: Path, home: Path) -> None:
    def refused(file: Path, said: str) -> None:
        before = everything_below(tmp_path), files_below(home)
        ran = repack(brqos, file, "--unsigned", "--variant", "aws-k8s-1.29", "--arch", "x86_64", code=3)
        assert said in ran.err
        assert ran.err.count("error:") == 1, ran.err
        assert (everything_below(tmp_path), files_below(home)) == before

    refused(image.data_image, "this is a data image, not an OS image")
    refused(tmp_path / "nothing.img", "there is no image")
    refused(tmp_path, "is a folder, not an image")
    (tmp_path / "empty.img").touch()
    refused(tmp_path / "empty.img", "empty.img")
    packed = compress(image.os_image)
    (tmp_path / "cut.img.lz4").write_bytes(packed.read_bytes()[: packed.stat().st_size // 2])
    refused(tmp_path / "cut.img.lz4", "cut.img.lz4")
    (tmp_path / "other.img.lz4").write_bytes(b"\x1f\x8b" + bytes(100))
    refused(tmp_path / "other.img.lz4", "other.img.lz4")
    swapped = tmp_path / "x.img"
    shutil.copy(image.os_image, swapped)
    shutil.copy(image.os_image, tmp_path / "x-data.img")
    refused(swapped, "is an OS image, not a data image")
    if os.geteuid() != 0:
        swapped.chmod(0)
        refused(swapped, "cannot be read")


def test_an_image_that_was_repacked_already(brqos: Brqos, image: SyntheticImage, tmp_path: Path) -> None:
    result = repack(brqos, image, "--unsigned", "--json").json
    words = ("--unsigned", "--variant", "aws-k8s-1.29", "--arch", "x86_64")
    ran = repack(brqos, Path(result["images"][0]["file"]), *words, code=3)
    assert "this image has MemoryQoS already" in ran.err
    assert [one["build"] if "build" in one else one["id"] for one in brqos("status", "--json").json] == [
        result["build"]
    ]


def test_a_result_that_is_wrong_is_not_kept(
    brqos: Brqos, image: SyntheticImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(engine, "pack", full)
    ran = repack(brqos, image, "--unsigned", code=4)
    assert "the disk of" in ran.err
    assert nothing_is_left(tmp_path)
