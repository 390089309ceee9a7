"""The nodes' user data: whole with an own AMI, an addition to EKS's with the official one."""

import base64

from brqos.errors import ConfigurationError
from brqos.nodes.labels import check_taints
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.user_data.joining import joining
from brqos.nodes.user_data.merging import check_mergeable
from brqos.nodes.user_data.settings import Settings, merged, node_settings
from brqos.nodes.user_data.toml import ROOM_TO_JOIN, check_size, in_ascii, to_toml

API_SERVER = "ApiServer"
"""The parameter of the template that stands for the URL of the cluster's API server."""
CERTIFICATE = "ClusterCertificate"
"""The parameter that stands for its certificate."""

_ROOM_FOR_EKS = 4 * 1024


def settings_of(request: NodegroupRequest, api_server: str, certificate: str) -> Settings:
    """The settings as they stand below `[settings]`; the two strings count with an own AMI only.

    With an ImageId EKS merges nothing into the user data, so all that joins the node is here; the taints too, since EKS
    applies those of its API "asynchronously if you specify an AMI ID" (EKS User Guide, launch-templates, "Limits and
    conditions when specifying an AMI ID"). Without one EKS adds the cluster, labels and taints itself.
    """
    spec = request.spec
    if request.ami is None:
        kubernetes: Settings = {} if spec.endpoint.dns_ip is None else {"cluster-dns-ip": spec.endpoint.dns_ip}
    else:
        taints = check_taints(spec.taints, managed=True)
        kubernetes = joining(
            cluster=request.cluster,
            api_server=api_server,
            certificate=certificate,
            dns_ip=spec.endpoint.dns_ip,
            taints=taints,
        )
    if spec.max_pods is not None:
        kubernetes["max-pods"] = spec.max_pods
    return merged({"kubernetes": kubernetes} if kubernetes else {}, node_settings(request))


def missing_endpoint(request: NodegroupRequest) -> tuple[str, ...]:
    """The parameters that the user data need because the request does not know their values."""
    endpoint = request.spec.endpoint
    if request.ami is None:
        return ()
    known = {API_SERVER: endpoint.api_server, CERTIFICATE: endpoint.certificate}
    return tuple(name for name, value in known.items() if value is None)


def user_data(request: NodegroupRequest) -> str:
    """The TOML, with `${ApiServer}` and `${ClusterCertificate}` for Fn::Sub where the request does not know them.

    No other `${` is in it, and nothing but ASCII: any other character is written as TOML's escape, so that YAML,
    Fn::Sub and base64 have nothing to misread. Raises ConfigurationError where it would be too large.
    """
    missing = missing_endpoint(request)
    endpoint = request.spec.endpoint
    settings = settings_of(request, endpoint.api_server or _of(API_SERVER), endpoint.certificate or _of(CERTIFICATE))
    if request.ami is None:
        check_mergeable(settings)
    room = _ROOM_FOR_EKS if request.ami is None else ROOM_TO_JOIN if missing else 0
    text = in_ascii(to_toml(settings)).replace("${", "\\u0024{")
    for key, name in (("api-server", API_SERVER), ("cluster-certificate", CERTIFICATE)):
        if name in missing:
            # A quotation mark inside of a string has a backslash before it, so nothing else can look like this.
            text = text.replace(f'{key} = "\\u0024{{{name}}}"', f'{key} = "{_of(name)}"')
    check_size(text, room=room)
    return text


def encoded_user_data(request: NodegroupRequest) -> str:
    """The user data as EC2's API takes them, in base64; raises ConfigurationError without the cluster's endpoint."""
    if missing := missing_endpoint(request):
        raise ConfigurationError(
            "the cluster's endpoint is not known",
            why="With an AMI of one's own EKS adds nothing to the user data, and without "
            + ("API server and certificate" if len(missing) > 1 else "both API server and certificate")
            + " a node cannot join.",
            todo="Let brqos ask EKS (with AWS credentials), or give api-server and certificate in "
            "[nodegroup.endpoint].",
        )
    return base64.b64encode(user_data(request).encode()).decode()


def _of(parameter: str) -> str:
    return f"${{{parameter}}}"
