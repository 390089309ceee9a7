"""What must be there after publishing, held against all that the emulator has; what is amiss is told in sentences."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from brqos import __version__
from publishing.scene import ARCH, DAYS, NAME, PREFIX, SHARED_WITH, VARIANT, VERSION, Scene

State = Mapping[str, Any]
_DEVICES = {"/dev/xvda": ("os", 1), "/dev/xvdb": ("data", 21)}
_ATTRIBUTES = {
    "name": NAME,
    "description": f"Bottlerocket {VERSION} {VARIANT}, by brqos",
    "architecture": ARCH,
    "rootDeviceName": "/dev/xvda",
    "virtualizationType": "hvm",
    "sriovNetSupport": "simple",
    "imdsSupport": "v2.0",
    "enaSupport": True,
    "uefiData": None,
}
_COMMON = {
    "Name": NAME,
    "brqos:tool": "brqos",
    "brqos:version": __version__,
    "brqos:variant": VARIANT,
    "brqos:arch": ARCH,
    "brqos:image-version": VERSION,
}
_FOLDER = f"{PREFIX}/{VARIANT}/{ARCH}"


def amiss(state: State, scene: Scene) -> list[str]:
    """All that is not as it has to be once publishing has succeeded, orphans included; empty if all is well."""
    found = [problem for region in scene.regions for problem in amiss_in(state, scene, region)]
    others = {item["region"] for item in things(state)} - set(scene.regions)
    return [
        *found,
        *(f"something is in {region}, which was not asked for" for region in sorted(others)),
        *orphans(state),
    ]


def amiss_in(state: State, scene: Scene, region: str) -> list[str]:
    """All that is wrong or missing in one region, orphans aside."""
    images = {key: image for key, image in state["images"].items() if image["region"] == region}
    if len(images) != 1:
        return [f"{region}: there are {len(images)} AMIs, not one: {', '.join(images)}"]
    ((image_id, image),) = images.items()
    problems = [
        *_content_problems(state, scene, image),
        *_tag_problems(state, scene, image),
        *_image_problems(image, scene),
        *_parameter_problems(state, region, image_id),
    ]
    return [f"{region}: {image_id}: {problem}" for problem in problems]


def wrong_content(state: State, scene: Scene) -> list[str]:
    """What must not be at any time: an AMI of another content, or a parameter that leads to what cannot be used."""
    found = [
        f"{image['region']}: {image_id}: {problem}"
        for image_id, image in state["images"].items()
        for problem in _content_problems(state, scene, image)
        if image["state"] == "available"
    ]
    for item in state["parameters"]:
        if item["name"].endswith("/image_id"):
            image = state["images"].get(item["value"], {})
            if (image.get("state"), image.get("region")) != ("available", item["region"]):
                found.append(f"{item['region']}: {item['name']} names {item['value']}, which cannot be used")
    return found


def orphans(state: State) -> list[str]:
    """Snapshots, finished or not, that no AMI holds."""
    held = {snapshot for image in state["images"].values() for snapshot in image["snapshots"]}
    return [
        f"{item['region']}: {snapshot} is an orphan ({item['state']}, {'' if item['sealed'] else 'not '}sealed,"
        f" {item['block_count']} blocks, {item['tags'].get('brqos:image-role', 'no role')})"
        for snapshot, item in state["snapshots"].items()
        if snapshot not in held
    ]


def things(state: State) -> Iterator[Mapping[str, Any]]:
    """Images, snapshots and parameters."""
    yield from state["images"].values()
    yield from state["snapshots"].values()
    yield from state["parameters"]


def _content_problems(state: State, scene: Scene, image: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the volumes of an AMI, down to each block."""
    mappings = {mapping["deviceName"]: mapping["ebs"] for mapping in image["mappings"]}
    yield from _unequal("volumes", sorted(mappings), sorted(_DEVICES))
    for device, (role, size) in _DEVICES.items():
        volume = mappings.get(device, {})
        yield from _unequal(f"size of {device}", volume.get("volumeSize"), size)
        yield from _unequal(f"type of {device}", volume.get("volumeType"), "gp3")
        snapshot = state["snapshots"].get(volume.get("snapshotId"))
        if snapshot is None:
            yield f"the snapshot {volume.get('snapshotId')} of {device} is not there"
            continue
        for problem in _snapshot_problems(snapshot, scene, role, image["region"]):
            yield f"{role} snapshot {volume['snapshotId']}: {problem}"


