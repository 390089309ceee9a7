"""What joins a node to its cluster."""

import base64
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.config.nodegroup import EndpointSpec
from brqos.errors import ConfigurationError
from brqos.nodes.labels import EFFECTS, Taint
from brqos.nodes.user_data.joining import check_endpoint, joining, node_taints
from brqos.nodes.user_data.known import check_settings
from brqos.nodes.user_data.toml import to_toml
from brqos.variant import VariantName

CERTIFICATE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIB\n").decode()
TAINTS = tuple(Taint.parse(text) for text in ("a=b:NoSchedule", "a=b:NoExecute", "example.com/c:PreferNoSchedule"))


def test_it_reads_like_upstreams_documentation() -> None:
    settings = joining(
        cluster="prod",
        api_server="https://a.example",
        certificate="Zm9v",
        dns_ip="172.20.0.10",
        labels={"example.com/team": "on"},
        taints=TAINTS,
    )
    assert to_toml({"kubernetes": settings}) == (
        "[settings.kubernetes]\n"
        'cluster-name = "prod"\n'
        'api-server = "https://a.example"\n'
        'cluster-certificate = "Zm9v"\n'
        'cluster-dns-ip = "172.20.0.10"\n'
        "\n[settings.kubernetes.node-labels]\n"
        '"example.com/team" = "on"\n'
        "\n[settings.kubernetes.node-taints]\n"
        'a = ["b:NoSchedule", "b:NoExecute"]\n'
        '"example.com/c" = [":PreferNoSchedule"]\n'
    )


def test_only_what_is_given_is_written() -> None:
    settings = joining(cluster="prod", api_server="https://a.example", certificate="Zm9v")
    assert list(settings) == ["cluster-name", "api-server", "cluster-certificate"]


def test_every_image_knows_it() -> None:
    settings = joining(
        cluster="prod", api_server="https://a", certificate="Zm9v", dns_ip="::1", labels={"a": "b"}, taints=TAINTS
    )
    for variant, release in (("aws-k8s-1.23", "1.15.0"), ("aws-k8s-1.34-nvidia", "1.50.0"), ("aws-k8s-1.37", None)):
        found = check_settings({"kubernetes": settings}, variant=VariantName.parse(variant), release=release)
        assert found == ()


@given(
    st.lists(
        st.builds(
            Taint, st.sampled_from(["a", "b.c", "d/e"]), st.sampled_from(["", "1.30", "x"]), st.sampled_from(EFFECTS)
        ),
        unique=True,
    )
)
def test_no_taint_is_lost(taints: list[Taint]) -> None:
    text = to_toml({"kubernetes": {"node-taints": node_taints(taints)}} if taints else {})
    read = tomllib.loads(text).get("settings", {}).get("kubernetes", {}).get("node-taints", {})
    assert {Taint.parse(f"{key}={text}") for key, texts in read.items() for text in texts} == set(taints)


@pytest.mark.parametrize("endpoint", [{}, {"certificate": CERTIFICATE}, {"dns_ip": "fd00::a"}, {"dns_ip": "10.0.0.10"}])
def test_a_right_endpoint_passes(endpoint: dict[str, str]) -> None:
    check_endpoint(EndpointSpec.model_validate(endpoint))


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ({"certificate": "Zm9v"}, "not a certificate"),
        ({"certificate": "LS0tLS1CRUdJTi"}, "not a certificate"),
        ({"certificate": base64.b64encode(CERTIFICATE.encode()).decode()}, "not a certificate"),
        ({"dns_ip": "10.0.0.256"}, "not an IP address"),
        ({"dns_ip": "a.b"}, "not an IP address"),
    ],
)
def test_a_wrong_endpoint_is_refused(endpoint: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        check_endpoint(EndpointSpec.model_validate(endpoint))
