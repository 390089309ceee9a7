"""Whether a recorded build is the one that is wanted. Pure but for reading a signing profile's certificates.

Exact where it can be foreseen what the build will be called: then the record has that name, made from the same inputs.
From source without upstream's tree, and for the repack engine, the digest of the inputs is made again from what the
record has (the overlay's commit, the official image's hash) and what is wanted now (name, keys, make-env); whether the
record's commit is still that of the release is then a matter of its settings, release and brqos being the same. In
doubt it is another one: a build is left out only if it is known to be there.
"""

import re
from pathlib import Path
from typing import Any

from brqos import __version__
from brqos.config.model import BuildSpec, Engine
from brqos.pipeline.foresee import Foreseen, Outlook, Unforeseen, order_of_spec
from brqos.pipeline.generate import settings_of
from brqos.pipeline.identity import repack_inputs, source_inputs
from brqos.record import BuildRecord, recordable
from brqos.stages import Stage
from brqos.upstream.mirror import is_local

_COMMIT = re.compile(r"[0-9a-f]{40}")
_RELEASE = re.compile(r"v?(\d+\.\d+\.\d+)")


def is_same(spec: BuildSpec, outlook: Outlook | None, record: BuildRecord) -> bool:
    """Whether the record's image is finished and is the one that the spec asks for; rehearsals never are."""
    built = record.stages.get(Stage.BUILD)
    if built is None or record.rehearsal or record.engine is not spec.build.engine:
        return False
    if (record.variant, record.spec.arch) != (spec.variant_name.memory_qos, spec.arch):
        return False
    if isinstance(outlook, Foreseen):
        return bool(outlook.build) and (record.id, built.inputs) == (outlook.build, outlook.inputs)
    try:
        return built.inputs == _inputs_now(spec, record)
    except OSError:
        return False


def not_compared(spec: BuildSpec, outlook: Outlook | None) -> str:
    """What about this build could not be compared, as a sentence; empty where everything was."""
    profile = spec.build.sbkeys_profile
    if isinstance(outlook, Foreseen):
        if outlook.build or outlook.native:
            return ""
        return f"{_keys(profile)}: nothing was compared, and the build counts as missing."
    if profile is not None and not spec.repack.unsigned and not (profile / "PK.crt").is_file():
        return f"{_keys(profile)}: nothing was compared, and the build counts as missing."
    if isinstance(outlook, Unforeseen):
        return (
            f"{outlook.reason}. So builds were compared by the release and the settings in their records; not whether"
            f" {spec.upstream.ref} is still the same commit, and not with AMIs that no record here tells of."
        )
    if spec.repack.image is not None:
        return f"{spec.repack.image} was not read, so its build counts as missing."
    if wanted_release(spec) is None:
        return "which official image is the newest was not asked, so its build counts as missing."
    return "repacked images were compared by their records here, not with AMIs that no record tells of."


def wanted_release(spec: BuildSpec) -> str | None:
    """Bottlerocket's release that is asked for, without the v; None where that is no release (newest, a branch)."""
    ref = spec.upstream.ref or ""
    if spec.build.engine is Engine.REPACK:
        ref = spec.repack.release or ref
    match = _RELEASE.fullmatch(ref)
    return match[1] if match else None


def _keys(profile: Path | None) -> str:
    return (
        f"the signing profile {profile} is not on this machine (of its files only the public ones are needed here:"
        " PK.crt, KEK.crt, db.crt, vendor.crt, efi-vars.aws)"
    )


def _inputs_now(spec: BuildSpec, record: BuildRecord) -> str | None:
    """The digest of the inputs as they are now, if the record's source is still the one that is wanted."""
    if spec.build.engine is Engine.REPACK:
        return _repacked_now(spec, record)
    if not record.overlay_commit or not _has_same_source(spec, record):
        return None
    return source_inputs(order_of_spec(spec), record.overlay_commit, rehearsal=False)


def _has_same_source(spec: BuildSpec, record: BuildRecord) -> bool:
    """Whether the overlay can have no other commit than the record's, as far as that can be told without the tree."""
    wanted, before = recordable(spec), record.spec
    ref = spec.upstream.ref or ""
    same_ref = ref == record.upstream.commit if _COMMIT.fullmatch(ref) else wanted_release(spec) == _release_of(record)
    return (
        same_ref
        and _place(wanted.upstream.repository) == _place(record.upstream.repository)
        and _place(wanted.upstream.core_kit) == _place(before.upstream.core_kit)
        and wanted.upstream.core_kit_ref == before.upstream.core_kit_ref
        and (wanted.upstream.core_kit_ref is None or bool(_COMMIT.fullmatch(wanted.upstream.core_kit_ref)))
        and settings_of(spec).configuration() == record.kubelet_configuration
        and (spec.build.delivery, spec.build.bake) == (before.build.delivery, before.build.bake)
        # Another brqos may write another overlay.
        and record.brqos == __version__
    )


def _release_of(record: BuildRecord) -> str | None:
    """The release that the record's tag names; a branch's tree may say a release too, and be something else."""
    match = _RELEASE.fullmatch(record.upstream.ref)
    return match[1] if match and match[1] == record.upstream.release else None


def _place(repository: str) -> str:
    return str(Path(repository).expanduser().absolute()) if is_local(repository) else repository


def _repacked_now(spec: BuildSpec, record: BuildRecord) -> str | None:
    wanted, before = spec.repack, record.spec.repack
    repacked = record.repack
    if repacked is None or repacked.official is None or wanted.image is not None:
        return None
    # Whoever has a root of trust of their own may have other images under a release's name.
    own_root = wanted.tuf_root is not None or before.tuf_root is not None
    if own_root and (wanted.tuf_root_sha512 is None or wanted.tuf_root_sha512 != before.tuf_root_sha512):
        return None
    official: dict[str, Any] = repacked.official
    if wanted_release(spec) != official.get("version") or official.get("variant") != spec.variant:
        return None
    images = [_file_sha256(official.get(role)) for role in ("os", "data")]
    if images[0] is None:
        return None
    return repack_inputs(spec, settings_of(spec), images[0], images[1])


def _file_sha256(image: object) -> str | None:
    found = image.get("file-sha256") if isinstance(image, dict) else None
    return found if isinstance(found, str) else None
