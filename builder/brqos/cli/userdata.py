"""`brqos userdata`: the TOML that a node of ours gets at its first boot."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brqos.cli import access_options as access
from brqos.cli import kubelet_options as kubelet
from brqos.cli import node_options as node
from brqos.cli.node_flags import nodegroup_spec
from brqos.cli.node_images import check_factor, of_any_release
from brqos.cli.options import ConfigFile, Factor, Json, Policy, Profile, Variant
from brqos.cli.session import running
from brqos.errors import AwsError, ConfigurationError, UsageError

if TYPE_CHECKING:
    from brqos.aws.eks import DescribedCluster
    from brqos.aws.session import AwsSession
    from brqos.console import Console
    from brqos.nodes.request import NodegroupRequest, NodeImage

_STANDARD_OUTPUT = Path("-")
_ENDPOINT_FLAGS = ", with --api-server and --cluster-certificate"


def userdata(
    context: typer.Context,
    variant: Variant = None,
    release: Annotated[
        str | None,
        typer.Option("--release", metavar="VERSION", help="The image's Bottlerocket release, for example 1.50.0."),
    ] = None,
    official: Annotated[
        bool, typer.Option("--official", help="For the official AMI: with the two settings that Kubernetes 1.37 has.")
    ] = False,
    factor: Factor = None,
    policy: Policy = None,
    cluster: node.Cluster = None,
    region: node.Region = None,
    without_cluster: Annotated[
        bool,
        typer.Option("--without-cluster", help="Leave out what joins a cluster, for tools that add it themselves."),
    ] = False,
    api_server: access.ApiServer = None,
    cluster_certificate: access.Certificate = None,
    cluster_dns_ip: access.DnsIp = None,
    admin_container: access.AdminContainer = None,
    control_container: access.ControlContainer = None,
    max_pods: kubelet.MaxPods = None,
    label: kubelet.Labels = None,
    taint: kubelet.Taints = None,
    kube_reserved: kubelet.KubeReserved = None,
    system_reserved: kubelet.SystemReserved = None,
    eviction_hard: kubelet.EvictionHard = None,
    setting: kubelet.Setting = None,
    keys: Annotated[
        bool, typer.Option("--keys", help="List the settings that the image knows, with their types, and end.")
    ] = False,
    as_base64: Annotated[bool, typer.Option("--base64", help="Print it in base64, as EC2's API takes it.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="File to write; - or nothing prints it on standard output."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it has other content.")] = False,
    profile: Profile = None,
    aws: Annotated[
        bool, typer.Option("--aws/--no-aws", help="Ask EKS for the cluster's endpoint, where there is a login.")
    ] = True,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Print the user data of a node of ours, for whatever starts it.

    Every setting is held against those that the image's release knows: one unknown
    key, and Bottlerocket refuses all of it, and the node never joins.
    """
    with running(json_output=json) as console:
        _check_together(context.params)
        if not official:
            check_factor(context.params)
        image = _image(variant, release, official=official, factor=factor, policy=policy, config=config)
        if keys:
            _show_keys(console, image)
        else:
            _show(console, _request(console, image, context.params, joins=not without_cluster), context.params)


def _check_together(parameters: Mapping[str, Any]) -> None:
    """Refuse options that would have no effect; raises UsageError."""
    for option, others in (
        ("without_cluster", ("label", "taint", "api_server", "cluster_certificate", "cluster_dns_ip")),
        ("keys", ("as_base64", "output")),
    ):
        found = next((other for other in others if parameters[option] and parameters[other]), None)
        if found is not None:
            words = [f"--{name.removeprefix('as_').replace('_', '-')}" for name in (option, found)]
            raise UsageError(f"{words[1]} does not go together with {words[0]}", todo="Leave one of them out.")


