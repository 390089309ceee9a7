"""The keys of the shipped list, as the tests ask for them."""

from brqos.nodes.user_data.listed import everything, order


def known_kubernetes_keys(release: str) -> frozenset[str]:
    """The names directly below `settings.kubernetes` that a release knows, in each of its aws-k8s images."""
    kubernetes = everything().keys["kubernetes"]
    return frozenset(name for name, setting in kubernetes.keys.items() if order(setting.since) <= order(release))
