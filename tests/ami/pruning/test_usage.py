"""Whether something is in use: what each of AWS's answers means, and what a refusal of each leaves unknown."""

import threading
from collections.abc import Collection, Iterator
from typing import Any, cast

import pytest

from brqos.ami.pruning.model import OwnParameter, UsageReport
from brqos.ami.pruning.usage import usage_of
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import StoppedError
from brqos.aws.usage import (
    ImageInstance,
    ImageReference,
    LaunchConfiguration,
    LaunchTemplate,
    ParameterName,
    ScalingGroup,
    TemplateChoice,
    TemplateVersion,
    Usage,
)

from .prune_account import VARIANT, ami, image, tags

IMAGES = [image(1), image(2)]
ONE, TWO = ami(1), ami(2)
OWN = f"/our/{VARIANT}/x86_64/1.50.0-0123abcd/image_id"


class Account:
    """What `Usage` would tell of an account; `refuse` makes one of its methods fail."""

    def __init__(self) -> None:
        self.found: dict[str, list[Any]] = {}
        self.versions: list[TemplateVersion] = []
        self.values: dict[str, str] = {}
        self.types: dict[str, str] = {}
        self.errors: dict[str, ErrorKind] = {}
        self.asked: list[str] = []
        self.knows = True

    def refuse(self, method: str, kind: ErrorKind = ErrorKind.ACCESS_DENIED) -> None:
        self.errors[method] = kind

    def _tell(self, method: str, items: list[Any]) -> Iterator[Any]:
        self.asked.append(method)
        if method in self.errors:
            raise AwsCallError(f"AWS refused {method}", kind=self.errors[method])
        yield from items

    def instances(self, images: list[str]) -> Iterator[ImageInstance]:
        return self._tell("instances", [item for item in self.found.get("instances", []) if item.image in images])

    def template_versions(self, template: str) -> Iterator[TemplateVersion]:
        return self._tell("template_versions", [item for item in self.versions if item.template == template])

    def parameters(self) -> Iterator[ParameterName]:
        return self._tell(
            "parameters", [ParameterName(name, self.types.get(name, "String"), None) for name in self.values]
        )

    def parameter_values(self, names: list[str]) -> Iterator[tuple[str, str]]:
        known = [(name, self.values[name]) for name in names if name in self.values]
        return self._tell(f"values {','.join(names)}" if "values" not in self.errors else "values", known)

    def recipes(self, images: list[str]) -> Iterator[ImageReference]:
        return self._tell("recipes", self.found.get("recipes", []))

    def knows_recipes(self) -> bool:
        return self.knows

    def __getattr__(self, method: str) -> Any:
        return lambda: self._tell(method, self.found.get(method, []))

    def report(self, snapshots: Collection[str] = (), images: Any = IMAGES, **options: Any) -> UsageReport:
        return usage_of(cast("Usage", self), images, snapshots, **options)


@pytest.fixture
def account() -> Account:
    return Account()


def test_nothing(account: Account) -> None:
    report = account.report({"snap-1"})
    assert report == UsageReport(asked=frozenset({ONE, TWO, "snap-1"}))
    account.asked.clear()
    assert account.report(images=()) == UsageReport()
    assert account.asked == []


def test_instances(account: Account) -> None:
    account.found["instances"] = [ImageInstance("i-1", ONE, "stopped"), ImageInstance("i-2", ami(7), "running")]
    assert account.report().uses == {ONE: ("instance i-1 (stopped)",)}


def template(account: Account, *versions: str, snapshots: tuple[str, ...] = ()) -> None:
    account.found["launch_templates"] = [LaunchTemplate("lt-1", "nodes", 1, len(versions))]
    account.versions = [TemplateVersion("lt-1", n, image, snapshots) for n, image in enumerate(versions, start=1)]


def test_every_version_of_a_template_counts(account: Account) -> None:
    template(account, ONE, TWO, ami(7), snapshots=("snap-1", "snap-9"))
    assert account.report({"snap-1"}).uses == {
        ONE: ("launch template nodes (version 1)",),
        TWO: ("launch template nodes (version 2)",),
        "snap-1": tuple(f"launch template nodes (version {n})" for n in (1, 2, 3)),
    }


@pytest.mark.parametrize(
    ("choice", "version"),
    [
        (TemplateChoice("lt-1", "2"), 2),
        (TemplateChoice("nodes", "$Default"), 1),
        (TemplateChoice("lt-1", "$Latest"), 2),
        (TemplateChoice("lt-9", "1"), 0),
    ],
)
def test_the_group_behind_a_version_is_named(account: Account, choice: TemplateChoice, version: int) -> None:
    template(account, ONE, TWO)
    account.found["groups"] = [ScalingGroup("workers", (choice,), ())]
    uses = account.report().uses
    named = [n for n, used in ((1, ONE), (2, TWO)) if uses[used][0].endswith(" of Auto Scaling group workers")]
    assert named == ([version] if version else [])


def test_images_that_a_group_names_itself(account: Account) -> None:
    account.found["groups"] = [ScalingGroup("workers", (), (ONE, ami(7)))]
    account.found["launch_configurations"] = [LaunchConfiguration("old", TWO, ("snap-1",))]
    assert account.report({"snap-1"}).uses == {
        ONE: ("Auto Scaling group workers",),
        TWO: ("launch configuration old",),
        "snap-1": ("launch configuration old",),
    }


