"""What there is of a build: from records, from AWS, from both; in doubt it is still needed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brqos.aws.ec2 import DescribedImage
from brqos.config.model import BuildSpec
from brqos.fleet.amis import Amis
from brqos.fleet.known import Standing, State, standing
from brqos.pipeline.foresee import Foreseen, Unforeseen
from brqos.record import StoredBuild
from fleet.builds import ami, entry, foreseen, in_regions, spec, stored

REGIONS = ("eu-west-1", "us-east-1")
PUBLISHED = spec(ami=in_regions(*REGIONS))
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def asked(wanted: BuildSpec = PUBLISHED, **images: DescribedImage) -> Amis:
    """AWS was asked in all regions; `images` by region, with underscores."""
    found: dict[str, dict[str, list[DescribedImage]]] = {region: {} for region in wanted.ami.regions}
    for region, image in images.items():
        found[region.replace("_", "-")] = {image.tags["brqos:build"]: [image]}
    return Amis({(None, None, region): builds for region, builds in found.items()})


def told(
    wanted: BuildSpec = PUBLISHED, *records: StoredBuild, amis: Amis | None = None, outlook: Any = None
) -> Standing:
    return standing(entry(wanted), outlook or foreseen(wanted), records, amis or Amis(), release="?")


def test_nothing_is_known_of_it() -> None:
    one = told()
    assert (one.state, one.missing, one.is_done, one.release) == (State.OPEN, REGIONS, False, "1.50.0")
    assert told(amis=asked()).state is State.OPEN
    assert told(spec()).state is State.OPEN


def test_an_image_without_regions_is_done_while_it_lies_there(tmp_path: Path) -> None:
    build = stored(tmp_path, spec())
    assert told(spec(), build).state is State.BUILT
    assert told(spec(), build).is_done
    (tmp_path / "images" / "os.img").unlink()
    assert not told(spec(), build).is_done


def test_an_image_with_regions_is_not_done(tmp_path: Path) -> None:
    one = told(PUBLISHED, stored(tmp_path, PUBLISHED))
    assert (one.state, one.missing, one.is_done) == (State.BUILT, REGIONS, False)


def test_a_record_is_believed_where_aws_is_not_asked(tmp_path: Path) -> None:
    whole = stored(tmp_path / "a", PUBLISHED, amis=dict.fromkeys(REGIONS, "ami-1"))
    assert told(PUBLISHED, whole).state is State.PUBLISHED
    half = stored(tmp_path / "b", PUBLISHED, amis={"eu-west-1": "ami-1"})
    assert (told(PUBLISHED, half).state, told(PUBLISHED, half).missing) == (State.PARTLY, ("us-east-1",))
    other = stored(tmp_path / "c", PUBLISHED, amis={"us-east-1": "ami-2"})
    assert told(PUBLISHED, half, other).state is State.PUBLISHED, "two machines may have done one region each"


def test_a_record_of_unfinished_or_other_wishes_is_not_enough(tmp_path: Path) -> None:
    unfinished = stored(tmp_path, PUBLISHED, amis=dict.fromkeys(REGIONS, "ami-1"), done=False)
    assert told(PUBLISHED, unfinished).state is State.BUILT
    shared = spec(ami=in_regions(*REGIONS, share_accounts=("111122223333",)))
    whole = stored(tmp_path, PUBLISHED, amis=dict.fromkeys(REGIONS, "ami-1"))
    assert told(shared, whole).missing == REGIONS
    both = asked(eu_west_1=ami(PUBLISHED), us_east_1=ami(PUBLISHED))
    assert told(shared, whole, amis=both).missing == REGIONS, "this AMI is known not to be shared"


def test_aws_alone_tells_it_too() -> None:
    both = asked(eu_west_1=ami(PUBLISHED), us_east_1=ami(PUBLISHED))
    assert told(amis=both).state is State.PUBLISHED
    one = told(amis=asked(us_east_1=ami(PUBLISHED)))
    assert (one.state, one.missing) == (State.PARTLY, ("eu-west-1",))


def test_what_a_record_says_and_aws_has_no_more_is_needed(tmp_path: Path) -> None:
    whole = stored(tmp_path, PUBLISHED, amis=dict.fromkeys(REGIONS, "ami-1"))
    assert told(PUBLISHED, whole, amis=asked()).missing == REGIONS
    assert told(PUBLISHED, whole, amis=asked(eu_west_1=ami(PUBLISHED))).missing == ("us-east-1",)


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "pending"},
        {"state": "failed"},
        {"state": "disabled"},
        {"name": "another"},
        *({"tags": {key: "another"}} for key in ("variant", "arch", "image-version", "tool", "kms-key")),
    ],
)
def test_an_ami_that_is_not_just_this_one_does_not_count(changed: dict[str, Any]) -> None:
    image = ami(PUBLISHED)
    tags = {f"brqos:{key}": value for key, value in changed.pop("tags", {}).items()}
    other = replace(image, **changed, tags={**image.tags, **tags})
    assert told(amis=asked(eu_west_1=other, us_east_1=image)).missing == ("eu-west-1",)


@pytest.mark.parametrize(
    ("wish", "has"),
    [
        ({"public": True}, {"public": True}),
        ({"protect": True}, {"protection": "enabled-without-cooldown"}),
        ({"deprecate_after": "90d"}, {"deprecated_at": "2027-01-01"}),
        ({"name": "mine"}, {"name": "mine"}),
        ({"kms_keys": {"eu-west-1": KEY}}, {}),
    ],
)
def test_wishes_that_an_ami_shows(wish: dict[str, Any], has: dict[str, Any]) -> None:
    wanted = spec(ami=in_regions("eu-west-1", **wish))
    plain = ami(wanted)
    good = replace(plain, **has)
    if "kms_keys" in wish:
        good = replace(plain, tags={**plain.tags, "brqos:kms-key": KEY})
    assert told(wanted, amis=asked(wanted, eu_west_1=plain)).state is State.OPEN
    assert told(wanted, amis=asked(wanted, eu_west_1=good)).state is State.PUBLISHED


def test_without_the_tree_amis_are_known_by_a_record(tmp_path: Path) -> None:
    both = asked(eu_west_1=ami(PUBLISHED), us_east_1=ami(PUBLISHED))
    unknown = Unforeseen("no mirror")
    assert told(amis=both, outlook=unknown).state is State.OPEN
    assert told(amis=both, outlook=unknown).release == "?"
    assert told(PUBLISHED, stored(tmp_path, PUBLISHED), amis=both, outlook=unknown).state is State.PUBLISHED


def test_nothing_is_to_be_built_where_the_official_image_does_it() -> None:
    one = told(outlook=Foreseen("1.66.0", native=True))
    assert (one.state, one.is_done, one.missing) == (State.NATIVE, True, ())
