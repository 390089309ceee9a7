"""What is sent: the same bytes for the same builds, brqos as pip takes it, and no keys."""

import base64
import csv
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import pytest

import brqos
from brqos import process
from brqos.config.model import BuildSection
from brqos.fleet.codebuild.bundle import bundle_of, contents_of
from brqos.fleet.codebuild.wheel import requirements, wheel, wheel_name
from fleet import builds
from fleet.codebuild.parts import FILE, members


@pytest.fixture(scope="module")
def made() -> bytes:
    return wheel()


def test_the_same_builds_are_the_same_bytes() -> None:
    one = bundle_of(members(), {FILE: b"variant"}, {"a-c0ffee": "patch"}, with_brqos=False)
    same = bundle_of(members(), {FILE: b"variant"}, {"a-c0ffee": "patch"}, with_brqos=False)
    other = bundle_of(members(), {FILE: b"other"}, {"a-c0ffee": "patch"}, with_brqos=False)
    assert one.data == same.data
    assert one.key == same.key == f"bundles/{hashlib.sha256(one.data).hexdigest()}.zip"
    assert other.key != one.key


def test_it_holds_what_builders_need() -> None:
    archive = zipfile.ZipFile(io.BytesIO(bundle_of(members(), {FILE: b"variant"}, {"a-c0ffee": "patch"}).data))
    assert set(archive.namelist()) == {
        wheel_name(), "requirements.txt", "config/1/brqos.toml", "overlays/a-c0ffee.patch", "fleet.json",
    }  # fmt: skip
    (told,) = json.loads(archive.read("fleet.json"))["builds"]
    assert told["expected"] == members()[0].expected


def test_files_of_one_name_stay_apart(tmp_path: Path) -> None:
    for name in ("a", "b c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x y.toml").write_text(name)
    contents = contents_of([tmp_path / "a" / "x y.toml", tmp_path / "b c" / "x y.toml"])
    archive = zipfile.ZipFile(io.BytesIO(bundle_of([], contents, {}, with_brqos=False).data))
    assert archive.read("config/1/x-y.toml") == b"a"
    assert archive.read("config/2/x-y.toml") == b"b c"


def test_keys_are_never_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "code-sign.key").write_text("PRIVATE")
    signed = builds.spec(build=BuildSection(sbkeys_profile=Path("keys")))
    wanted = members(signed, sbkeys="s3://secrets/profile.tar.gz")
    assert wanted[0].needs_keys
    data = bundle_of(wanted, {FILE: b"variant"}, {}, with_brqos=False).data
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert not [name for name in archive.namelist() if "key" in name]
    assert all(b"PRIVATE" not in archive.read(name) for name in archive.namelist())


def test_the_wheels_record_is_right(made: bytes) -> None:
    archive = zipfile.ZipFile(io.BytesIO(made))
    (record,) = (name for name in archive.namelist() if name.endswith("/RECORD"))
    rows = {name: (digest, size) for name, digest, size in csv.reader(io.StringIO(archive.read(record).decode()))}
    assert set(rows) == set(archive.namelist())
    for name, (digest, size) in rows.items():
        if name != record:
            data = archive.read(name)
            found = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={found}", str(len(data)))


def test_the_wheel_has_what_the_package_has(made: bytes) -> None:
    names = zipfile.ZipFile(io.BytesIO(made)).namelist()
    assert {"brqos/variants/aws-k8s-1.29.toml", "brqos/templates/brqos.toml", "brqos/py.typed"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests/")]
    assert made == wheel(), "the same each time"


@pytest.mark.processes
@pytest.mark.slow
def test_pip_installs_the_wheel(made: bytes, tmp_path: Path) -> None:
    file = tmp_path / wheel_name()
    file.write_bytes(made)
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", target, file]
    process.run(pip)
    asked = "import brqos, brqos.resources as r; print(brqos.__file__, r.data_directory('variants'))"
    env = {"PYTHONPATH": str(target)}
    shown = process.run([sys.executable, "-P", "-c", asked], env=env, cwd=tmp_path).text
    assert all(Path(part).is_relative_to(target) for part in shown.split())
    found = process.run(
        [sys.executable, "-P", "-m", "brqos", "--version"], env={"PYTHONPATH": str(target)}, cwd=tmp_path
    )
    assert found.text.strip() == f"brqos {brqos.__version__}"


def test_requirements_are_held_against_hashes_where_there_is_a_lock() -> None:
    needed = requirements()
    assert needed.hashed == ("--hash=sha256:" in needed.text)


def test_without_a_lock_the_versions_are_those_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import boto3

    from brqos.fleet.codebuild import wheel as module

    monkeypatch.setattr(module, "requirements_lock", lambda: None)
    needed = requirements()
    assert not needed.hashed
    assert f"boto3=={boto3.__version__}\n" in needed.text
    assert "botocore==" in needed.text
