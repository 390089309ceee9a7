"""The whole user data of a node that nothing else gives any: its settings, and what joins it to its cluster."""

from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.nodes.labels import check_labels, check_taints
from brqos.nodes.quantities import check_eviction, check_reserved
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.user_data.joining import check_endpoint, joining
from brqos.nodes.user_data.known import check_settings
from brqos.nodes.user_data.settings import Settings, merged, node_settings


def user_data(request: NodegroupRequest, *, joins: bool = True) -> tuple[Settings, tuple[str, ...]]:
    """The settings (what stands below `[settings]`) and warnings; raises ConfigurationError for wrong ones.

    Without `joins` what names the cluster is left out, for tools that add it themselves (Karpenter, and EKS for its own
    AMIs).
    """
    spec = request.spec
    check_labels(spec.labels, managed=False)
    check_taints(spec.taints, managed=False, by_effect=True)
    check_reserved("kube-reserved", spec.kube_reserved)
    check_reserved("system-reserved", spec.system_reserved)
    check_eviction(spec.eviction_hard)
    kubernetes = _kubernetes(request, joins=joins)
    settings = merged({"kubernetes": kubernetes} if kubernetes else {}, node_settings(request))
    warnings = check_settings(settings, variant=request.variant, release=request.image.release)
    return settings, (*warnings, *(() if joins else _warn_of_left_out(spec)))


def _warn_of_left_out(spec: NodegroupSpec) -> tuple[str, ...]:
    given = [name for name, value in (("labels", spec.labels), ("taints", spec.taints)) if value]
    if not given:
        return ()
    return (f"{' and '.join(given)} are left out with what joins the cluster: the tool that adds that has to set them",)


def _kubernetes(request: NodegroupRequest, *, joins: bool) -> Settings:
    spec = request.spec
    max_pods = {} if spec.max_pods is None else {"max-pods": spec.max_pods}
    if not joins:
        return max_pods
    endpoint = spec.endpoint
    if endpoint.api_server is None or endpoint.certificate is None:
        raise ConfigurationError(
            f"the endpoint of the cluster {request.cluster} is not known",
            why="A node needs the API server's URL and its certificate authority to join.",
            todo="Log in to AWS, so that EKS can be asked, or give --api-server and --cluster-certificate; "
            "--without-cluster leaves all of it out.",
        )
    check_endpoint(endpoint)
    cluster = joining(
        cluster=request.cluster,
        api_server=endpoint.api_server,
        certificate=endpoint.certificate,
        dns_ip=endpoint.dns_ip,
        labels=spec.labels,
        taints=check_taints(spec.taints, managed=False, by_effect=True),
    )
    return cluster | max_pods