@pytest.mark.parametrize(
    ("value", "kind", "uses"),
    [
        (ONE, "String", True),
        (f" {ONE}\n", "String", True),
        (f"{TWO},{ONE}", "StringList", True),
        (f'{{"ami": "{ONE}"}}', "String", True),
        (f"{ONE}0", "String", False),
        ("ami-", "String", False),
        (ONE, "SecureString", False),
    ],
)
def test_parameters(account: Account, value: str, kind: str, uses: bool) -> None:
    account.values = {"/some/where": value}
    account.types = {"/some/where": kind}
    assert (account.report().uses.get(ONE) == ("SSM parameter /some/where",)) is uses


def test_our_own_parameter_of_the_version_keeps_no_ami(account: Account) -> None:
    latest = f"/our/{VARIANT}/x86_64/latest/image_id"
    account.values = {OWN: ONE}
    assert account.report(own_parameters=[OwnParameter(OWN, ONE)]).uses == {}
    # Without our tag somebody else has made it; `latest` is what people use.
    assert account.report().uses == {ONE: (f"SSM parameter {OWN}",)}
    account.values = {latest: ONE}
    assert account.report(own_parameters=[OwnParameter(latest, ONE, tags=tags())]).uses == {
        ONE: (f"SSM parameter {latest}",)
    }


def test_a_further_parameter_of_the_version_keeps_no_ami(account: Account) -> None:
    name = f"/our/{VARIANT}/x86_64/1.50.0-0123abcd/id"
    account.values = {name: ONE}
    assert account.report(own_parameters=[OwnParameter(name, ONE, tags=tags())]).uses == {}
    for given in ({}, tags(version="1.49.0-0123abcd")):
        uses = account.report(own_parameters=[OwnParameter(name, ONE, tags=given)]).uses
        assert uses == {ONE: (f"SSM parameter {name}",)}


def test_a_template_that_resolves_a_parameter(account: Account) -> None:
    template(account, f"resolve:ssm:{OWN}", f"resolve:ssm:{OWN}", "resolve:ssm:/gone", "resolve:ssm:/aws/service/x")
    account.values = {OWN: ONE}
    report = account.report(own_parameters=[OwnParameter(OWN, ONE)])
    assert report.uses == {ONE: ("launch template nodes (version 1)", "launch template nodes (version 2)")}
    assert [asked for asked in account.asked if asked.startswith("values")] == [
        *(f"values {OWN}", f"values {OWN}", "values /gone")
    ]


def test_a_template_with_a_parameter_name_that_is_none(account: Account) -> None:
    template(account, "resolve:ssm:no such name")
    account.refuse("values no such name", ErrorKind.VALIDATION)
    assert account.report().uses == {}


@pytest.mark.parametrize(
    ("method", "permission", "of_snapshots"),
    [
        ("instances", "ec2:DescribeInstances", False),
        ("launch_templates", "ec2:DescribeLaunchTemplates", True),
        ("template_versions", "ec2:DescribeLaunchTemplateVersions", True),
        ("groups", "autoscaling:DescribeAutoScalingGroups", False),
        ("launch_configurations", "autoscaling:DescribeLaunchConfigurations", True),
        ("parameters", "ssm:DescribeParameters", False),
        ("values", "ssm:GetParameters", False),
    ],
)
def test_a_permission_that_is_missing(account: Account, method: str, permission: str, of_snapshots: bool) -> None:
    template(account, ONE, snapshots=("snap-1",))
    account.values = {"/a": ONE}
    account.refuse(method)
    report = account.report({"snap-1"})
    assert report.unknown_of_images == (permission,)
    assert report.unknown_of_snapshots == ((permission,) if of_snapshots else ())
    account.refuse(method, ErrorKind.THROTTLED)
    with pytest.raises(AwsCallError, match=method):
        account.report({"snap-1"})


def test_a_parameter_that_may_not_be_resolved(account: Account) -> None:
    foreign = "arn:aws:ssm:eu-west-1:222222222222:parameter/shared"
    template(account, f"resolve:ssm:{foreign}")
    account.refuse(f"values {foreign}")
    assert account.report().unknown_of_images == ("ssm:GetParameters",)


def test_recipes(account: Account) -> None:
    arn = "arn:aws:imagebuilder:eu-west-1:111111111111:image-recipe/ours/1.0.0"
    account.found["recipes"] = [ImageReference(ONE, "imagebuilder:ImageRecipe", arn)]
    assert account.report().uses == {ONE: (arn,)}
    account.refuse("recipes")
    report = account.report()
    assert (report.uses, report.unknown_of_images) == ({}, ())
    assert report.warnings == ("Image Builder's recipes were not looked at: AWS refused recipes",)
    account.refuse("recipes", ErrorKind.EXPIRED)
    with pytest.raises(AwsCallError):
        account.report()
    account.knows = False
    assert "too old for DescribeImageReferences" in account.report().warnings[0]


def test_a_stop(account: Account) -> None:
    account.found["instances"] = [ImageInstance("i-1", ONE, "running")]
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        account.report(stop=stop)
