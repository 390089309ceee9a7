"""Builds that would get into each other's way: two that publish the same name, or make the same image. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from brqos.ami.spread import partition_of
from brqos.config.model import BuildSpec, Engine
from brqos.errors import ConfigurationError
from brqos.fleet.expand import Entry
from brqos.pipeline.foresee import Foreseen, Outlook, overlay_key


@dataclass(frozen=True, slots=True)
class _Claim:
    """Something of which there is one; `does` says what the build would do with it."""

    key: tuple[object, ...]
    does: str


def check_clashes(entries: Sequence[Entry], outlooks: Sequence[Outlook | None]) -> None:
    """Raise ConfigurationError for two builds that cannot both be made.

    The same variant and architecture in several files is no clash where anything sets them apart: the content, the
    region, or the account (as far as profile and role tell). `outlooks` are those of the entries, None for the repack
    engine.
    """
    seen: dict[tuple[object, ...], Entry] = {}
    for entry, outlook in zip(entries, outlooks, strict=True):
        if isinstance(outlook, Foreseen) and outlook.native:
            continue
        for claim in _claims(entry.spec, outlook):
            other = seen.setdefault(claim.key, entry)
            if other is not entry:
                raise ConfigurationError(
                    f"two builds would {claim.does}",
                    why=f"{other.title}\n{entry.title}",
                    todo="Take one of them out, or give them other regions, names or profiles.",
                )


def _claims(spec: BuildSpec, outlook: Outlook | None) -> Iterator[_Claim]:
    ami, variant = spec.ami, spec.variant_name.memory_qos
    content = _content(spec, outlook)
    if not ami.regions:
        build = spec.build
        inputs = (build.pretty_name, build.sbkeys_profile, tuple(sorted(build.make_env.items())))
        yield _Claim(("image", variant, spec.arch, content, inputs), f"make the same image of {variant}")
    for region in ami.regions:
        profile = ami.region_profiles.get(region, ami.profile)
        place = (partition_of(region), profile, ami.region_roles.get(region, ami.role), region)
        name: object = ami.name or (variant, spec.arch, content)
        told = ami.name or f"{variant} for {spec.arch}, with the same name"
        yield _Claim(("ami", place, name), f"register an AMI in {region} as {told}")
        if ami.promote and ami.ssm_prefix:
            latest = f"{ami.ssm_prefix}/{variant}/{spec.arch}/latest"
            yield _Claim(("latest", place, latest), f"move {latest} in {region}")


def _content(spec: BuildSpec, outlook: Outlook | None) -> tuple[object, ...]:
    """What the version in an AMI's name follows from: the overlay's commit, or the repacked image's inputs."""
    if spec.build.engine is Engine.REPACK:
        wanted, build = spec.repack, spec.build
        image = wanted.image or wanted.release or (spec.upstream.ref or "").removeprefix("v")
        keys = None if wanted.unsigned else build.sbkeys_profile
        how = (build.delivery, build.bake, build.pretty_name, keys, wanted.switch_updates_off)
        return (Engine.REPACK, image, spec.kubelet.model_dump_json(), *how)
    if isinstance(outlook, Foreseen):
        return (Engine.SOURCE, outlook.release, outlook.commit)
    return (Engine.SOURCE, overlay_key(spec))
