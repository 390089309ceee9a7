"""`brqos register`, as scripts and people call it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
import typer
from typer.testing import CliRunner

from brqos.cli.register import register
from brqos.rehearsal.emulator import Emulator, Fault

NAME = "bottlerocket-aws-k8s-1.29-memoryqos-x86_64-1.50.0-0123abcd"
AMI = "bottlerocket-aws-k8s-1.29-memoryqos-x86_64-v1.50.0-0123abcd"

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(register)


class Result:
    def __init__(self, *arguments: str | Path) -> None:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    file = tmp_path / f"{NAME}.img.lz4"
    file.write_bytes(lz4.frame.compress(b"os" * 500_000))
    (tmp_path / f"{NAME}-data.img.lz4").write_bytes(lz4.frame.compress(bytes(600_000)))
    return file


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator(delay=0.05, any_key=True) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAANYBODY")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        yield running


@pytest.mark.loopback
def test_register(image: Path, emulator: Emulator, tmp_path: Path) -> None:
    uefi = tmp_path / "efi-vars.aws"
    uefi.write_text("QUJD")
    arguments = ("--image", image, "--region", "eu-west-1", "--region", "us-east-1", "--json", "--tag", "Team=x=y")
    result = Result(*arguments, "--uefi-data", uefi)
    assert result.code == 0, result.err
    data = result.data
    assert set(data) == {
        "name", "images", "amis", "rehearsal", "seconds", "puts_per_second", "verification", "promotion",
    }  # fmt: skip
    assert (data["name"], data["rehearsal"]) == (AMI, False)
    assert [(item["role"], item["bytes"]) for item in data["images"]] == [("os", 1_000_000), ("data", 600_000)]
    assert [(item["blocks"], item["blocks_sent"]) for item in data["images"]] == [(2, 2), (2, 2)]
    assert data["puts_per_second"] > 0
    assert set(data["amis"]) == {"eu-west-1", "us-east-1"}
    ami = data["amis"]["eu-west-1"]
    assert set(ami) == {
        "id", "name", "state", "snapshots", "created", "copied_from", "shared_with", "parameters",
    }  # fmt: skip
    assert (ami["state"], set(ami["snapshots"])) == ("available", {"/dev/xvda", "/dev/xvdb"})
    assert data["amis"]["us-east-1"]["copied_from"] == "eu-west-1"
    assert {row["verdict"] for rows in data["verification"].values() for row in rows} == {"ok"}
    assert ami["created"] is True
    image_there = emulator.store.images[ami["id"]]
    assert (image_there.attributes["bootMode"], image_there.tags["Team"]) == ("uefi-preferred", "x=y")
    assert "Using the data image beside it" in result.err
    again = Result(*arguments, "--uefi-data", uefi)
    assert again.data["amis"]["eu-west-1"] == {**ami, "created": False}


@pytest.mark.loopback
def test_for_people(image: Path, emulator: Emulator) -> None:
    result = Result("--image", image, "--name", "mine", "--region", "eu-west-1")
    assert result.code == 0, result.err
    first, second, verified, uploaded = result.out.splitlines()
    assert first == "mine"
    assert second.startswith("  eu-west-1  ami-0")
    assert verified.startswith("  verified: ")
    assert uploaded.startswith("  uploaded: 4 blocks of 512 KiB, ")
    assert "Secure Boot off" in result.err
    assert emulator.calls["RegisterImage"] == 1


@pytest.mark.loopback
@pytest.mark.usefixtures("emulator")
def test_the_configured_region(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Result("--image", image)
    assert (missing.code, "no AWS region is given" in missing.err) == (2, True)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert list(Result("--image", image, "--json").data["amis"]) == ["eu-north-1"]


@pytest.mark.loopback
def test_a_region_fails(image: Path, emulator: Emulator) -> None:
    emulator.faults.inject("RegisterImage", Fault("UnauthorizedOperation", 403, "You are not authorized"))
    result = Result("--image", image, "--region", "eu-west-1", "--region", "us-east-1", "--json")
    assert result.code == 7
    assert list(result.data["amis"]) == ["us-east-1"]
    assert "You are not authorized" in result.data["failures"]["eu-west-1"]
    assert "error: no AMI in eu-west-1" in result.err


@pytest.mark.loopback
def test_ids_of_a_rehearsal_are_said(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(rehearsal=True, any_key=True, delay=0) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAANYBODY")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        assert Result("--image", image, "--region", "eu-west-1", "--json").data["rehearsal"] is True


def test_a_dry_run_needs_nothing(image: Path) -> None:
    result = Result("--image", image, "--region", "eu-west-1", "--dry-run", "--json")
    assert result.code == 0, result.err
    operations = [call["operation"] for call in result.data["calls"]]
    assert operations == [
        "GetCallerIdentity",
        "DescribeImages",
        *["DescribeSnapshots", "StartSnapshot", "PutSnapshotBlock", "CompleteSnapshot"] * 2,
        "RegisterImage",
        "DescribeImageAttribute",
        *["DescribeImages", "DescribeImageAttribute", "DescribeSnapshots"],
        *["ListSnapshotBlocks", "GetSnapshotBlock"] * 2,
    ]
    assert result.data["permissions"] is None, "there are no credentials to be probed"
    people = Result("--image", image, "--region", "eu-west-1", "--dry-run")
    assert f"eu-west-1: {AMI}" in people.out
    assert '    RootDeviceName = "/dev/xvda"' in people.out


def test_no_credentials(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = Result("--image", image, "--region", "eu-west-1")
    assert result.code == 7
    assert "error: there are no AWS credentials that can be used" in result.err
    unknown = Result("--image", image, "--region", "eu-west-1", "--profile", "nobody")
    assert (unknown.code, "“nobody” does not exist" in unknown.err) == (7, True)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ("--arch", "arm64", "--uefi-data", "x"),
            2,
            "--arch, --uefi-data cannot be given without --image: a build knows",
        ),
        (("--image", "x.img", "--build", "b"), 2, "--build cannot be combined with --image"),
        (("--image", "x.img", "--region", "eu-west-1"), 2, "--arch, --variant, --image-version are needed"),
        (("--image", "nowhere.img", "--region", "eu-west-1"), 3, "there is no image nowhere.img"),
        (("--image", "/dev/null", "--region", "eu-west-1"), 3, "/dev/null is not a regular file"),
        (("--image", f"{NAME}.img", "--variant", "aws-k8s-1.30"), 3, "--variant says aws-k8s-1.30, the name of"),
        (("--image", f"{NAME}.img", "--image-version", "1.0.0-0123abcd"), 3, "--image-version says 1.0.0-0123abcd"),
        (("--image", ".", "--region", "eu-west-1"), 3, "is a folder, not an image"),
        (("--image", f"{NAME}.img", "--region", "Mars"), 3, "flag --region: ami.regions.0 = 'Mars' is refused"),
        (("--build", "b", "--region", "Mars"), 3, "there is no build “b”"),
        (("--image", f"{NAME}.img", "--tag", "x"), 2, "--tag x is not of the form KEY=VALUE"),
        (("--image", f"{NAME}.img", "--tag", "x" * 99), 2, f"--tag {'x' * 60}… (99 characters) is not"),
        (("--image", f"{NAME}.img", "--tag", "x=1", "--tag", "x=2"), 2, "--tag gives x two values"),
    ],
)
def test_bad_input(arguments: tuple[str, ...], code: int, words: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("x.img", f"{NAME}.img"):
        Path(name).write_bytes(b"x")
    result = Result(*arguments)
    assert result.code == code
    assert words in result.err
    assert "Traceback" not in result.err
    assert result.out == ""


def test_a_file_that_is_no_image(tmp_path: Path) -> None:
    file = tmp_path / f"{NAME}.img.lz4"
    file.write_bytes(lz4.frame.compress(bytes(1 << 20))[:-30])
    result = Result("--image", file, "--region", "eu-west-1", "--dry-run")
    assert (result.code, "truncated" in result.err) == (3, True)
