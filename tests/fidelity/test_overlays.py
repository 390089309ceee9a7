"""What brqos makes of the miniatures holds, by git, cargo, rpm and Handlebars; and the checks can fail."""

import copy
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from brqos import process
from brqos.rehearsal.miniature import Layout
from fidelity.case import Case, CheckError
from fidelity.kubelet import check_kubelet
from fidelity.matrix import SPEC
from fidelity.rpm import InstalledFile, built_files, check_package, check_specs, payload
from fidelity.runner import Bench, checks_of
from fidelity.surface import check_surface
from fidelity.tree import check_cargo, check_commit, check_variant

pytestmark = pytest.mark.processes
Made = Callable[[Layout, str], Case]
Kubelet = Callable[[Case, Case], None]
Spoiled = Callable[[Case, dict[str, str | None]], Case]
PACKAGE = "packages/kubelet-memory-qos"

OVERLAYS = [
    (Layout.EARLY, "aws-k8s-1.24"),
    (Layout.EARLY, "aws-k8s-1.26-nvidia"),
    (Layout.EARLY, "aws-k8s-1.27"),
    (Layout.EARLY, "aws-k8s-1.30"),
    (Layout.MIDDLE, "aws-k8s-1.29-fips"),
    (Layout.MIDDLE, "aws-k8s-1.32-nvidia"),
    (Layout.DROP_IN, "aws-k8s-1.28"),
    (Layout.DROP_IN, "aws-k8s-1.31-fips"),
    (Layout.DROP_IN, "aws-k8s-1.33-nvidia"),
    (Layout.NATIVE, "aws-k8s-1.36-nvidia-fips"),
    (Layout.NATIVE, "aws-k8s-1.37"),
]


@pytest.mark.parametrize(("layout", "variant"), OVERLAYS)
def test_overlay(layout: Layout, variant: str, made: Made, bench: Bench, tmp_path: Path) -> None:
    ran = []
    again = variant.endswith("nvidia")
    for name, check in checks_of(made(layout, variant), bench, tmp_path, again=again):
        check()
        ran.append(name)
    assert len(ran) == (2 if variant == "aws-k8s-1.37" else 8 + again)


@pytest.fixture
def template_case(made: Made) -> Case:
    return made(Layout.EARLY, "aws-k8s-1.26-nvidia")


@pytest.fixture
def drop_in_case(made: Made) -> Case:
    return made(Layout.DROP_IN, "aws-k8s-1.33-nvidia")


def text(case: Case, path: str) -> str:
    return (case.work_tree / path).read_text(encoding="utf-8")


@pytest.fixture
def kubelet(bench: Bench, tmp_path: Path) -> Callable[[Case, Case], None]:
    """Check what a spoiled case tells the kubelet, with its files at the places where the good one's build has them."""

    def check(good: Case, spoiled: Case) -> None:
        built = good_build(good, bench.macros, tmp_path)
        names = {sha256_of(path): path.name for path in payload(good.local_package)}
        moved = [
            InstalledFile(file.path, file.mode, sha256_of(spoiled.local_package / names[file.sha256]))
            for file in built
            if not file.is_directory
        ]
        check_kubelet(spoiled, moved, bench.macros, bench.renderer, bench.fields)

    return check


_BUILT: dict[Path, list[InstalledFile]] = {}


def good_build(case: Case, macros: Path, folder: Path) -> list[InstalledFile]:
    """The entries of the package as brqos makes it, built once."""
    if case.work_tree not in _BUILT:
        _BUILT[case.work_tree] = built_files(case.local_package, macros, folder / "rpm")
    return _BUILT[case.work_tree]


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# What the surface may get wrong.


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["delivery"], "template", "delivery is 'template', not 'drop-in'"),
        (["variant"], "aws-k8s-1.33-nvidia", "variant is"),
        (["upstream", "commit"], "0" * 40, "upstream.commit is"),
        (["commit"], "abc", "commit is “abc”"),
        (["kubelet_configuration", "memoryThrottlingFactor"], 0.8, "kubelet_configuration is"),
        (["files", 0, "sha256"], "abc", "no such file operation"),
        (["files", 0, "path"], "Cargo.toml", "listed twice"),
    ],
)
def test_wrong_surface_is_caught(path: list, value: object, message: str, drop_in_case: Case) -> None:
    surface = copy.deepcopy(drop_in_case.surface)
    target = surface
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(CheckError, match=re.escape(message)):
        check_surface(Case(drop_in_case.pair, surface, drop_in_case.work_tree))


