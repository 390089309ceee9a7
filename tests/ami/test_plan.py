"""The plan: pure, so every call can be read here before anything is made."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos import __version__
from brqos.ami.calls import calls_of
from brqos.ami.layout import DEVICES, volume_sizes
from brqos.ami.making.existing import differences
from brqos.ami.plan import AmiPlan, plan_amis
from brqos.ami.request import AmiRequest
from brqos.architecture import Architecture
from brqos.aws.ec2 import DescribedImage
from brqos.config.ami import AmiSpec
from brqos.errors import ConfigurationError
from brqos.image.model import Image, ImageRole

GIB = 1 << 30
# variants/shared/amispec-split.toml of Bottlerocket v1.50.0, without its comments.
UPSTREAM_AMISPEC = """
imds-support = "v2.0"
[block-device-mappings."/dev/xvda".ebs]
volume-type = "gp3"
[block-device-mappings."/dev/xvdb".ebs]
volume-type = "gp3"
"""


def image(role: ImageRole, size: int, digit: str) -> Image:
    return Image(
        role=role, file=Path(f"{role.value}.img"), sha256=digit * 64, bytes=size, file_sha256="0" * 64, file_bytes=1
    )


SPLIT = (image(ImageRole.OS, 2 * GIB, "a"), image(ImageRole.DATA, GIB, "b"))


def request(**fields: Any) -> AmiRequest:
    spec = fields.pop("spec", {})
    values = {
        "images": SPLIT,
        "variant": "aws-k8s-1.29-memoryqos",
        "arch": Architecture.AARCH64,
        "image_version": "1.50.0-0123abcd",
        "spec": AmiSpec(**{"regions": ("eu-west-1",), **spec}),
        **fields,
    }
    return AmiRequest(**values)


def plan(**fields: Any) -> AmiPlan:
    (only,) = plan_amis(request(**fields))
    return only


def volumes(plan: AmiPlan) -> dict[str, int]:
    return {item["DeviceName"]: item["Ebs"]["VolumeSize"] for item in plan.registration["BlockDeviceMappings"]}


def test_golden() -> None:
    made = plan(
        secure_boot=True,
        uefi_data="QU1aTlVFRkk=\n",
        ami_spec=UPSTREAM_AMISPEC,
        build="build-1",
        upstream_commit="c0ffee",
        spec={"tags": {"Team": "platform"}},
    )
    golden = Path(__file__).with_name("golden_plan.json")
    calls = [call.model_dump(mode="json") for call in calls_of(made)]
    assert calls == json.loads(golden.read_text().replace("@VERSION@", __version__))


def test_ids_are_filled_in() -> None:
    filled = plan().register_parameters({ImageRole.OS: "snap-1", ImageRole.DATA: "snap-2"})
    found = {item["DeviceName"]: item["Ebs"]["SnapshotId"] for item in filled["BlockDeviceMappings"]}
    assert found == {"/dev/xvda": "snap-1", "/dev/xvdb": "snap-2"}
    assert "<snapshot" not in json.dumps(filled)


@given(st.integers(1, 40 * GIB), st.one_of(st.none(), st.integers(1, 40 * GIB)), st.integers(1, 100))
def test_volumes_hold_their_images(os_bytes: int, data_bytes: int | None, publish: int) -> None:
    given_bytes = {ImageRole.OS: os_bytes} | ({ImageRole.DATA: data_bytes} if data_bytes else {})
    sizes = volume_sizes(given_bytes, publish)
    assert set(sizes) == set(given_bytes)
    assert all(sizes[role] * GIB >= size for role, size in given_bytes.items())
    assert sum(sizes.values()) >= publish
    assert sum(sizes.values()) == max(publish, sum(-(-size // GIB) for size in given_bytes.values()))


@pytest.mark.parametrize(
    ("os_gib", "data_gib", "expected"),
    [(2, 1, (2, 20)), (4, 1, (4, 18)), (2, None, (22, None)), (8, 20, (8, 20)), (100, 1, (100, 1))],
)
def test_sizes_by_layout(os_gib: int, data_gib: int | None, expected: tuple[int, int | None]) -> None:
    sizes = volume_sizes({ImageRole.OS: os_gib * GIB} | ({ImageRole.DATA: data_gib * GIB} if data_gib else {}))
    assert (sizes[ImageRole.OS], sizes.get(ImageRole.DATA)) == expected


def test_secure_boot_needs_both() -> None:
    for fields in ({"secure_boot": True}, {"uefi_data": "QUJD"}, {}):
        assert not {"BootMode", "UefiData"} & set(plan(**fields).registration)
    both = plan(secure_boot=True, uefi_data="QUJD").registration
    assert (both["BootMode"], both["UefiData"]) == ("uefi-preferred", "QUJD")


def test_a_unified_image_has_the_root_volume_only() -> None:
    assert volumes(plan(images=SPLIT[:1])) == {"/dev/xvda": 22}
    assert volumes(plan(images=SPLIT[:1], ami_spec=UPSTREAM_AMISPEC)) == {"/dev/xvda": 22}


def test_an_amispec_is_merged() -> None:
    made = plan(
        ami_spec="""
        name = "our-{{ ami.unique_name }}"
        boot-mode = "uefi"
        tpm-support = "v2.0"
        [block-device-mappings."/dev/xvda".ebs]
        volume-size = 1
        [block-device-mappings."/dev/xvdb".ebs]
        volume-size = 50
        throughput = 250
        [block-device-mappings."/dev/xvdc".ebs]
        volume-type = "gp3"
        volume-size = "{{ block_devices.root.volume_size }}"
        snapshot-id = "{{ block_devices.root.snapshot_id }}"
        [tags]
        CostCenter = "{{ ami.arch }}"
        Team = "theirs"
        """,
        spec={"tags": {"Team": "ours"}},
    )
    assert made.name == "our-bottlerocket-aws-k8s-1.29-memoryqos-aarch64-v1.50.0-0123abcd"
    assert (made.registration["BootMode"], made.registration["TpmSupport"]) == ("uefi", "v2.0")
    assert volumes(made) == {"/dev/xvda": 2, "/dev/xvdb": 50, "/dev/xvdc": 2}
    assert (made.tags["CostCenter"], made.tags["Team"]) == ("arm64", "ours")
    third = made.register_parameters({ImageRole.OS: "snap-1", ImageRole.DATA: "snap-2"})["BlockDeviceMappings"][2]
    assert third["Ebs"]["SnapshotId"] == "snap-1"


def test_what_was_asked_for_wins_over_the_amispec() -> None:
    made = plan(ami_spec='name = "theirs"\ndescription = "x"', spec={"name": "ours", "description": "mine"})
    assert (made.name, made.registration["Description"]) == ("ours", "mine")


def test_regions_are_planned_once() -> None:
    plans = plan_amis(request(spec={"regions": ("eu-west-1", "us-east-1", "eu-west-1")}))
    assert [made.region for made in plans] == ["eu-west-1", "us-east-1"]
    assert plans[0].registration == plans[1].registration


def test_uefi_data_is_shortened_when_shown() -> None:
    data = "QUJD" * 100
    made = plan(secure_boot=True, uefi_data=data)
    assert data not in json.dumps([call.parameters for call in calls_of(made)])
    assert made.registration["UefiData"] == data


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"images": ()}, "exactly one OS image"),
        ({"images": SPLIT[1:]}, "exactly one OS image"),
        ({"images": (SPLIT[0], SPLIT[0])}, "exactly one OS image"),
        ({"secure_boot": True, "uefi_data": "no base64!"}, "is not base64"),
        ({"secure_boot": True, "uefi_data": " "}, "has 0 bytes"),
        ({"secure_boot": True, "uefi_data": "QUJD" * 30000}, "has 90000 bytes"),
        ({"variant": "v" * 120}, "cannot be the name of an AMI"),
        ({"ami_spec": 'name = "what?"'}, "cannot be the name of an AMI"),
        ({"ami_spec": f'description = "{"x" * 256}"'}, "longer than 255"),
        ({"spec": {"tags": {"brqos:build": "x"}}}, "a prefix that is taken"),
        ({"spec": {"tags": {"aws:x": "x"}}}, "a prefix that is taken"),
        ({"spec": {"tags": {"": "x"}}}, "too long or has no key"),
        ({"spec": {"tags": {"x": "x" * 256}}}, "too long or has no key"),
        ({"spec": {"tags": {f"x{number}": "" for number in range(45)}}}, "AWS allows 50"),
        ({"ami_spec": '[tags]\n"brqos:tool" = "x"'}, "amispec.toml has a prefix"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan_amis(request(**fields))
    assert words in str(caught.value)


def described(made: AmiPlan, **changes: Any) -> DescribedImage:
    """The image as DescribeImages would tell it if it is as planned."""
    filled = made.register_parameters({ImageRole.OS: "snap-1", ImageRole.DATA: "snap-2"})
    fields = {
        "id": "ami-1",
        "name": made.name,
        "state": "available",
        "reason": "",
        "tags": made.tags,
        "attributes": {key: value for key, value in filled.items() if isinstance(value, str | bool)},
        "mappings": {item["DeviceName"]: item["Ebs"] for item in filled["BlockDeviceMappings"]},
        **changes,
    }
    return DescribedImage(**fields)


def test_an_image_as_planned_has_no_differences() -> None:
    made = plan(secure_boot=True, uefi_data="QUJD")
    assert differences(made, described(made)) == ()


def test_differences_are_told() -> None:
    made, good = plan(secure_boot=True, uefi_data="QUJD"), described(plan(secure_boot=True, uefi_data="QUJD"))
    assert differences(made, described(made, tags={}))[0].startswith("its tag brqos:image-sha256-os is not set")
    other = {**good.tags, "brqos:uefi-data-sha256": "x"}
    assert len(differences(made, described(made, tags=other))) == 1
    without = {key: value for key, value in good.attributes.items() if key != "ImdsSupport"}
    assert differences(made, described(made, attributes=without)) == ("ImdsSupport is not set",)
    more = {**good.attributes, "TpmSupport": "v2.0"}
    assert differences(made, described(made, attributes=more)) == ("TpmSupport is v2.0, not unset",)
    root = {DEVICES[ImageRole.OS]: good.mappings["/dev/xvda"]}
    assert differences(made, described(made, mappings=root)) == ("the volume /dev/xvdb is missing",)
    larger = {**good.mappings, "/dev/xvda": {**good.mappings["/dev/xvda"], "VolumeSize": 3}}
    assert differences(made, described(made, mappings=larger)) == ("VolumeSize of /dev/xvda is 3, not 2",)