def _snapshot_problems(snapshot: Mapping[str, Any], scene: Scene, role: str, region: str) -> Iterator[str]:
    yield from _unequal("region", snapshot["region"], region)
    yield from _unequal("state", snapshot["state"], "completed")
    yield from _unequal("size", snapshot["volume_gib"], 1)
    yield from _unequal("KMS key", snapshot["kms_key"], scene.key(region))
    there, wanted = snapshot["blocks"], scene.digests(role)
    unlike = [index for index in wanted if there.get(index) != wanted[index]]
    if unlike or len(there) != len(wanted):
        yield f"{len(there)} blocks, not {len(wanted)}; wrong or missing: {', '.join(unlike[:5]) or 'none'}"


def _image_problems(image: Mapping[str, Any], scene: Scene) -> Iterator[str]:
    yield from _unequal("state", image["state"], "available")
    for name, value in _ATTRIBUTES.items():
        yield from _unequal(name, image["attributes"].get(name), value)
    yield from _unequal("launch permissions", image["permissions"], [{"UserId": SHARED_WITH}])
    yield from _unequal("protection", image["protection"], "enabled-without-cooldown")
    # EC2 takes whole minutes.
    yield from _unequal("deprecation", image["deprecated_at"], (image["created_at"] + DAYS * 86400) // 60 * 60)
    tags = {f"brqos:image-sha256-{role}": picture.sha256 for role, picture in scene.images.items()}
    yield from _unequal("tags", image["tags"], {**_COMMON, **tags, **_key_tag(scene, image["region"])})


def _tag_problems(state: State, scene: Scene, image: Mapping[str, Any]) -> Iterator[str]:
    """Snapshots whose tags do not tell what they hold: the next run and prune would not know them."""
    for mapping in image["mappings"]:
        role, _ = _DEVICES[mapping["deviceName"]]
        snapshot_id = mapping["ebs"]["snapshotId"]
        tags = state["snapshots"].get(snapshot_id, {}).get("tags")
        yield from _unequal(f"tags of {snapshot_id}", tags, _tags(scene, image, role))


def _tags(scene: Scene, image: Mapping[str, Any], role: str) -> dict[str, str]:
    zeros = "omitted" if scene.omitting else "sent"
    own = {"brqos:image-role": role, "brqos:image-sha256": scene.images[role].sha256, "brqos:zero-blocks": zeros}
    return {**_COMMON, **own, **_key_tag(scene, image["region"])}


def _key_tag(scene: Scene, region: str) -> dict[str, str]:
    key = scene.key(region)
    return {"brqos:kms-key": key} if key else {}


def _parameter_problems(state: State, region: str, image_id: str) -> Iterator[str]:
    there = {item["name"]: item for item in state["parameters"] if item["region"] == region}
    wanted = {
        f"{_FOLDER}/{version}/{name}": value
        for version in (VERSION, "latest")
        for name, value in (("image_id", image_id), ("image_version", VERSION))
    }
    yield from _unequal("parameters", {name: item["value"] for name, item in there.items()}, wanted)
    for name, item in there.items():
        yield from _unequal(f"data type of {name}", item["data_type"], "aws:ec2:image" if "_id" in name else "text")
        yield from _unequal(f"owner of {name}", item["tags"].get("brqos:tool"), "brqos")


def _unequal(what: str, found: object, wanted: object) -> Sequence[str]:
    if found == wanted:
        return ()
    if isinstance(found, dict) and isinstance(wanted, dict):
        odd = {key: (found.get(key), wanted.get(key)) for key in {*found, *wanted} if found.get(key) != wanted.get(key)}
        return [f"{what}: {key} is {is_}, not {should}" for key, (is_, should) in sorted(odd.items())]
    return [f"{what}: {found}, not {wanted}"]


def fingerprint(state: State) -> str:
    """Equal for equal states: nothing may have changed in between."""
    seen = {key: state[key] for key in ("images", "snapshots", "parameters")}
    return hashlib.sha256(repr(seen).encode()).hexdigest()
