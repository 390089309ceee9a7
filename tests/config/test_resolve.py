from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.config.resolve import effective_values, resolve
from brqos.errors import ConfigurationError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, folder: Path) -> Path:
    file = folder / "brqos.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(text: str, folder: Path, **flags: object) -> ConfigurationError:
    write(text, folder)
    with pytest.raises(ConfigurationError) as caught:
        resolve(flags, None)
    return caught.value


def test_flags_win_over_the_file_and_the_file_over_the_shipped_variant(here: Path) -> None:
    write('variant = "aws-k8s-1.29"\n[kubelet]\nthrottling-factor = 0.8\n[upstream]\nref = "v1.49.0"\n', here)
    resolved = resolve({"kubelet.throttling-factor": 0.7}, None)
    values = {key: (value, origin) for key, value, origin in effective_values(resolved)}
    assert values["kubelet.throttling-factor"] == (0.7, "flag --throttling-factor")
    assert values["upstream.ref"] == ("v1.49.0", "brqos.toml")
    assert values["variant"] == ("aws-k8s-1.29", "brqos.toml")
    assert values["upstream.offline"] == (False, "default")
    assert values["arch"] == (Architecture.of_this_machine(), "this machine")


def test_the_shipped_variant_gives_the_release(here: Path) -> None:
    resolved = resolve({"variant": "aws-k8s-1.34-nvidia"}, None)
    assert resolved.spec.upstream.ref == "v1.50.0"
    assert resolved.origins["upstream.ref"] == "variants/aws-k8s-1.34.toml"


def test_tables_merge_key_by_key(here: Path) -> None:
    write('variant = "aws-k8s-1.29"\n[kubelet.feature-gates]\nA = true\nB = true\n', here)
    resolved = resolve({"kubelet.feature-gates": {"B": False}}, None)
    assert resolved.spec.kubelet.feature_gates == {"A": True, "B": False}
    assert resolved.origins["kubelet.feature-gates.A"] == "brqos.toml"


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ('variant = "aws-k8s-1.29"\nvarient = "x"\n', "varient", "variant"),
        (
            'variant = "aws-k8s-1.29"\n[kubelet]\nthrotling-factor = 0.5\n',
            "kubelet.throtling-factor",
            "kubelet.throttling-factor",
        ),
        ('variant = "aws-k8s-1.29"\n[nodegroup]\ncluster_name = "x"\n', "nodegroup.cluster_name", "nodegroup.cluster"),
    ],
)
def test_an_unknown_key_is_refused_with_file_key_and_the_nearest(here: Path, text: str, key: str, nearest: str) -> None:
    error = refused(text, here)
    assert error.what == f"brqos.toml: unknown key “{key}”"
    assert f"“{nearest}”" in error.todo


def test_a_gate_given_twice_is_refused_with_its_line(here: Path) -> None:
    error = refused('variant = "aws-k8s-1.29"\n[kubelet.feature-gates]\nA = true\nA = false\n', here)
    assert "line 4" in error.why or "at line" in error.why


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('variant = "aws-ecs-2"\n', "aws-ecs-2"),
        ('variant = "aws-k8s-1.29"\narch = "riscv"\n', "riscv"),
        ('variant = "aws-k8s-1.29"\n[ami]\nregions = ["Frankfurt"]\n', "ami.regions.0 = 'Frankfurt'"),
        ('variant = "aws-k8s-1.29"\n[build]\njobs = 0\n', "build.jobs = 0"),
        ('variant = "aws-k8s-1.29"\n[build]\npretty-name = "a$(b)"\n', "build.pretty-name"),
        ('variant = "aws-k8s-1.29"\nkubelet = 3\n', "kubelet = 3"),
        ("variant = [1]\n", "no variant is given"),
        ("arch = 'x86_64'\n", "no variant is given"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(here: Path, text: str, said: str) -> None:
    assert said in refused(text, here).what


def test_a_wrong_flag_names_the_flag(here: Path) -> None:
    with pytest.raises(ConfigurationError, match="flag --jobs"):
        resolve({"variant": "aws-k8s-1.29", "build.jobs": -1}, None)


def test_a_variant_without_a_default_needs_a_release(here: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve({"variant": "aws-k8s-1.27"}, None)
    assert "--ref" in caught.value.todo
    assert resolve({"variant": "aws-k8s-1.27", "upstream.ref": "v1.42.0"}, None).spec.upstream.ref == "v1.42.0"


def test_a_file_that_is_not_there_or_no_toml(here: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no configuration file"):
        resolve({"variant": "aws-k8s-1.29"}, here / "other.toml")
    (here / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        resolve({}, here / "bad.toml")
    assert "not valid TOML" in refused("variant = \n", here).what
