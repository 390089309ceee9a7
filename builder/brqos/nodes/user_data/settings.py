"""The settings that a node of ours gets by its user data, whatever makes it: what stands below `[settings]`.

Labels, taints and max-pods are not among them, nor what joins the node to its cluster: each kind has its own place for
these.
"""

from collections.abc import Mapping
from typing import Any

from brqos.errors import ConfigurationError
from brqos.nodes.request import NodegroupRequest

Settings = dict[str, Any]


def node_settings(request: NodegroupRequest) -> Settings:
    """Host containers, reserved memory, eviction, the two native settings, and further ones asked for.

    Raises ConfigurationError for a setting that is asked for in two places.
    """
    spec = request.spec
    settings: Settings = {
        "host-containers": {
            "control": {"enabled": spec.control_container},
            "admin": {"enabled": spec.admin_container or spec.ssh_key is not None},
        }
    }
    if kubernetes := _kubernetes(request):
        settings["kubernetes"] = kubernetes
    return merged(settings, spec.settings)


def merged(ours: Mapping[str, Any], further: Mapping[str, Any], path: tuple[str, ...] = ()) -> Settings:
    """Two trees of settings in one; raises ConfigurationError where both have a value."""
    result = dict(ours)
    for key, value in further.items():
        here = (*path, key)
        there = result.get(key)
        if isinstance(there, Mapping) and isinstance(value, Mapping):
            result[key] = merged(there, value, here)
        elif key in result:
            raise ConfigurationError(
                f"the Bottlerocket setting {'.'.join(here)} is given twice",
                why="Once by its own option or by brqos itself, and once among the further settings.",
                todo=f"Remove it from the further settings ([nodegroup.settings], --setting {'.'.join(here)}=...).",
            )
        else:
            result[key] = value
    return result


def _kubernetes(request: NodegroupRequest) -> Settings:
    spec = request.spec
    kubernetes: Settings = {}
    for name, values in (
        ("kube-reserved", spec.kube_reserved),
        ("system-reserved", spec.system_reserved),
        ("eviction-hard", spec.eviction_hard),
    ):
        if values:
            kubernetes[name] = dict(values)
    if request.image.native is not None:
        kubernetes |= {name: value for name, value in request.image.native.native().items() if value is not None}
    return kubernetes
