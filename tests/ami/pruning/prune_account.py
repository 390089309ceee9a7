"""An account in memory for the tests of pruning: its AMIs, snapshots and parameters, and all clients that are asked."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from brqos.aws.ec2 import DescribedImage, DescribedSnapshot
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.image_attributes import Grants
from brqos.aws.session import AwsSession
from brqos.aws.usage import ImageInstance, ParameterName

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
VARIANT = "aws-k8s-1.29-memoryqos"
REGION = "eu-west-1"
FOLDER = f"/our/{VARIANT}/x86_64/1.50.0-0123abcd"


def tags(variant: str = VARIANT, arch: str = "x86_64", version: str = "1.50.0-0123abcd") -> dict[str, str]:
    return {
        "brqos:tool": "brqos",
        "brqos:variant": variant,
        "brqos:arch": arch,
        "brqos:image-version": version,
        "Name": "a name",
    }


def image(number: int, *snapshots: str, days: float | None = None, **fields: Any) -> DescribedImage:
    """An AMI that is `days` old, else as many as its number."""
    values: dict[str, Any] = {
        "id": f"ami-{number:017x}",
        "name": f"image {number}",
        "state": "available",
        "reason": "",
        "tags": tags(),
        "attributes": {},
        "mappings": {f"/dev/xvd{n}": {"SnapshotId": name, "VolumeSize": 11} for n, name in enumerate(snapshots)},
        "created": NOW - timedelta(days=number if days is None else days),
        **fields,
    }
    return DescribedImage(**values)


def snapshot(name: str, days: float = 30, **fields: Any) -> DescribedSnapshot:
    values: dict[str, Any] = {
        "id": name,
        "state": "completed",
        "message": "",
        "volume_gib": 2,
        "encrypted": False,
        "tags": tags(),
        "started": NOW - timedelta(days=days),
        **fields,
    }
    return DescribedSnapshot(**values)


def ami(number: int) -> str:
    return f"ami-{number:017x}"


def refusal(operation: str, kind: ErrorKind, code: str = "") -> AwsCallError:
    return AwsCallError(f"AWS refused {operation}", kind=kind, code=code)


class Account:
    """One region of an account, and all the clients that are asked of it."""

    def __init__(self, *things: DescribedImage | DescribedSnapshot, parameters: dict[str, str] | None = None) -> None:
        self.region = REGION
        self.images = {thing.id: thing for thing in things if isinstance(thing, DescribedImage)}
        self.snapshots = {thing.id: thing for thing in things if isinstance(thing, DescribedSnapshot)}
        self.values = parameters or {}
        self.parameter_tags: dict[str, dict[str, str]] = {}
        self.instances_: list[ImageInstance] = []
        self.shared: dict[str, Grants] = {}
        self.calls: list[str] = []
        self.errors: dict[str, list[AwsCallError]] = {}
        self.cooling: set[str] = set()

    def fail(self, call: str, *errors: ErrorKind) -> None:
        """The next calls of this kind (`DeleteSnapshot`), or of this kind for this thing, end so."""
        self.errors.setdefault(call, []).extend(refusal(call, kind) for kind in errors)

    def _called(self, operation: str, thing: str = "") -> None:
        self.calls.append(f"{operation} {thing}".strip())
        for name in (operation, f"{operation} {thing}"):
            if self.errors.get(name):
                raise self.errors[name].pop(0)

    @property
    def changes(self) -> list[str]:
        return [call for call in self.calls if call.startswith(("De", "Un")) and not call.startswith("Describe")]

    # EC2
    def own_images(self) -> list[DescribedImage]:
        self._called("DescribeImages")
        return list(self.images.values())

    def own_snapshots(self, _tags: object) -> list[DescribedSnapshot]:
        self._called("DescribeSnapshots")
        return list(self.snapshots.values())

    def image(self, image_id: str) -> DescribedImage | None:
        self._called("DescribeImage", image_id)
        if image_id not in self.images:
            raise refusal("DescribeImages", ErrorKind.NOT_FOUND)
        return self.images[image_id]

    def deregister_image(self, image_id: str) -> None:
        self._called("Deregister", image_id)
        if image_id not in self.images:
            raise refusal("DeregisterImage", ErrorKind.NOT_FOUND)
        if self.images[image_id].protection != "disabled" or image_id in self.cooling:
            raise refusal("DeregisterImage", ErrorKind.OTHER, "OperationNotPermitted")
        del self.images[image_id]

    def delete_snapshot(self, snapshot_id: str) -> None:
        self._called("Delete", snapshot_id)
        if snapshot_id not in self.snapshots:
            raise refusal("DeleteSnapshot", ErrorKind.NOT_FOUND)
        held = [mapping.get("SnapshotId") for each in self.images.values() for mapping in each.mappings.values()]
        if snapshot_id in held:
            raise refusal("DeleteSnapshot", ErrorKind.IN_USE)
        del self.snapshots[snapshot_id]

    def unprotect(self, image_id: str) -> None:
        self._called("Unprotect", image_id)
        if self.images[image_id].protection == "enabled-with-cooldown":
            self.cooling.add(image_id)
        self.images[image_id] = replace(self.images[image_id], protection="disabled")

    def launch_permissions(self, image_id: str) -> Grants:
        self._called("DescribeImageAttribute", image_id)
        return self.shared.get(image_id, Grants())

    # Usage
    def instances(self, images: list[str]) -> Iterator[ImageInstance]:
        self._called("DescribeInstances")
        yield from [each for each in self.instances_ if each.image in images]

    def parameters(self, wanted: dict[str, str] | None = None) -> Iterator[ParameterName]:
        self._called("DescribeParameters", (wanted or {}).get("brqos:image-version", ""))
        for name in list(self.values):
            found = self.parameter_tags.get(name, tags())
            if all(found.get(key) == value for key, value in (wanted or {}).items()):
                yield ParameterName(name, "String", NOW.replace(year=2025))

    def parameter_values(self, names: list[str]) -> Iterator[tuple[str, str]]:
        return iter([(name, self.values[name]) for name in names if name in self.values])

    def delete_parameter(self, name: str) -> None:
        self._called("DeleteParameter", name)
        if self.values.pop(name, None) is None:
            raise refusal("DeleteParameter", ErrorKind.NOT_FOUND)

    def knows_recipes(self) -> bool:
        return True

    def recipes(self, _images: object) -> Iterator[Any]:
        return iter(())

    groups = launch_templates = launch_configurations = lambda self: iter(())


class Session:
    """Accounts by region; all of them belong to one identity."""

    def __init__(self, **accounts: Account) -> None:
        self.accounts = {name.replace("_", "-"): account for name, account in accounts.items()}

    def _of(self, region: str) -> Account:
        return self.accounts[region]

    ec2 = usage = image_attributes = _of


def session_of(*accounts: Account) -> AwsSession:
    names = ("eu_west_1", "us_east_1", "ap_southeast_1")
    return cast("AwsSession", Session(**dict(zip(names, accounts, strict=False))))


def typical(**fields: Any) -> Account:
    """Two AMIs of two snapshots, the older one with parameters, and an orphan."""
    things = [image(n, f"snap-os{n}", f"snap-data{n}", **fields) for n in (1, 2)]
    snapshots = [snapshot(f"snap-{role}{n}") for n in (1, 2) for role in ("os", "data")]
    parameters = {f"{FOLDER}/image_id": ami(2), f"{FOLDER}/image_version": "1.50.0-0123abcd"}
    return Account(*things, *snapshots, snapshot("snap-orphan"), parameters=parameters)