def test_missing_key_of_the_surface_is_caught(drop_in_case: Case) -> None:
    surface = {key: value for key, value in drop_in_case.surface.items() if key != "core_kit"}
    with pytest.raises(CheckError, match="lacks"):
        check_surface(Case(drop_in_case.pair, surface, drop_in_case.work_tree))


def test_template_delivery_without_core_kit_is_caught(template_case: Case) -> None:
    surface = {**template_case.surface, "core_kit": None}
    with pytest.raises(CheckError, match="core_kit is null"):
        check_surface(Case(template_case.pair, surface, template_case.work_tree))


# What the commit may get wrong.


def test_stray_file_is_caught(drop_in_case: Case, spoiled: Spoiled) -> None:
    with pytest.raises(CheckError, match="not clean"):
        check_commit(spoiled(drop_in_case, {"stray.tar.gz": ""}))


def test_file_that_is_not_listed_is_caught(drop_in_case: Case) -> None:
    surface = {**drop_in_case.surface, "files": drop_in_case.surface["files"][1:]}
    with pytest.raises(CheckError, match="changed but not listed"):
        check_commit(Case(drop_in_case.pair, surface, drop_in_case.work_tree))


def test_wrong_hash_is_caught(drop_in_case: Case) -> None:
    surface = copy.deepcopy(drop_in_case.surface)
    surface["files"][2]["sha256"] = "0" * 64
    with pytest.raises(CheckError, match="another SHA-256"):
        check_commit(Case(drop_in_case.pair, surface, drop_in_case.work_tree))


def test_second_commit_is_caught(drop_in_case: Case, spoiled: Spoiled) -> None:
    case = committed(spoiled(drop_in_case, {"README.md": "changed\n"}))
    with pytest.raises(CheckError, match="the commit's parents are"):
        check_commit(case)


def test_change_elsewhere_is_caught(drop_in_case: Case, spoiled: Spoiled) -> None:
    case = committed(spoiled(drop_in_case, {"Twoliter.toml": "changed\n"}), "--amend")
    with pytest.raises(CheckError, match="changed but not listed"):
        check_commit(case)


def committed(case: Case, *how: str) -> Case:
    identity = ["-c", "user.name=Me", "-c", "user.email=me@example.com"]
    process.run(["git", "-C", str(case.work_tree), *identity, "commit", "--quiet", "--all", "-m", "spoiled", *how])
    return Case(case.pair, {**case.surface, "commit": case.git("rev-parse", "HEAD").strip()}, case.work_tree)


# What the variant and the workspace may get wrong.


def test_missing_amispec_is_caught(drop_in_case: Case, spoiled: Spoiled) -> None:
    case = committed(spoiled(drop_in_case, {f"variants/{drop_in_case.new}/amispec.toml": None}), "--amend")
    with pytest.raises(CheckError, match=r"amispec.toml is not the base's \(None"):
        check_variant(case)


