"""What many builds from source will be called, before any of them is made.

A build's name follows from the commit of its overlay (pipeline.identity), and that from upstream's tree. So each tree
is read once, each overlay is planned once, whatever number of builds share it, and all commits of a mirror are made by
one call of git. Nothing is written but the cache of mirrors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brqos.config.model import BuildSpec
from brqos.errors import BrqosError
from brqos.image.order import BuildOrder
from brqos.monitor import Monitor
from brqos.overlay.apply import commits_of, patches_of
from brqos.pipeline.generate import Kubelets, Planned, Source, plan_variant, read_source, settings_of
from brqos.pipeline.identity import source_build, source_inputs
from brqos.upstream.mirror import NotMirroredError
from brqos.upstream.worktree import ABBREVIATION

_Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a build will be: `build` is its name and `inputs` the digest that this was made from.

    Both are empty where nothing is to be built (`native`), or where the signing profile is not on this machine.
    """

    release: str
    commit: str = ""
    build: str = ""
    inputs: str = ""
    native: bool = False

    @property
    def image_version(self) -> str:
        """As upstream's build puts it into the image's name."""
        return f"{self.release}-{self.commit[:ABBREVIATION]}"


@dataclass(frozen=True, slots=True)
class Unforeseen:
    """Why it cannot be known without a network."""

    reason: str


Outlook = Foreseen | Unforeseen | BrqosError


def foresee(specs: Sequence[BuildSpec], cache: Path, monitor: Monitor) -> list[Outlook]:
    """For each spec what its build will be, or the error that planning it ends with; in their order."""
    plans = _Plans(cache, monitor)
    planned = [plans.of(spec) for spec in specs]
    commits = plans.commits()
    return [
        one if not isinstance(one, Planned) else _foreseen(spec, one, commits.get(overlay_key(spec), ""))
        for spec, one in zip(specs, planned, strict=True)
    ]


def patches(specs: Sequence[BuildSpec], cache: Path, monitor: Monitor) -> dict[str, str]:
    """The overlays of these builds as patches, by `<variant>-<commit>`; those that cannot be foreseen are left out."""
    plans = _Plans(cache, monitor)
    for spec in specs:
        plans.of(spec)
    by_mirror: dict[Path, list[Planned]] = {}
    for one in plans.planned.values():
        if isinstance(one, Planned) and not one.is_native:
            by_mirror.setdefault(one.mirror.path, []).append(one)
    found: dict[str, str] = {}
    for mirror, planned in by_mirror.items():
        made = patches_of([one.overlay for one in planned], mirror)
        for one, (commit, text) in zip(planned, made, strict=True):
            found[f"{one.overlay.variant.memory_qos}-{commit}"] = text
    return found


def order_of_spec(spec: BuildSpec) -> BuildOrder:
    """The build that a spec asks for, in no work tree in particular; raises ConfigurationError as the build would."""
    build = spec.build
    return BuildOrder(
        work_tree=Path("/"),
        variant=spec.variant_name.memory_qos,
        arch=spec.arch,
        pretty_name=build.pretty_name,
        sbkeys_profile=build.sbkeys_profile,
        make_env=build.make_env,
    )


def overlay_key(spec: BuildSpec) -> _Key:
    """All of a spec that its overlay depends on; two specs with the same key have one overlay."""
    wanted, build = spec.upstream, spec.build
    return (
        *_source_key(spec), spec.variant, spec.kubelet.model_dump_json(), build.delivery, build.bake, wanted.core_kit,
        wanted.core_kit_ref, spec.mirrors.model_dump_json(),
    )  # fmt: skip


def _source_key(spec: BuildSpec) -> _Key:
    wanted, mirrors = spec.upstream, spec.mirrors
    return wanted.repository, mirrors.place_of(wanted.repository), wanted.ref, wanted.offline


@dataclass
class _Plans:
    cache: Path
    monitor: Monitor
    sources: dict[_Key, Source | Unforeseen | BrqosError] = field(default_factory=dict)
    planned: dict[_Key, Planned | Unforeseen | BrqosError] = field(default_factory=dict)
    kubelets: Kubelets = field(default_factory=Kubelets)

    def of(self, spec: BuildSpec) -> Planned | Unforeseen | BrqosError:
        key = overlay_key(spec)
        if key not in self.planned:
            self.planned[key] = self._plan(spec)
        found = self.planned[key]
        if isinstance(found, Planned):
            try:
                # The overlay is the same for all architectures.
                found.tree.require_architecture(spec.variant_name, spec.arch)
            except BrqosError as error:
                return error
        return found

    def commits(self) -> dict[_Key, str]:
        by_mirror: dict[Path, list[tuple[_Key, Planned]]] = {}
        for key, one in self.planned.items():
            if isinstance(one, Planned) and not one.is_native:
                by_mirror.setdefault(one.mirror.path, []).append((key, one))
        found: dict[_Key, str] = {}
        for mirror, plans in by_mirror.items():
            made = commits_of([one.overlay for _, one in plans], mirror)
            found |= {key: commit for (key, _), commit in zip(plans, made, strict=True)}
        return found

    def _plan(self, spec: BuildSpec) -> Planned | Unforeseen | BrqosError:
        try:
            # Wrong wishes are refused before anything is fetched.
            settings_of(spec)
            source = self._source(spec)
            if not isinstance(source, Source):
                return source
            return plan_variant(source, spec, self.cache, self.monitor, kubelets=self.kubelets)
        except NotMirroredError as error:
            return Unforeseen(error.what)
        except BrqosError as error:
            return error

    def _source(self, spec: BuildSpec) -> Source | Unforeseen | BrqosError:
        key = _source_key(spec)
        if key not in self.sources:
            try:
                self.sources[key] = read_source(spec, self.cache, self.monitor)
            except NotMirroredError as error:
                self.sources[key] = Unforeseen(error.what)
            except BrqosError as error:
                # Asked again for the next build, it would be waited for again.
                self.sources[key] = error
        return self.sources[key]


def _foreseen(spec: BuildSpec, planned: Planned, commit: str) -> Foreseen | BrqosError:
    release = planned.tree.release
    if planned.is_native:
        return Foreseen(release, native=True)
    try:
        order = order_of_spec(spec)
        inputs = source_inputs(order, commit, rehearsal=False)
    except BrqosError as error:
        return error
    except OSError:
        return Foreseen(release, commit)
    return Foreseen(release, commit, source_build(order, release, inputs, rehearsal=False), inputs)
