"""The NodePool of a request, as data: which instances its nodes may be, and how long they live.

What goes where is told by Karpenter v1.14.1, pkg/apis/crds/karpenter.sh_nodepools.yaml.
"""

from typing import Any

from brqos.nodes.karpenter.nodeclass import GROUP as CLASS_GROUP
from brqos.nodes.karpenter.nodeclass import KIND as CLASS_KIND
from brqos.nodes.labels import Taint
from brqos.nodes.request import NodegroupRequest

Object = dict[str, Any]

GROUP = "karpenter.sh"
KIND = "NodePool"

CATEGORIES = ("c", "m", "r")
LATER_THAN = 4
"""From the fifth generation on, the instances of these categories are Nitro ones."""
GPU_CATEGORIES = ("g",)
GPU_LATER_THAN = 3
"""g4dn and later; the GPUs of g2 and g3 are too old for the drivers in use."""

EXPIRE_AFTER = "720h"
"""Karpenter's default (CRD, expireAfter)."""
CONSOLIDATE_AFTER = "1m"
"""As in Karpenter's getting-started guide; the CRD has no default within a given `disruption`."""


def node_pool(request: NodegroupRequest) -> Object:
    """The object, keys in the order in which they are to be read; the request has passed the rules."""
    spec = request.spec
    template: Object = {}
    if spec.labels:
        template["metadata"] = {"labels": dict(spec.labels)}
    template["spec"] = {
        "nodeClassRef": {"group": CLASS_GROUP, "kind": CLASS_KIND, "name": request.name},
        "requirements": _requirements(request),
        **_taints(request),
        "expireAfter": spec.karpenter.expire_after or EXPIRE_AFTER,
    }
    pool: Object = {"template": template}
    if spec.karpenter.limits:
        pool["limits"] = dict(spec.karpenter.limits)
    pool["disruption"] = {
        "consolidationPolicy": "WhenEmptyOrUnderutilized",
        "consolidateAfter": spec.karpenter.consolidate_after or CONSOLIDATE_AFTER,
    }
    return {"apiVersion": f"{GROUP}/v1", "kind": KIND, "metadata": {"name": request.name}, "spec": pool}


def _requirements(request: NodegroupRequest) -> list[Object]:
    spec = request.spec
    requirements = [
        _in("kubernetes.io/arch", request.architecture.kubernetes),
        _in("kubernetes.io/os", "linux"),
        _in("karpenter.sh/capacity-type", "spot" if spec.spot else "on-demand"),
        *_instances(request),
    ]
    if spec.availability_zones:
        requirements.append(_in("topology.kubernetes.io/zone", *spec.availability_zones))
    return requirements


def _instances(request: NodegroupRequest) -> list[Object]:
    nvidia = request.variant.is_nvidia
    manufacturer = [_in(f"{CLASS_GROUP}/instance-gpu-manufacturer", "nvidia")] if nvidia else []
    if request.spec.instance_types:
        # Their names may be newer than what brqos knows of GPUs: so it is Karpenter that looks.
        return [
            _in("node.kubernetes.io/instance-type", *(type_.name for type_ in request.instance_types)),
            *manufacturer,
        ]
    categories, later_than = (GPU_CATEGORIES, GPU_LATER_THAN) if nvidia else (CATEGORIES, LATER_THAN)
    return [
        *manufacturer,
        _in(f"{CLASS_GROUP}/instance-category", *categories),
        {"key": f"{CLASS_GROUP}/instance-generation", "operator": "Gt", "values": [str(later_than)]},
    ]


def _in(key: str, *values: str) -> Object:
    return {"key": key, "operator": "In", "values": list(values)}


def _taints(request: NodegroupRequest) -> Object:
    taints = [Taint.parse(text).manifest() for text in request.spec.taints]
    return {"taints": taints} if taints else {}
