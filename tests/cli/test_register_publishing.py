"""`brqos register` with everything that follows an AMI: shared, marked, named, promoted, verified, rolled back."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lz4.frame
import pytest

from brqos.rehearsal.emulator import Emulator, Fault

from .conftest import Ran

pytestmark = pytest.mark.loopback
VARIANT = "aws-k8s-1.29-memoryqos"
NAME = f"bottlerocket-{VARIANT}-x86_64-{{}}"
FOLDER = f"/images/{VARIANT}/x86_64"
REGIONS = ("--region", "eu-west-1", "--region", "us-east-1")
KEY = "arn:aws:kms:eu-west-1:000000000000:key/12345678-1234-1234-1234-123456789012"
Brqos = Callable[..., Ran]


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator(delay=0.05, any_key=True) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAANYBODY")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        yield running
        assert running.bugs == []


@pytest.fixture
def image(tmp_path: Path) -> Callable[[str], Path]:
    """The image of a version; every one has another content."""

    def make(version: str) -> Path:
        file = tmp_path / f"{NAME.format(version)}.img.lz4"
        file.write_bytes(lz4.frame.compress(version.encode() * 200_000 + bytes(1 << 20)))
        return file

    return make


def parameters(emulator: Emulator, region: str) -> dict[str, str]:
    account = "000000000000"
    found = emulator.store.parameters.at(account, region, emulator.store)
    return {name: item.versions[-1].value for name, item in found.items()}


def test_the_surface(brqos: Brqos, image: Callable[[str], Path], emulator: Emulator, tmp_path: Path) -> None:
    ran = brqos(
        "register", "--image", image("1.50.0-0123abcd"), *REGIONS, "--share-account", "123456789012",
        "--deprecate-after", "90d", "--protect", "--ssm-prefix", "/images", "--promote", "--omit-zero-blocks", "os",
        "--amis-file", tmp_path / "amis.json", "--json",
    )  # fmt: skip
    data = ran.json
    (os_image,) = data["images"]
    assert os_image["blocks"] > os_image["blocks_sent"] > 0
    assert data["seconds"] > 0
    assert data["puts_per_second"] > 0
    for region, ami in data["amis"].items():
        assert ami["state"] == "available"
        assert set(ami["snapshots"]) == {"/dev/xvda"}
        assert ami["shared_with"] == ["123456789012"]
        assert ami["parameters"][f"{FOLDER}/1.50.0-0123abcd/image_id"] == ami["id"]
        there = emulator.store.images[ami["id"]]
        assert there.region == region
        assert parameters(emulator, region)[f"{FOLDER}/latest/image_id"] == ami["id"]
    assert data["promotion"]["version"] == "1.50.0-0123abcd"
    assert "read as garbage" in ran.err
    amis = json.loads((tmp_path / "amis.json").read_text())
    assert amis["us-east-1"]["launch_permissions"] == [{"userid": "123456789012"}]


def test_verify_finds_what_differs(brqos: Brqos, image: Callable[[str], Path], emulator: Emulator) -> None:
    words = ("--image", image("1.50.0-0123abcd"), *REGIONS, "--share-account", "123456789012")
    nothing = brqos("register", *words, "--verify", code=7)
    assert "not what was asked for in eu-west-1, us-east-1" in nothing.err
    brqos("register", *words)
    before = emulator.calls.copy()
    good = brqos("register", *words, "--verify")
    assert "different" not in good.out
    changes = [name for name in emulator.calls if emulator.calls[name] > before[name]]
    assert not [name for name in changes if not name.startswith(("Describe", "Get", "List"))], "nothing is changed"
    ami = next(item for item in emulator.store.images.values() if item.region == "us-east-1")
    ami.permissions.clear()
    wrong = brqos("register", *words, "--verify", code=7)
    assert "different" in wrong.out
    assert "not what was asked for in us-east-1" in wrong.err
    rows = brqos("register", *words, "--verify", "--json", code=7).json["verification"]
    assert {row["check"] for row in rows["us-east-1"] if row["verdict"] == "different"} == {"launch permissions"}
    assert all(row["verdict"] == "ok" for row in rows["eu-west-1"])


def test_verify_reads_blocks_back(
    brqos: Brqos, image: Callable[[str], Path], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--image", image("1.50.0-0123abcd"), "--region", "eu-west-1")
    brqos("register", *words)
    (snapshot,) = emulator.store.snapshots.values()
    other = b"!" * 524288
    snapshot.blocks[0] = hashlib.sha256(other).digest()
    read = emulator.store.read
    monkeypatch.setattr(emulator.store, "read", lambda item, index: other if index == 0 else read(item, index))
    ran = brqos("register", *words, "--verify", code=7)
    assert "different" in ran.out, ran.out


def test_promotion_and_rollback(brqos: Brqos, image: Callable[[str], Path], emulator: Emulator) -> None:
    versions = ("1.48.0-aaaaaaaa", "1.49.0-bbbbbbbb", "1.50.0-cccccccc")
    for version in versions:
        brqos("register", "--image", image(version), *REGIONS, "--ssm-prefix", "/images", "--promote")

    def latest() -> set[str]:
        found = (parameters(emulator, region) for region in ("eu-west-1", "us-east-1"))
        return {values[f"{FOLDER}/latest/image_version"] for values in found}

    back = ("register", "--rollback", "--variant", VARIANT, "--arch", "amd64", *REGIONS, "--ssm-prefix", "/images")
    assert latest() == {versions[2]}
    assert "nothing was done (--dry-run)" in brqos(*back, "--dry-run").out
    would = brqos(*back, "--dry-run", "--json").json
    assert would["promotion"]["regions"]["us-east-1"]["after"] == versions[1]
    assert latest() == {versions[2]}
    shown = brqos(*back)
    assert f"latest is {versions[1]}" in shown.out
    assert latest() == {versions[1]}
    brqos(*back)
    assert latest() == {versions[0]}
    assert "there is no version to roll back to" in brqos(*back, code=7).err
    brqos(*back, "--to", versions[2], "--json")
    assert latest() == {versions[2]}
    assert "1.47.0-dddddddd" in brqos(*back, "--to", "1.47.0-dddddddd", code=7).err


def test_the_place_of_the_amis_file_is_tried_first(
    brqos: Brqos, image: Callable[[str], Path], emulator: Emulator, tmp_path: Path
) -> None:
    words = ("register", "--image", image("1.50.0-0123abcd"), "--region", "eu-west-1", "--amis-file")
    for place in (tmp_path, tmp_path / "nowhere" / "amis.json"):
        assert "cannot be written" in brqos(*words, place, code=3).err
    assert not emulator.calls


def test_what_was_made_is_told_where_the_promotion_fails(
    brqos: Brqos, image: Callable[[str], Path], emulator: Emulator
) -> None:
    words = (
        "register",
        "--image",
        image("1.50.0-0123abcd"),
        *REGIONS,
        "--ssm-prefix",
        "/images",
        "--promote",
        "--json",
    )
    emulator.deny("ebs:ListSnapshotBlocks")
    unproven = brqos(*words, code=7)
    assert set(unproven.json["amis"]) == {"eu-west-1", "us-east-1"}
    assert unproven.json["promotion"] is None
    assert "is not promoted" in unproven.err
    emulator.allow()
    emulator.deny("ssm:PutParameter", region="us-east-1")
    partly = brqos(*words, code=7)
    assert partly.json["promotion"]["regions"]["eu-west-1"]["changed"] is True
    emulator.allow()
    assert brqos(*words).json["promotion"]["version"] == "1.50.0-0123abcd"


def test_a_bad_region_does_not_keep_image_files_from_the_good_one(
    brqos: Brqos, image: Callable[[str], Path], emulator: Emulator
) -> None:
    emulator.faults.inject("GetCallerIdentity", Fault("AccessDenied", 403), times=100, region="us-east-1")
    ran = brqos("register", "--image", image("1.50.0-0123abcd"), *REGIONS, "--direct-upload", "--json", code=7)
    assert list(ran.json["amis"]) == ["eu-west-1"]
    assert list(ran.json["failures"]) == ["us-east-1"]


def test_everything_from_the_file(
    brqos: Brqos, image: Callable[[str], Path], emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "brqos.toml").write_text(
        f"""
