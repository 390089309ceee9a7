"""From the flags about the image to requests: an AMI that is described, the official one, or those of builds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brqos.cli.node_flags import nodegroup_spec
from brqos.cli.spec import kubelet_flags, resolved
from brqos.errors import UsageError

if TYPE_CHECKING:
    from brqos.nodes.request import NodegroupRequest, NodeImage

_EXAMPLE = "--arch x86_64 --variant aws-k8s-1.29"


def requests_of(parameters: Mapping[str, Any], config: Path | None) -> "tuple[NodegroupRequest, ...]":
    """The requests that a command's options mean, one for each image; raises UsageError, ConfigurationError."""
    amis = _words(parameters, "ami")
    if parameters["official"]:
        _refuse_beside("--official", parameters, ("ami", "build", "record"))
        return _of_official(parameters, config)
    check_factor(parameters)
    if amis:
        _refuse_beside("--ami", parameters, ("build", "record"))
        return _of_amis(amis, parameters, config)
    if _words(parameters, "arch") or _words(parameters, "variant"):
        raise UsageError(
            "--arch and --variant need --ami or --official",
            why="They tell what is in an AMI; a build knows that of its own.",
            todo="Add one of the two, or leave them out.",
        )
    return _of_builds(parameters, config)


def check_factor(parameters: Mapping[str, Any]) -> None:
    """Refuse --factor and --policy for an image of ours, which has both in it; raises UsageError."""
    for name in ("factor", "policy"):
        if parameters[name] is not None:
            raise UsageError(
                f"--{name} needs --official",
                why="An image made by brqos carries it already; only the official one gets it by settings.",
                todo="Leave it out, or give it to `brqos build`.",
            )


def of_any_release(variant: str | None) -> dict[str, object | None]:
    """The flag for a variant whose nodes are wanted: what release it would be built from does not matter there."""
    from brqos.config.variants import shipped_flavor
    from brqos.variant import VariantName

    if variant is None or shipped_flavor(VariantName.parse(variant)) is not None:
        return {"variant": variant}
    return {"variant": variant, "upstream.ref": "any"}


def _of_builds(parameters: Mapping[str, Any], config: Path | None) -> "tuple[NodegroupRequest, ...]":
    from brqos.pipeline.nodegroup import requests_of_builds
    from brqos.record import find

    named = [find(build, None) for build in _words(parameters, "build")]
    named += [find(None, Path(record)) for record in _words(parameters, "record")]
    builds = named or [find(None, None)]
    recorded = builds[0].record.spec
    spec = nodegroup_spec(parameters, config, variant=recorded.variant, recorded=recorded)
    return requests_of_builds(spec, builds)


def _of_amis(amis: Sequence[str], parameters: Mapping[str, Any], config: Path | None) -> "tuple[NodegroupRequest, ...]":
    from brqos.nodes.several import requests_for

    images = [
        _described(ami, arch, variant)
        for ami, arch, variant in zip(
            amis, _one_each("--arch", "arch", parameters), _one_each("--variant", "variant", parameters), strict=True
        )
    ]
    return requests_for(nodegroup_spec(parameters, config, variant=images[0].variant.base), images)


def _described(ami: str, arch: str, variant: str) -> "NodeImage":
    from brqos.architecture import Architecture
    from brqos.nodes.request import NodeImage
    from brqos.variant import VariantName

    return NodeImage(ami=ami, architecture=Architecture.parse(arch), variant=VariantName.parse(variant))


def _of_official(parameters: Mapping[str, Any], config: Path | None) -> "tuple[NodegroupRequest, ...]":
    from brqos.architecture import Architecture
    from brqos.nodes.official import official_image
    from brqos.nodes.several import requests_for
    from brqos.pipeline.generate import settings_of
    from brqos.variant import VariantName

    variants = [VariantName.parse(word) for word in _words(parameters, "variant")]
    architectures = [Architecture.parse(word) for word in _words(parameters, "arch")]
    if not variants or not architectures:
        raise UsageError(
            "--official needs --arch and --variant too",
            why="Which official AMI is meant, and what its kubelet is told, follows from them.",
            todo="Add for example --arch x86_64 --variant aws-k8s-1.37.",
        )
    kubelet = kubelet_flags(parameters["factor"], parameters["policy"], None, None, None)
    images = [
        official_image(
            architecture,
            variant,
            settings_of(resolved(config, {**of_any_release(variant.base), "arch": architecture.value, **kubelet}).spec),
        )
        for variant in variants
        for architecture in architectures
    ]
    return requests_for(nodegroup_spec(parameters, config, variant=variants[0].base), images)


def _one_each(option: str, name: str, parameters: Mapping[str, Any]) -> list[str]:
    """The words of an option, one for each AMI."""
    amis, words = _words(parameters, "ami"), _words(parameters, name)
    if not words:
        missing = [flag for flag, key in (("--arch", "arch"), ("--variant", "variant")) if not _words(parameters, key)]
        raise UsageError(
            f"--ami needs {' and '.join(missing)} too",
            why="An AMI's id does not tell what is in it, and the nodegroup has to fit.",
            todo=f"Add for example {_EXAMPLE}, or use --build or --record instead of --ami.",
        )
    if len(words) not in {1, len(amis)}:
        raise UsageError(
            f"there {'is 1 AMI' if len(amis) == 1 else f'are {len(amis)} AMIs'}, but {option} is given "
            f"{len(words)} times",
            todo=f"Give {option} once for all of them, or once for each, in their order.",
        )
    return words * len(amis) if len(words) == 1 else words


def _refuse_beside(option: str, parameters: Mapping[str, Any], others: Sequence[str]) -> None:
    beside = [f"--{other}" for other in others if _words(parameters, other)]
    if beside:
        raise UsageError(
            f"{option} does not go together with {' or '.join(f'--{other}' for other in others)}",
            why="Each of them says which AMI is meant.",
            todo="Keep one of them.",
        )


def _words(parameters: Mapping[str, Any], name: str) -> list[str]:
    return list(parameters.get(name) or ())
