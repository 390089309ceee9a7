import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.ami.amispec import merge, parse_amispec, register_parameters, render, tags_of
from brqos.errors import ConfigurationError

TABLES = st.recursive(
    st.one_of(st.integers(), st.text(max_size=3)),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=8,
).filter(lambda value: isinstance(value, dict))


def test_merging_like_upstream() -> None:
    base = {"a": 1, "b": {"c": 2, "d": 3}}
    assert merge(base, {"b": {"d": {"g": 6}, "e": 4}, "f": 5}) == {"a": 1, "b": {"c": 2, "d": {"g": 6}, "e": 4}, "f": 5}
    assert base == {"a": 1, "b": {"c": 2, "d": 3}}


@given(TABLES, TABLES)
def test_merging_keeps_what_is_over(base: dict[str, object], over: dict[str, object]) -> None:
    merged = merge(base, over)
    assert set(merged) == set(base) | set(over)
    assert merge(merged, over) == merged
    assert merge(base, {}) == base
    assert merge({}, over) == over


def test_parameters() -> None:
    spec = parse_amispec(
        """
        name = "x"
        architecture = "arm64"
        boot-mode = "uefi"
        tpm-support = "v2.0"
        ena-support = "true"
        billing-product = ["bp-1"]
        [block-device-mapping."/dev/xvdc".ebs]
        volume-type = "io2"
        volume-size = "30"
        iops = 1000
        delete-on-termination = false
        [block-device-mapping."/dev/xvdb"]
        virtual-name = "ephemeral0"
        [tags]
        Team = "platform"
        """
    )
    assert register_parameters(spec) == {
        "Name": "x",
        "Architecture": "arm64",
        "BootMode": "uefi",
        "TpmSupport": "v2.0",
        "EnaSupport": True,
        "BillingProducts": ["bp-1"],
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvdb", "VirtualName": "ephemeral0"},
            {
                "DeviceName": "/dev/xvdc",
                "Ebs": {"DeleteOnTermination": False, "Iops": 1000, "VolumeSize": 30, "VolumeType": "io2"},
            },
        ],
    }
    assert tags_of(spec) == {"Team": "platform"}


def test_variables() -> None:
    known = {"ami.unique_name": "n", "block_devices.root.volume_size": "2"}
    value = {
        "name": "my-{{ ami.unique_name }}-{{{ami.unique_name}}}",
        "sizes": ["{{block_devices.root.volume_size}}", 3],
    }
    assert render(value, known) == {"name": "my-n-n", "sizes": ["2", 3]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x", "not TOML"),
        ('kernel-id = "x"', "the key “kernel-id” is not known"),
        ('virtualization-type = "paravirtual"', "paravirtual"),
        ("tags = 1", "tags is not a table"),
        ("[tags]\nx = 1", "the tag “x” is not a text"),
        ('ena-support = "maybe"', "neither true nor false"),
        ("[block-device-mappings]\nx = 1", "is not a table"),
        ("[block-device-mappings.x]\ny = 1", "the key “y”"),
        ("[block-device-mappings.x.ebs]\ny = 1", "the key “y”"),
        ('[block-device-mappings.x.ebs]\nvolume-size = "big"', "is not a number"),
        ("[block-device-mappings.x.ebs]\nvolume-size = true", "is not a number"),
        ('name = "{{ ami.who }}"', "the variable “ami.who”"),
        ('name = "{{#if ami.arch}}x{{/if}}"', "more than a variable"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        spec = render(parse_amispec(text), {"ami.arch": "x86_64"})
        register_parameters(spec)
        tags_of(spec)
    assert words in str(caught.value)
    assert "amispec.toml" in caught.value.what
