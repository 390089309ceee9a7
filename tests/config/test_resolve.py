from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.config.resolve import effective_values, resolve, resolve_ami
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
        ('variant = "aws-k8s-1.29"\n[ami]\nshare_accounts = []\n', "ami.share_accounts", "ami.share-accounts"),
        ('variant = "aws-k8s-1.29"\n[build]\nmake_env = {A_B = "x"}\n', "build.make_env", "build.make-env"),
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


@pytest.mark.parametrize(
    ("line", "what", "words"),
    [
        ('regions = "eu-central-1"', "ami.regions = 'eu-central-1'", 'Write a list: regions = ["eu-central-1"]'),
        ("share-accounts = 123456789012", "ami.share-accounts", 'Write a list: share-accounts = ["123456789012"]'),
        ("share-accounts = [123456789012]", "ami.share-accounts.0 = 123456789012", "Put the account in quotes"),
        ('share-accounts = ["1234-5678-9012"]', "ami.share-accounts.0", "12 digits, without dashes"),
        ("tags = {Year = 2025}", "ami.tags.Year = 2025", 'Put the value in quotes: "2025"'),
        ("tags = {Live = true}", "ami.tags.Live = true", 'Put the value in quotes: "true"'),
        ('tags = ["x"]', "ami.tags = a list", "Write a section [ami.tags]"),
        ('role = ["x"]', "ami.role = a list", ""),
        ("protect = {}", "ami.protect = a table", ""),
        ('kms-keys = {eu-west-1 = "alias/x"}', "ami.kms-keys.eu-west-1 = 'alias/x'", "aws kms describe-key"),
        ('region-roles = {mars = "x"}', "ami.region-roles.mars is refused", "how AWS writes a region"),
        (f'description = "{"x" * 300}"', f"'{'x' * 59}… (302 characters) is refused", "at most 255 characters"),
        ('name = "xy"', "ami.name = 'xy'", "3 to 128 characters"),
        ('ssm-prefix = "/images/"', "ami.ssm-prefix", "/images/bottlerocket"),
        (f"{'x' * 300} = 1", "… (304 characters)”", ""),
    ],
)
def test_a_rule_is_told_in_words(here: Path, line: str, what: str, words: str) -> None:
    error = refused(f'variant = "aws-k8s-1.29"\n[ami]\n{line}\n', here)
    assert error.what.startswith("brqos.toml: ")
    assert what in error.what
    assert words in f"{error.why} {error.todo}"
    assert "pattern" not in str(error)
    assert "tuple" not in str(error)
    assert max(map(len, str(error).splitlines())) < 200


def test_the_section_alone_is_read_as_strictly(here: Path) -> None:
    write('variant = "aws-k8s-1.29"\n[ami]\nssm_prefix = "/images"\n[kubelet]\nfeature_gates = {}\n', here)
    with pytest.raises(ConfigurationError, match=r"brqos.toml: unknown key “ami.ssm_prefix”"):
        resolve_ami({}, None)


def test_names_of_ones_own_may_have_underscores(here: Path) -> None:
    write('variant = "aws-k8s-1.29"\n[ami.tags]\nkms_keys = "x"\n[build.make-env]\nBUILDSYS_JOBS = "2"\n', here)
    assert resolve({}, None).spec.ami.tags == {"kms_keys": "x"}
