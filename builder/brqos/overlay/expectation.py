"""Which delivery to expect from a release's number alone, for lists. Building looks at the tree itself (plan.py)."""

from brqos.config.model import Delivery
from brqos.overlay.plan import FIRST_MAYBE_NATIVE
from brqos.upstream.tree import version_of
from brqos.variant import KubernetesVersion

# v1.44.0 is the first release with core kit 10; v1.66.0 the first with the settings of Kubernetes 1.37 (core kit 17).
_FIRST_WITH_DROP_IN = (1, 44, 0)
_FIRST_WITH_SETTINGS = (1, 66, 0)


def expected_delivery(kubernetes: KubernetesVersion, release: str) -> Delivery:
    """The delivery that planning finds in every release that was looked at."""
    if kubernetes >= FIRST_MAYBE_NATIVE and version_of(release) >= _FIRST_WITH_SETTINGS:
        return Delivery.NATIVE
    return Delivery.DROP_IN if version_of(release) >= _FIRST_WITH_DROP_IN else Delivery.TEMPLATE