def test_lost_kernel_parameter_is_caught(drop_in_case: Case, spoiled: Spoiled) -> None:
    path = f"variants/{drop_in_case.new}/Cargo.toml"
    with pytest.raises(CheckError, match="not the base's with our package"):
        check_variant(spoiled(drop_in_case, {path: text(drop_in_case, path).replace('    "quiet",\n', "")}))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (' "kubelet-memory-qos",\n', ""),
        ('[[package]]\nname = "kubelet-memory-qos"\nversion = "0.1.0"\n\n', ""),
        ('name = "kubelet-memory-qos"\nversion = "0.1.0"', 'name = "kubelet-memory-qos"\nversion = "0.2.0"'),
    ],
)
def test_wrong_lock_is_caught(old: str, new: str, drop_in_case: Case, spoiled: Spoiled, cargo: Path) -> None:
    lock = text(drop_in_case, "Cargo.lock")
    assert old in lock
    with pytest.raises(CheckError, match="cargo refuses the workspace"):
        check_cargo(spoiled(drop_in_case, {"Cargo.lock": lock.replace(old, new)}), cargo)


def test_missing_member_is_caught(drop_in_case: Case, spoiled: Spoiled, cargo: Path) -> None:
    manifest = re.sub(r'(?m)^.*"variants/.*memoryqos",\n', "", text(drop_in_case, "Cargo.toml"))
    with pytest.raises(CheckError):
        check_cargo(spoiled(drop_in_case, {"Cargo.toml": manifest}), cargo)


# What the spec files may get wrong.


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (r"^Provides: .*memoryqos\)\n", "", "provides"),
        (r"^(Provides: .*)aws-dev\)\n", r"\g<0>\1aws-k8s-1.33-nvidia-memoryqos)\n", "provides"),
        (r"(variant\(aws-k8s-1.33-nvidia-memoryqos\)) or\n", r"\1\n", "rpmspec refuses"),
        (r"^(Requires: )(.*variant\(aws-dev\))$", r"\1(\2 or %{_cross_os}variant(other))", "requires"),
        (r"^Requires: .*variant\(aws-dev\)$", r"\g<0>\n\g<0>x", "requires"),
        (r"^%package aws-dev$(.|\n)*?\n(?=%package)", "", "the subpackages changed|rpmspec refuses"),
    ],
)
def test_wrong_spec_is_caught(
    old: str, new: str, message: str, drop_in_case: Case, spoiled: Spoiled, bench: Bench
) -> None:
    spec, count = re.subn(old, new, text(drop_in_case, SPEC), flags=re.MULTILINE)
    assert count
    with pytest.raises(CheckError, match=message):
        check_specs(spoiled(drop_in_case, {SPEC: spec}), bench.macros)


def test_payload_that_is_not_installed_is_caught(
    drop_in_case: Case, spoiled: Spoiled, bench: Bench, tmp_path: Path
) -> None:
    case = spoiled(drop_in_case, {f"{PACKAGE}/more.conf": "more\n"})
    with pytest.raises(CheckError, match="the payload is"):
        check_package(case, built_files(case.local_package, bench.macros, tmp_path / "rpm"), bench.macros)


@pytest.mark.parametrize(
    ("path", "mode", "message"),
    [
        ("{root}/usr/share/a", 0o100600, "has the mode"),
        ("/usr/share/a", 0o100644, "not in the image"),
        ("{root}/usr/share/templates/kubelet-config", 0o100644, "already"),
    ],
)
def test_wrong_place_or_mode_is_caught(
    path: str, mode: int, message: str, template_case: Case, bench: Bench, tmp_path: Path
) -> None:
    (built,) = [
        file
        for file in built_files(template_case.local_package, bench.macros, tmp_path / "rpm")
        if not file.is_directory
    ]
    wrong = InstalledFile(path.format(root="/x86_64-bottlerocket-linux-gnu/sys-root"), mode, built.sha256)
    check_package(template_case, [built], bench.macros)
    with pytest.raises(CheckError, match=message):
        check_package(template_case, [wrong], bench.macros)


def test_spec_that_does_not_build_is_caught(drop_in_case: Case, spoiled: Spoiled, bench: Bench, tmp_path: Path) -> None:
    path = f"{PACKAGE}/kubelet-memory-qos.spec"
    case = spoiled(drop_in_case, {path: text(drop_in_case, path).replace("%files\n", "%files\n/nowhere\n")})
    with pytest.raises(CheckError, match="rpmbuild fails"):
        built_files(case.local_package, bench.macros, tmp_path / "rpm")


