"""A nodegroup's eksctl file, whole: checked, as data and as text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brqos.nodes import eksctl, emit, remarks, rules
from brqos.nodes.request import NodegroupRequest


@dataclass(frozen=True, slots=True)
class EksctlFile:
    """What is written: `document` is the ClusterConfig as data, `text` the same as YAML with its comments."""

    request: NodegroupRequest
    document: Mapping[str, Any]
    text: str
    warnings: tuple[str, ...]


def eksctl_file(request: NodegroupRequest) -> EksctlFile:
    """Make the file; raises ConfigurationError for what eksctl, EKS or Bottlerocket would refuse."""
    warnings = rules.check(request)
    document = eksctl.document(request)
    text = emit.to_yaml(document, head=remarks.head(request), remarks=remarks.remarks(request))
    return EksctlFile(request, document, text, warnings)
