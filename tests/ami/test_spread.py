import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.ami.spread import partition_of, sources
from brqos.ami.wishes import check_confirmed, check_wishes
from brqos.config.ami import AmiSpec
from brqos.errors import BrqosError, ConfigurationError, UsageError

KEY = "arn:aws:kms:{0}:123456789012:key/12345678-1234-1234-1234-123456789012"
REGIONS = ("eu-west-1", "us-east-1", "eu-north-1")


def key(region: str) -> str:
    return KEY.format(region)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"eu-west-1": None, "us-east-1": "eu-west-1", "eu-north-1": "eu-west-1"}),
        ({"direct_upload": True}, dict.fromkeys(REGIONS)),
        # A copy of what is encrypted is encrypted: a plain one has to be uploaded.
        ({"kms_keys": {"eu-west-1": key("eu-west-1")}}, dict.fromkeys(REGIONS)),
        (
            {"kms_keys": {region: key(region) for region in ("eu-west-1", "us-east-1")}},
            {"eu-west-1": None, "us-east-1": "eu-west-1", "eu-north-1": None},
        ),
        (
            {"kms_keys": {"us-east-1": key("us-east-1")}},
            {"eu-west-1": None, "us-east-1": "eu-west-1", "eu-north-1": "eu-west-1"},
        ),
        # Another identity may be another account, which a copy does not reach.
        (
            {"region_profiles": {"us-east-1": "other"}},
            {"eu-west-1": None, "us-east-1": None, "eu-north-1": "eu-west-1"},
        ),
        (
            {"region_roles": {"eu-north-1": "arn:aws:iam::123456789012:role/x"}},
            {"eu-west-1": None, "us-east-1": "eu-west-1", "eu-north-1": None},
        ),
    ],
)
def test_sources(fields: dict[str, object], expected: dict[str, str | None]) -> None:
    assert sources(AmiSpec.model_validate({"regions": REGIONS, **fields})) == expected


def test_partitions_do_not_copy_from_each_other() -> None:
    regions = ("us-east-1", "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-west-2")
    assert sources(AmiSpec(regions=regions)) == {
        "us-east-1": None,
        "cn-north-1": None,
        "cn-northwest-1": "cn-north-1",
        "us-gov-west-1": None,
        "us-west-2": "us-east-1",
    }
    assert [partition_of(region) for region in regions] == ["aws", "aws-cn", "aws-cn", "aws-us-gov", "aws"]


@given(
    regions=st.lists(st.sampled_from([*REGIONS, "cn-north-1", "us-gov-west-1"]), min_size=1, max_size=6),
    encrypted=st.sets(st.sampled_from(REGIONS)),
    direct=st.booleans(),
)
def test_every_region_has_a_way(regions: list[str], encrypted: set[str], direct: bool) -> None:
    keys = {region: key(region) for region in encrypted}
    found = sources(AmiSpec(regions=tuple(regions), kms_keys=keys, direct_upload=direct))
    assert list(found) == list(dict.fromkeys(regions))
    for region, source in found.items():
        if source is not None:
            assert not direct
            assert found[source] is None, "what is copied was uploaded"
            assert partition_of(source) == partition_of(region)
            assert source not in keys or region in keys, "nothing is decrypted by copying"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kms_keys": {"sa-east-1": key("sa-east-1")}}, "--kms-key names sa-east-1"),
        ({"kms_keys": {"eu-west-1": key("us-east-1")}}, "the KMS key for eu-west-1 is one of us-east-1"),
        ({"region_profiles": {"sa-east-1": "x"}}, "--profile names sa-east-1"),
        ({"regions": ("eu-west-1", "cn-north-1")}, "are in different partitions"),
        ({"public": True, "kms_keys": {"eu-west-1": key("eu-west-1")}}, "cannot be public"),
        ({"share_snapshots": True}, "--share-snapshots needs accounts"),
        ({"promote": True}, "--promote needs the SSM parameters"),
        ({"ssm_prefix": "/aws/service"}, "begins with a word that is taken"),
    ],
)
def test_wishes_that_cannot_be(fields: dict[str, object], words: str) -> None:
    spec = AmiSpec.model_validate({"regions": REGIONS, **fields})
    with pytest.raises(ConfigurationError, match=words) as caught:
        check_wishes(spec)
    assert caught.value.todo


def test_wishes_that_can_be() -> None:
    check_wishes(AmiSpec())
    check_wishes(
        AmiSpec(
            regions=("eu-west-1", "cn-north-1"),
            region_profiles={"cn-north-1": "china"},
            kms_keys={"eu-west-1": key("eu-west-1")},
            share_accounts=("123456789012",),
            share_snapshots=True,
            ssm_prefix="/images",
            promote=True,
        )
    )


def test_public_has_to_be_meant() -> None:
    def refused(spec: AmiSpec, *, confirmed: bool) -> BrqosError | None:
        try:
            check_confirmed(spec, confirmed=confirmed)
        except UsageError as error:
            return error
        return None

    assert "--confirm-public" in str(refused(AmiSpec(public=True), confirmed=False))
    assert refused(AmiSpec(public=True), confirmed=True) is None
    assert refused(AmiSpec(), confirmed=False) is None
    assert "stands alone" in str(refused(AmiSpec(), confirmed=True))