def _image(
    variant: str | None,
    release: str | None,
    *,
    official: bool,
    factor: float | None,
    policy: str | None,
    config: Path | None,
) -> "NodeImage":
    from brqos.cli.spec import kubelet_flags, resolved
    from brqos.nodes.official import official_image
    from brqos.nodes.request import NodeImage
    from brqos.pipeline.generate import settings_of

    spec = resolved(config, {**of_any_release(variant), **kubelet_flags(factor, policy, None, None, None)}).spec
    if official:
        image = official_image(spec.arch, spec.variant_name, settings_of(spec))
    else:
        image = NodeImage(ami=None, architecture=spec.arch, variant=spec.variant_name)
    return replace(image, release=release.removeprefix("v") if release else None)


def _request(
    console: "Console", image: "NodeImage", parameters: Mapping[str, Any], *, joins: bool
) -> "NodegroupRequest":
    from brqos.nodes.request import NodegroupRequest

    spec = nodegroup_spec(parameters, parameters["config"], variant=image.variant.base)
    if joins and spec.cluster is None:
        raise ConfigurationError(
            "no cluster is given",
            why="A node has to know the cluster that it shall join.",
            todo="Give it with --cluster, or as “cluster” in the section [nodegroup] of brqos.toml; --without-cluster "
            "leaves it out.",
        )
    request = NodegroupRequest(image=image, cluster=spec.cluster or "", region=spec.region or "", spec=spec)
    return _joined(console, request, parameters) if joins else request


def _joined(console: "Console", request: "NodegroupRequest", parameters: Mapping[str, Any]) -> "NodegroupRequest":
    """The request with the endpoint that EKS tells, where it was not given and there is a login."""
    given = request.spec.endpoint
    if (given.api_server and given.certificate) or not parameters["aws"]:
        return request
    from brqos.aws.session import AwsSession
    from brqos.nodes.checks.cluster import check_cluster, with_endpoint

    session = AwsSession(parameters["profile"])
    if not session.has_credentials():
        return request
    region = request.region or session.default_region()
    if region is None:
        raise ConfigurationError(
            "the region of the cluster is not known",
            why="EKS is asked there for its endpoint.",
            todo=f"Give it with --region, or the endpoint{_ENDPOINT_FLAGS}.",
        )
    cluster = _asked(session, region, request.cluster)
    for warning in check_cluster(replace(request, region=region), cluster):
        console.warn(warning)
    assert cluster is not None
    return replace(request, spec=with_endpoint(request.spec, cluster))


def _asked(session: "AwsSession", region: str, name: str) -> "DescribedCluster | None":
    from brqos.aws.errors import AwsCallError

    try:
        return session.impatient().eks(region).cluster(name)
    except AwsCallError as error:
        otherwise = f"The endpoint can also be given{_ENDPOINT_FLAGS}."
        raise AwsError(error.what, why=error.why, todo=f"{error.todo} {otherwise}".lstrip()) from error


def _show(console: "Console", request: "NodegroupRequest", parameters: Mapping[str, Any]) -> None:
    from brqos.nodes.user_data.toml import to_toml
    from brqos.nodes.user_data.whole import user_data
    from brqos.nodes.write import write_file

    settings, warnings = user_data(request, joins=not parameters["without_cluster"])
    for warning in warnings:
        console.warn(warning)
    text = to_toml(settings)
    encoded = base64.b64encode(text.encode()).decode() + "\n"
    output: Path | None = parameters["output"]
    if output not in {None, _STANDARD_OUTPUT}:
        assert output is not None
        written = write_file(output, encoded if parameters["as_base64"] else text, force=parameters["force"])
        console.line(f"{output} ({written})")
    if console.json_output:
        file = None if output in {None, _STANDARD_OUTPUT} else str(output)
        console.data({"settings": settings, "toml": text, "base64": encoded.strip(), "file": file})
    elif output in {None, _STANDARD_OUTPUT}:
        console.text(encoded if parameters["as_base64"] else text)


def _show_keys(console: "Console", image: "NodeImage") -> None:
    from brqos.nodes.user_data.known import keys_for

    known = keys_for(image.variant, image.release)
    if console.json_output:
        console.data([{"key": key.path, "types": list(key.types), "since": key.since or None} for key in known])
        return
    rows = [[key.path, " or ".join(key.types), f"v{key.since}" if key.since else "-"] for key in known]
    console.table(["SETTING", "TYPE", "SINCE"], rows)
