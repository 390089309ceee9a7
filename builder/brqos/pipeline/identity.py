"""What a build is called: by the digest of all that its image depends on.

`run_build` names builds so, and whoever wants to know whether a build was made before asks here and builds nothing.
Pure, but for reading the certificates of a signing profile.
"""

from collections.abc import Mapping

from brqos.config.model import BuildSpec
from brqos.image.order import BuildOrder
from brqos.image.sbkeys import public_digest
from brqos.memoryqos.settings import KubeletSettings
from brqos.pipeline.digest import digest
from brqos.record import REHEARSAL_PREFIX


def source_inputs(order: BuildOrder, commit: str, *, rehearsal: bool) -> str:
    """What an image from source depends on, `commit` being the overlay's; the number of jobs is not among it.

    Raises OSError where the signing profile is not there.
    """
    make_env: Mapping[str, str] = order.make_env
    return digest(
        {
            "commit": commit,
            "arch": order.arch,
            "pretty_name": order.pretty_name,
            # By what is in it, not by where it lies: another machine may keep the same profile elsewhere.
            "sbkeys_profile": public_digest(order.sbkeys_profile) if order.sbkeys_profile else None,
            "make_env": {key: digest(value) for key, value in make_env.items()},
            "rehearsal": rehearsal,
        }
    )


def source_build(order: BuildOrder, release: str, inputs: str, *, rehearsal: bool) -> str:
    """The name of a build from source: the same inputs, the same name."""
    mark = REHEARSAL_PREFIX if rehearsal else ""
    return f"{mark}{order.variant}-{order.arch}-{release}-{inputs[:8]}"


def repack_inputs(spec: BuildSpec, settings: KubeletSettings, image: str, data: str | None) -> str:
    """What a repacked image depends on; `image` and `data` are the SHA-256 of the files that it is made of.

    Where files lie, and how they are packed, is not among it. Raises OSError where the signing profile is not there.
    """
    profile = spec.build.sbkeys_profile
    return digest(
        {
            "image": image,
            "data": data,
            "settings": settings.configuration(),
            "delivery": spec.build.delivery,
            "bake": spec.build.bake,
            "pretty_name": spec.build.pretty_name,
            "keys": public_digest(profile) if profile and not spec.repack.unsigned else None,
            "updates_off": spec.repack.switch_updates_off,
        }
    )
