"""The file for Terraform: the nodegroups of one cluster, as data and as text."""

from collections.abc import Sequence

from brqos.nodes.made import NodeFile
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.terraform import remarks
from brqos.nodes.terraform.document import blocks
from brqos.nodes.terraform.hcl import to_hcl, to_json


def terraform_file(requests: Sequence[NodegroupRequest]) -> NodeFile:
    """Make the file; the requests are of one cluster and of this kind, and have passed nodes/file.py: check_all.

    The data are the same file in Terraform's JSON syntax (*.tf.json).
    """
    made = blocks(requests)
    text = to_hcl(made, head=remarks.head(requests))
    return NodeFile(tuple(requests), to_json(made), text, suffix=".tf", commands=("terraform init", "terraform apply"))