# What the kubelet may be told wrongly.


def template_of(case: Case) -> tuple[str, str]:
    path = f"{PACKAGE}/kubelet-config-memory-qos"
    return path, text(case, path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cgroupDriver: systemd\n", "cgroupDriver: systemd\nfeatureGates:\n  MemoryQoS: true\n", "no strict YAML"),
        ("  CSIMigration: true\n", "", "featureGates are"),
        ("  MemoryQoS: true\n", "", "featureGates are"),
        ("memoryThrottlingFactor: 0.9\n", "", "memoryThrottlingFactor is None"),
        (
            "memoryThrottlingFactor: 0.9\n",
            "memoryThrottlingFactor: 0.9\nmemoryReservationPolicy: None\n",
            "does not know",
        ),
        ('cgroupRoot: "/"\n', "", "upstream's own settings changed"),
        ("{{/unless}}\n", "", "Handlebars refuses the template"),
        ('helpers = ["any_enabled", "default"]', 'helpers = ["default"]', "front matter is not upstream's"),
    ],
)
def test_wrong_template_is_caught(
    old: str, new: str, message: str, template_case: Case, spoiled: Spoiled, kubelet: Kubelet
) -> None:
    path, template = template_of(template_case)
    assert old in template
    case = spoiled(template_case, {path: template.replace(old, new)})
    with pytest.raises(CheckError, match=message):
        kubelet(template_case, case)


def test_template_that_nobody_reads_is_caught(template_case: Case, spoiled: Spoiled, kubelet: Kubelet) -> None:
    (defaults,) = [file["path"] for file in template_case.surface["files"] if file["path"].startswith("sources/")]
    with pytest.raises(CheckError, match="settings point at /usr/share/templates/kubelet-config,"):
        kubelet(template_case, spoiled(template_case, {defaults: None}))


def test_defaults_file_that_comes_too_early_is_caught(template_case: Case, spoiled: Spoiled, kubelet: Kubelet) -> None:
    (defaults,) = [file["path"] for file in template_case.surface["files"] if file["path"].startswith("sources/")]
    early = str(Path(defaults).with_name("01-early.toml"))
    with pytest.raises(CheckError, match="settings point at /usr/share/templates/kubelet-config,"):
        kubelet(template_case, spoiled(template_case, {defaults: None, early: text(template_case, defaults)}))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("C /etc", "d /etc", "puts nothing there"),
        ("900-memory-qos.conf", "900-memory-qos.yaml", "puts nothing there"),
        ("config.d/900", "other.d/900", "0 drop-ins"),
        (
            "config.d/900-memory-qos.conf - - - -",
            "config.d/000-a.conf - - - - /usr/share/factory/etc/kubernetes/kubelet/config.d/900-memory-qos.conf",
            "too early",
        ),
    ],
)
def test_drop_in_that_is_not_read_is_caught(
    old: str, new: str, message: str, drop_in_case: Case, spoiled: Spoiled, kubelet: Kubelet
) -> None:
    path = f"{PACKAGE}/kubelet-memory-qos-tmpfiles.conf"
    assert old in text(drop_in_case, path)
    case = spoiled(drop_in_case, {path: text(drop_in_case, path).replace(old, new)})
    with pytest.raises(CheckError, match=message):
        kubelet(drop_in_case, case)


def test_drop_in_without_the_factor_is_caught(drop_in_case: Case, spoiled: Spoiled, kubelet: Kubelet) -> None:
    path = f"{PACKAGE}/900-memory-qos.conf"
    case = spoiled(drop_in_case, {path: re.sub(r"(?m)^memoryThrottlingFactor.*\n", "", text(drop_in_case, path))})
    with pytest.raises(CheckError, match="memoryThrottlingFactor is None"):
        kubelet(drop_in_case, case)
