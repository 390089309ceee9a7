"""`brqos userdata`, as scripts and people call it."""

import base64
import json
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from brqos.cli.userdata import userdata

CERTIFICATE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nx\n").decode()
JOINED = (
    *("--variant", "aws-k8s-1.29", "--cluster", "prod", "--region", "eu-central-1"),
    *("--api-server", "https://ABC.eks.amazonaws.com", "--cluster-certificate", CERTIFICATE),
)
app = typer.Typer(pretty_exceptions_enable=False)
app.command()(userdata)


class Result:
    def __init__(self, *arguments: str) -> None:
        result = CliRunner().invoke(app, arguments)
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr

    def refused(self, code: int) -> str:
        assert (self.code, self.out) == (code, ""), self.err
        assert self.err.count("error: ") == 1
        return self.err


def test_it_joins_the_cluster_and_sets_what_is_asked_for() -> None:
    result = Result(
        *JOINED, "--max-pods", "58", "--label", "team=on", "--taint", "a=b:NoSchedule", "--kube-reserved", "memory=1Gi"
    )
    assert (result.code, result.err) == (0, "")
    assert tomllib.loads(result.out)["settings"] == {
        "host-containers": {"admin": {"enabled": False}, "control": {"enabled": True}},
        "kubernetes": {
            "api-server": "https://ABC.eks.amazonaws.com",
            "cluster-certificate": CERTIFICATE,
            "cluster-name": "prod",
            "kube-reserved": {"memory": "1Gi"},
            "max-pods": 58,
            "node-labels": {"team": "on"},
            "node-taints": {"a": ["b:NoSchedule"]},
        },
    }


def test_what_joins_can_be_left_to_others() -> None:
    result = Result("--variant", "aws-k8s-1.29", "--without-cluster", "--setting", "motd=hello")
    assert tomllib.loads(result.out)["settings"]["motd"] == "hello"
    assert "cluster-name" not in result.out


def test_the_official_ami_gets_the_two_settings() -> None:
    result = Result("--variant", "aws-k8s-1.37", "--official", "--without-cluster", "--policy", "None")
    kubernetes = tomllib.loads(result.out)["settings"]["kubernetes"]
    assert kubernetes == {"memory-throttling-factor": 0.9, "memory-reservation-policy": "None"}


def test_base64_is_what_ec2s_api_takes() -> None:
    plain = Result(*JOINED).out
    assert base64.b64decode(Result(*JOINED, "--base64").out).decode() == plain
    result = json.loads(Result(*JOINED, "--json").out)
    assert (result["toml"], base64.b64decode(result["base64"]).decode()) == (plain, plain)


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "user-data.toml"
    assert Result(*JOINED, "-o", str(file)).out == f"{file} (created)\n"
    assert Result(*JOINED, "-o", str(file)).out == f"{file} (unchanged)\n"
    assert "has other content" in Result(*JOINED, "--max-pods", "9", "-o", str(file)).refused(3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--setting", "kubernetes.max-podz=1"), "kubernetes.max-podz"),
        (("--setting", "kubernetes.max-pods=1", "--max-pods", "2"), "kubernetes.max-pods is given twice"),
        (("--label", "a b=c"), "cannot be the key of a label"),
        (("--taint", "a"), "is not a taint"),
        (("--release", "1.29", "--setting", "motd=x"), "1.29"),
        (("--official",), "has no settings for MemoryQoS"),
        (("--cluster-certificate", "QUJD"), "is not a certificate"),
    ],
)
def test_wrong_wishes_end_in_one_message(arguments: tuple[str, ...], message: str) -> None:
    assert message in Result(*JOINED, *arguments).refused(3)


def test_what_cannot_be_done_without() -> None:
    assert "no cluster is given" in Result("--variant", "aws-k8s-1.29").refused(3)
    assert "the endpoint of the cluster prod is not known" in Result(*JOINED[:6]).refused(3)
    assert "no variant is given" in Result("--cluster", "prod").refused(3)


def test_the_settings_of_an_image_can_be_listed() -> None:
    result = Result("--variant", "aws-k8s-1.29", "--release", "1.21.0", "--keys", "--json")
    keys = {entry["key"] for entry in json.loads(result.out)}
    assert "kubernetes.max-pods" in keys
    assert "kubernetes.memory-throttling-factor" not in keys
    assert "kubernetes.max-pods" in Result("--variant", "aws-k8s-1.29", "--keys").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--without-cluster", "--label", "a=b"), "--label does not go together with --without-cluster"),
        (("--without-cluster", "--cluster-dns-ip", "::1"), "--cluster-dns-ip does not go together with"),
        (("--keys", "--output", "x"), "--output does not go together with --keys"),
        (("--keys", "--base64"), "--base64 does not go together with --keys"),
    ],
)
def test_what_would_have_no_effect_is_refused(words: tuple[str, ...], message: str) -> None:
    assert message in Result("--variant", "aws-k8s-1.29", *words).refused(2)


def test_what_a_file_has_and_the_user_data_do_not_is_said(tmp_path: Path) -> None:
    file = tmp_path / "brqos.toml"
    file.write_text('[nodegroup]\nlabels = { a = "b" }\ntaints = ["a=b:NoSchedule"]\n')
    result = Result("--variant", "aws-k8s-1.29", "--without-cluster", "--config", str(file))
    assert "labels and taints are left out" in result.err
    assert list(tomllib.loads(result.out)["settings"]) == ["host-containers"]


def test_a_variant_without_a_default_release_has_user_data_too() -> None:
    assert Result("--variant", "aws-k8s-1.99", "--without-cluster").code == 0
