"""The module's `ami_type`: what the user data of an own AMI look like, and which one the official AMI is."""

from brqos.nodes.ami_types import ami_type
from brqos.nodes.request import NodegroupRequest

MODULES_FLAVORS = ("", "nvidia", "fips")
"""The flavors of which the module has the official AMI (_user_data/main.tf: ami_type_to_user_data_path)."""


def modules_ami_type(request: NodegroupRequest) -> str:
    """One that the module has a template for: it knows none with both flavors, which tell it nothing more anyway."""
    flavors = request.variant.flavor.split("-")
    return ami_type(request.architecture, ["nvidia"] if request.variant.is_nvidia else flavors)
