"""What the module is given as `bootstrap_extra_args`: the settings of the nodes, as TOML to be appended.

terraform-aws-eks v21 (templates/bottlerocket_user_data.tpl) writes, where it bootstraps, `[settings.kubernetes]` with
the four keys of SET_BY_THE_MODULE, and puts `bootstrap_extra_args` right below. TOML takes a table's header once, so
what belongs to `settings.kubernetes` itself comes first and without one. For the official AMI the module writes
nothing, and EKS merges what it is given with its own.
"""

from collections.abc import Mapping
from typing import Any

from brqos.nodes.labels import check_taints
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.user_data.joining import node_taints
from brqos.nodes.user_data.settings import Settings, merged, node_settings
from brqos.nodes.user_data.toml import in_ascii, to_toml

SET_BY_THE_MODULE = ("cluster-name", "api-server", "cluster-certificate", "cluster-dns-ip")
"""Below `settings.kubernetes`; the module works the last one out of `cluster_service_cidr`."""

_HEADER = "[settings.kubernetes]\n"


def settings_of(request: NodegroupRequest) -> Settings:
    """The settings, with max-pods, and with the taints where EKS would only set them after a node has joined.

    Raises ConfigurationError for a setting that is asked for in two places.
    """
    spec = request.spec
    ours: Settings = {}
    if spec.max_pods is not None:
        ours["max-pods"] = spec.max_pods
    if spec.taints and request.ami is not None:
        ours["node-taints"] = node_taints(check_taints(spec.taints, managed=True))
    return merged(node_settings(request), {"kubernetes": ours} if ours else {})


def extra_args(settings: Mapping[str, Any], *, own_ami: bool) -> str:
    """The TOML; with `own_ami` as what follows `[settings.kubernetes]`, otherwise whole.

    It is ASCII: other characters are written as TOML's escapes, as Terraform brings texts into Unicode's normal form C.
    """
    kubernetes = settings.get("kubernetes") or {}
    others = {key: value for key, value in settings.items() if key != "kubernetes"}
    parts = []
    if kubernetes:
        text = to_toml({"kubernetes": kubernetes})
        parts.append(text.removeprefix(_HEADER).lstrip() if own_ami else text)
    if others:
        parts.append(to_toml(others))
    return in_ascii("\n".join(parts))
