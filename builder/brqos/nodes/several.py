"""Several images in one file: which of the common wishes each one's nodegroup takes."""

from collections.abc import Sequence

from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.nodes.instances import InstanceType
from brqos.nodes.request import NodegroupRequest, NodeImage, request_for


def requests_for(
    spec: NodegroupSpec, images: Sequence[NodeImage], *, regions: Sequence[str | None] = ()
) -> tuple[NodegroupRequest, ...]:
    """A request for each image; `regions` are those of their AMIs, for a spec that names none.

    One image takes the spec as it is. Of several, each takes the instance types that fit it, and a name given for all
    gets an ending that tells them apart. Raises ConfigurationError for a type that fits none of them, for images of
    several regions, and as request_for does.
    """
    places = [*regions, *[None] * (len(images) - len(regions))]
    if len(images) == 1:
        return (request_for(spec, images[0], region=places[0]),)
    shared = _types_of(spec, images)
    requests = tuple(
        request_for(
            spec.model_copy(update={"instance_types": types, "name": _name(spec.name, image)}), image, region=place
        )
        for image, types, place in zip(images, shared, places, strict=True)
    )
    if len(found := {request.region for request in requests}) > 1:
        raise ConfigurationError(
            f"the AMIs are in several regions: {', '.join(sorted(found))}",
            why="A cluster is in one region, and so are the AMIs of its nodes.",
            todo="Say which one with --region.",
        )
    return requests


def _types_of(spec: NodegroupSpec, images: Sequence[NodeImage]) -> list[tuple[str, ...]]:
    shared: list[list[str]] = [[] for _ in images]
    for name in spec.instance_types:
        type_ = InstanceType.parse(name)
        fitting = [number for number, image in enumerate(images) if _fits(type_, image)]
        if not fitting:
            raise ConfigurationError(
                f"no AMI goes with the instance type {name}",
                why=_why_none(type_, images),
                todo="Leave it out, or add an AMI for it.",
            )
        for number in fitting:
            shared[number].append(name)
    return [tuple(types) for types in shared]


def _fits(type_: InstanceType, image: NodeImage) -> bool:
    return type_.architecture is image.architecture and type_.nvidia is image.variant.is_nvidia


def _why_none(type_: InstanceType, images: Sequence[NodeImage]) -> str:
    have = ", ".join(_told(image.architecture.ec2, nvidia=image.variant.is_nvidia) for image in images)
    if type_.architecture is None:
        return f"brqos does not know it, so it cannot tell which of the AMIs ({have}) is meant."
    is_ = _told(type_.architecture.ec2, nvidia=bool(type_.nvidia))
    return f"It is {is_}; the AMIs are for {have}."


def _told(architecture: str, *, nvidia: bool) -> str:
    return f"{architecture} with NVIDIA GPUs" if nvidia else architecture


def _name(name: str | None, image: NodeImage) -> str | None:
    if name is None:
        return None
    return "-".join(part for part in (name, image.variant.flavor, image.architecture.kubernetes) if part)
