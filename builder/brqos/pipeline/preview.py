"""What a run would do, each step in words and with its parameters; nothing of it is done."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brqos.ami.calls import calls_of, document_calls
from brqos.ami.plan import plan_amis
from brqos.ami.request import AmiRequest
from brqos.image.model import Image, ImageRole
from brqos.image.sbkeys import read_profile
from brqos.overlay.apply import commit_of
from brqos.pipeline.attest import document_tags
from brqos.pipeline.build import order_of, stages_of
from brqos.pipeline.generate import Planned
from brqos.pipeline.surroundings import Surroundings
from brqos.provenance.documents import PROVENANCE_FILE, SBOM_FILE
from brqos.stages import Stage
from brqos.upstream import cargo_config, override
from brqos.upstream.worktree import ABBREVIATION, work_tree_path

# An image that is not built yet has no hash.
_NO_HASH = "0" * 64
_UNKNOWN = "<SHA-256>"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that would be done; `parameters` are those of a call of AWS's API."""

    stage: Stage
    does: str
    parameters: dict[str, Any] | None = None


def preview(planned: Planned, around: Surroundings) -> list[Step]:
    """All steps of a run, in order; raises ConfigurationError for what would be refused on the way."""
    overlay, spec = planned.overlay, around.spec
    path = work_tree_path(around.cache, planned.tree.commit, overlay.variant.memory_qos)
    commit = commit_of(overlay, planned.mirror.path)
    steps = [Step(Stage.GENERATE, f"check out {planned.tree.label} to {path}")]
    steps += [Step(Stage.GENERATE, f"{file.operation} {file.path}: {file.why}") for file in overlay.files]
    steps.append(Step(Stage.GENERATE, f"commit that as {commit}"))
    for file in (override.placed(planned.override), cargo_config.placed(planned.cargo_config)):
        if file.text:
            steps.append(Step(Stage.BUILD, f"write {file.path}:\n{file.text}".rstrip()))
    steps.append(Step(Stage.BUILD, f"run {order_of(around, path).shown}"))
    if spec.ami.regions:
        steps += _registration(planned, around, commit)
    return [*steps, *nodegroup_steps(around), *attesting_steps(around)]


def attesting_steps(around: Surroundings) -> list[Step]:
    """The documents about the build, who signs them, and the tags that name them."""
    spec = around.spec.attest
    if not spec.enabled:
        return []
    steps = [Step(Stage.BUILD, f"write {file}") for file in (SBOM_FILE, PROVENANCE_FILE)]
    if spec.sign is not None and around.signs:
        key = spec.key or "without a key"
        steps.append(Step(Stage.BUILD, f"sign both with {spec.sign}, {key}"))
    for region in around.spec.ami.regions:
        call = document_calls(region, document_tags(_UNKNOWN, _UNKNOWN))
        steps.append(Step(Stage.REGISTER, f"{region}: {call.service} {call.operation}", call.parameters))
    return steps


def nodegroup_steps(around: Surroundings) -> list[Step]:
    """The nodegroup's file, where one is asked for."""
    if Stage.NODEGROUP not in stages_of(around):
        return []
    wanted = around.spec.nodegroup
    return [Step(Stage.NODEGROUP, f"write the file for {wanted.cluster}, of the kind {wanted.effective_kind}")]


def _registration(planned: Planned, around: Surroundings, commit: str) -> list[Step]:
    spec, variant, profile = around.spec, planned.overlay.variant, around.spec.build.sbkeys_profile
    request = AmiRequest(
        images=tuple(
            unbuilt(role, gib << 30) for role, gib in zip(ImageRole, planned.tree.image_gib(variant), strict=True)
        ),
        variant=variant.memory_qos,
        arch=spec.arch,
        image_version=f"{planned.tree.release}-{commit[:ABBREVIATION]}",
        spec=spec.ami,
        secure_boot=planned.tree.does_secure_boot(variant),
        uefi_data=read_profile(profile).uefi_data if profile else None,
        ami_spec=planned.tree.ami_spec(variant),
        upstream_commit=planned.tree.commit,
    )
    return registration_steps(request)


def registration_steps(request: AmiRequest) -> list[Step]:
    """Every call that registering would make; what depends on an image that is not there yet is said to."""
    return [
        Step(Stage.REGISTER, f"{call.region}: {call.service} {call.operation}", _without_hash(call.parameters))
        for plan in plan_amis(request)
        for call in calls_of(plan)
    ]


def unbuilt(role: ImageRole, size: int) -> Image:
    """An image of `size` bytes that is not there yet."""
    return Image.model_construct(
        role=role, file=Path(f"<{role} image>"), sha256=_NO_HASH, bytes=size, file_sha256=_NO_HASH, file_bytes=size
    )


def _without_hash(value: Any) -> Any:  # noqa: ANN401 - parameters are of any type
    if isinstance(value, dict):
        return {key: _without_hash(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_hash(item) for item in value]
    return _UNKNOWN if value == _NO_HASH else value
