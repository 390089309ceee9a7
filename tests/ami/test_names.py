from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.ami.names import ImageName, data_sibling, default_name, parse_image_name
from brqos.architecture import Architecture
from brqos.image.model import ImageRole


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "bottlerocket-aws-k8s-1.29-memoryqos-x86_64-1.50.0-0123abcd.img.lz4",
            ImageName("aws-k8s-1.29-memoryqos", Architecture.X86_64, "1.50.0-0123abcd", ImageRole.OS),
        ),
        (
            "bottlerocket-aws-k8s-1.35-nvidia-fips-aarch64-v1.44.0-0123abcd-dirty-data.img.lz4",
            ImageName("aws-k8s-1.35-nvidia-fips", Architecture.AARCH64, "1.44.0-0123abcd-dirty", ImageRole.DATA),
        ),
        (
            "bottlerocket-aws-dev-x86_64-1.21.0-rc1-0123abcd.img",
            ImageName("aws-dev", Architecture.X86_64, "1.21.0-rc1-0123abcd", ImageRole.OS),
        ),
        ("bottlerocket-aws-k8s-1.29-x86_64-1.50.0.img.lz4", None),
        ("bottlerocket-aws-k8s-1.29-1.50.0-0123abcd.img.lz4", None),
        ("bottlerocket-aws-k8s-1.29-x86_64-1.50.0-0123abcd.ova", None),
        ("my-image.img", None),
    ],
)
def test_names_of_files(name: str, expected: ImageName | None) -> None:
    assert parse_image_name(Path("/some/where") / name) == expected


VARIANTS = st.from_regex(r"\Aaws-k8s-1\.[0-9]{2}(-nvidia)?(-fips)?(-memoryqos)?\Z")
VERSIONS = st.from_regex(r"\A1\.[0-9]{1,2}\.[0-9]-[0-9a-f]{8}\Z")


@given(VARIANTS, st.sampled_from(Architecture), VERSIONS, st.sampled_from(ImageRole), st.booleans())
def test_what_upstream_writes_is_read(
    variant: str, arch: Architecture, version: str, role: ImageRole, packed: bool
) -> None:
    end = ("-data" if role is ImageRole.DATA else "") + ".img" + (".lz4" if packed else "")
    told = parse_image_name(Path(f"bottlerocket-{variant}-{arch.value}-{version}{end}"))
    assert told == ImageName(variant, arch, version, role)


def test_default_name() -> None:
    name = default_name("aws-k8s-1.29-memoryqos", Architecture.AARCH64, "1.50.0-0123abcd")
    assert name == "bottlerocket-aws-k8s-1.29-memoryqos-aarch64-v1.50.0-0123abcd"
    assert default_name("aws-k8s-1.29-memoryqos", Architecture.AARCH64, "v1.50.0-0123abcd") == name


def test_the_data_image_beside(tmp_path: Path) -> None:
    image = tmp_path / "x.img.lz4"
    assert data_sibling(image) is None
    (tmp_path / "x-data.img.lz4").touch()
    assert data_sibling(image) == tmp_path / "x-data.img.lz4"
    assert data_sibling(tmp_path / "x.img") is None
    assert data_sibling(tmp_path / "x.raw") is None