variant = "aws-k8s-1.29"
[ami]
regions = ["eu-west-1"]
share-accounts = ["123456789012"]
deprecate-after = "2y"
ssm-prefix = "/images"
direct-upload = true
[ami.tags]
team = "platform"
[ami.kms-keys]
eu-west-1 = "{KEY}"
[ami.ssm-parameters]
"names/{{image_version}}" = "{{image_name}}"
"""
    )
    data = brqos("register", "--image", image("1.50.0-0123abcd"), "--json").json
    assert list(data["amis"]) == ["eu-west-1"]
    (snapshot,) = emulator.store.snapshots.values()
    assert (snapshot.encrypted, snapshot.kms_key, snapshot.tags["team"]) == (True, KEY, "platform")
    assert parameters(emulator, "eu-west-1")["/images/names/1.50.0-0123abcd"] == data["name"]
    other = brqos("register", "--image", image("1.50.0-0123abcd"), "--region", "us-east-1", code=3)
    assert "--kms-key names eu-west-1, where no AMI is to be made" in other.err


def test_flags_overrule_a_yes_of_the_file(
    brqos: Brqos, image: Callable[[str], Path], emulator: Emulator, tmp_path: Path
) -> None:
    yes = ("direct-upload", "share-snapshots", "public", "protect", "promote")
    (tmp_path / "brqos.toml").write_text(
        'variant = "aws-k8s-1.29"\n[ami]\nregions = ["eu-west-1", "us-east-1"]\nssm-prefix = "/images"\n'
        + "".join(f"{key} = true\n" for key in yes)
    )
    words = ("register", "--image", image("1.50.0-0123abcd"), "--json")
    assert "the AMI would be public" in brqos(*words, code=2).err
    data = brqos(*words, *(f"--no-{key}" for key in yes)).json
    assert data["promotion"] is None
    assert data["amis"]["us-east-1"]["copied_from"] == "eu-west-1"
    assert all(ami["shared_with"] == [] for ami in data["amis"].values())
    assert emulator.calls["EnableImageDeregistrationProtection"] == 0


def test_a_dry_run_probes_permissions(brqos: Brqos, image: Callable[[str], Path], emulator: Emulator) -> None:
    emulator.deny("ec2:RegisterImage")
    words = ("register", "--image", image("1.50.0-0123abcd"), *REGIONS, "--dry-run")
    data = brqos(*words, "--json").json
    found = {row["action"]: row["permission"] for row in data["permissions"]["eu-west-1"]}
    assert found["ec2:RegisterImage"] == "denied"
    assert found["ebs:StartSnapshot"] == "unknown"
    assert {call["operation"] for call in data["calls"] if call["region"] == "us-east-1"} >= {"CopyImage", "CreateTags"}
    assert "denied" in brqos(*words).out
    assert emulator.store.snapshots == emulator.store.images == {}


def test_public_has_to_be_confirmed(brqos: Brqos, image: Callable[[str], Path], emulator: Emulator) -> None:
    words = ("register", "--image", image("1.50.0-0123abcd"), "--region", "eu-west-1", "--public")
    assert "every AWS account could launch it" in brqos(*words, code=2).err
    assert emulator.calls["StartSnapshot"] == 0
    data = brqos(*words, "--confirm-public", "--json").json
    assert data["amis"]["eu-west-1"]["shared_with"] == ["all"]


def test_an_image_that_changed_is_refused_until_restarted(
    brqos: Brqos, image: Callable[[str], Path], emulator: Emulator
) -> None:
    file = image("1.50.0-0123abcd")
    words = ("register", "--image", file, "--region", "eu-west-1")
    emulator.faults.inject("PutSnapshotBlock", Fault("ExpiredTokenException", 403), skip=1, times=1000)
    stopped = brqos(*words, code=7)
    assert "The same command goes on with it" in stopped.err
    assert "1 of 8 blocks" in brqos("status").err
    emulator.faults.clear()
    file.write_bytes(lz4.frame.compress(b"another one" * 100_000))
    assert "--restart" in brqos(*words, code=3).err
    brqos(*words, "--restart")
    assert len(emulator.store.snapshots) == len(emulator.store.images) == 1
    assert "Unfinished" not in brqos("status").err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--share-account", "12345678901"), 3, "An AWS account has 12 digits"),
        (("--share-org", "o-abc"), 3, "An organization is given by its ARN"),
        (("--share-ou", "ou-abc"), 3, "An organizational unit is given by its ARN"),
        (("--kms-key", KEY), 2, "--kms-key"),
        (("--kms-key", "eu-west-1=alias/x"), 3, "A key is given by its ARN, not by an alias"),
        (("--kms-key", f"us-east-1={KEY}"), 3, "--kms-key names us-east-1"),
        (("--omit-zero-blocks", "all"), 2, "--omit-zero-blocks all is not known"),
        (("--deprecate-after", "soon"), 3, "Write it like 90d, 26w or 2y."),
        (("--deprecate-after", "11y"), 3, "deprecat"),
        (("--ssm-prefix", "images"), 3, "It begins with a slash, ends without one"),
        (("--ssm-prefix", "/images/"), 3, "It begins with a slash, ends without one"),
        (("--ssm-prefix", "/aws/x"), 3, "AWS keeps parameters"),
        (("--promote",), 3, "--promote needs the SSM parameters"),
        (("--share-snapshots",), 3, "--share-snapshots needs accounts"),
        (("--confirm-public",), 2, "--confirm-public stands alone"),
        (("--to", "1.2.3"), 2, "--to stands alone"),
        (("--verify", "--dry-run"), 2, "--verify and --dry-run"),
        (("--verify", "--restart"), 2, "--verify and --restart cannot be combined"),
        (("--rollback", "--variant", "x"), 2, "--image cannot be combined with --rollback"),
        (("--region", "cn-north-1"), 3, "different partitions"),
        (("--profile", "a", "--profile", "b"), 2, "--profile is given 2 times"),
        (("--profile", "sa-east-1=x"), 3, "--profile names sa-east-1"),
        (("--role", "admin"), 3, "A role is given by its ARN, not by its name."),
        (("--role", "eu-west-1=admin"), 3, "A role is given by its ARN, not by its name."),
        (("--role", "x" * 999), 3, "… (1001 characters) is refused"),
        (("--kms-key", f"mars={KEY}"), 3, "flag --kms-key: ami.kms-keys.mars is refused"),
    ],
)
def test_bad_input(
    brqos: Brqos, image: Callable[[str], Path], emulator: Emulator, words: Any, code: int, said: str
) -> None:
    ran = brqos("register", "--image", image("1.50.0-0123abcd"), "--region", "eu-west-1", *words, code=code)
    assert said in ran.err
    assert ran.err.count("error:") == 1
    assert "is refused" not in ran.err or f"flag {words[0]}: ami." in ran.err
    assert "pattern" not in ran.err
    assert ran.out == ""
    assert not [name for name in emulator.calls if not name.startswith(("Describe", "Get"))]
