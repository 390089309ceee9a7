"""User data: who needs to say what, and that nothing is misread on the way."""

import base64
import tomllib

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.launch_template.user_data import encoded_user_data, missing_endpoint, user_data
from brqos.nodes.user_data.toml import MOST_BYTES
from nodes.launch_template.cases import CERTIFICATE, ENDPOINT, FULL, wish


def test_base64_of_toml_is_what_ec2_gets() -> None:
    text = base64.b64decode(encoded_user_data(wish(**FULL))).decode()
    assert text == user_data(wish(**FULL))
    assert tomllib.loads(text)["settings"]["motd"] == 'Hello ${you}, "friend"'


def test_without_the_endpoint_there_is_nothing_to_hand_over() -> None:
    for endpoint in ({}, {"api_server": ENDPOINT["api_server"]}, {"certificate": CERTIFICATE}):
        with pytest.raises(ConfigurationError, match="endpoint is not known"):
            encoded_user_data(wish(endpoint=endpoint))
    assert encoded_user_data(wish(ami=None, variant="aws-k8s-1.37"))


def test_a_text_cannot_pass_for_a_parameter() -> None:
    text = user_data(wish(settings={"motd": 'api-server = "${ApiServer}"\n${ClusterCertificate}'}))
    assert text.count("${ApiServer}") == 1
    assert text.count("${ClusterCertificate}") == 1
    assert text.isascii()


def test_known_values_leave_no_parameters() -> None:
    assert missing_endpoint(wish()) == ("ApiServer", "ClusterCertificate")
    assert missing_endpoint(wish(**FULL)) == ()
    assert "${" not in user_data(wish(**FULL))


def test_taints_are_there_before_the_node_joins() -> None:
    taints = tomllib.loads(user_data(wish(taints=("a=b:NoSchedule",))))["settings"]["kubernetes"]["node-taints"]
    assert taints == {"a": ["b:NoSchedule"]}


def test_labels_are_eks_business() -> None:
    assert "node-labels" not in user_data(wish(labels={"a": "b"}))


@pytest.mark.parametrize("name", ["cluster-name", "api-server", "cluster-certificate"])
def test_a_setting_is_not_given_twice(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"kubernetes\.{name} is given twice"):
        user_data(wish(settings={"kubernetes": {name: "x"}}))


def test_max_pods_is_not_given_twice() -> None:
    with pytest.raises(ConfigurationError, match="max-pods is given twice"):
        user_data(wish(max_pods=58, settings={"kubernetes": {"max-pods": 58}}))


def test_room_is_kept_for_what_comes_later() -> None:
    def fits(size: int, **fields: object) -> bool:
        try:
            user_data(wish(settings={"motd": "x" * size}, **fields))
        except ConfigurationError as error:
            assert "bytes" in error.what
            return False
        return True

    rest = MOST_BYTES - 600
    assert fits(rest, endpoint=ENDPOINT)
    assert not fits(MOST_BYTES, endpoint=ENDPOINT)
    assert not fits(rest)
    assert fits(rest - 2304)
    assert not fits(rest, ami=None, variant="aws-k8s-1.37")


def test_eks_merges_with_the_official_ami_only() -> None:
    settings = {"motd": 'a "b"'}
    with pytest.raises(ConfigurationError, match="EKS cannot read"):
        user_data(wish(ami=None, variant="aws-k8s-1.37", settings=settings))
    assert user_data(wish(settings=settings))
