"""Which files change, and to what: from facts, without any image."""

import pytest

from brqos.architecture import Architecture
from brqos.config.model import Delivery
from brqos.errors import BrqosError, ConfigurationError
from brqos.image.repack import os_release
from brqos.image.repack.defaults import Defaults, find_defaults, with_updates_off
from brqos.image.repack.edit import Found, choose_delivery, plan_edit, real_path
from brqos.image.repack.filesystem.model import FileSystem
from brqos.image.repack.kubelet import Kubelet, find_kubelet
from brqos.memoryqos.settings import kubelet_settings
from brqos.overlay.package import PayloadFile
from brqos.variant import VariantName

USR = "/x86_64-bottlerocket-linux-gnu/sys-root/usr"
RELEASE = b"""\
NAME=Bottlerocket
ID=bottlerocket
VERSION="1.55.0 (aws-k8s-1.29)"
PRETTY_NAME="Bottlerocket OS 1.55.0 (aws-k8s-1.29)"
VARIANT_ID=aws-k8s-1.29
VERSION_ID=1.55.0
BUILD_ID=0a1b2c3d
HOME_URL="https://github.com/bottlerocket-os/bottlerocket"
"""
TEMPLATE = "---\nkind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nfeatureGates:\n  Other: true\n"
NATIVE = TEMPLATE + (
    "memoryThrottlingFactor: {{settings.kubernetes.memory-throttling-factor}}\n"
    "memoryReservationPolicy: {{settings.kubernetes.memory-reservation-policy}}\n"
)
DEFAULTS = '# upstream\'s\n[settings.updates]\nversion-lock = "latest"\nignore-waves = false\n\n[services.a]\nb = []\n'
FOLDER = "/etc/kubernetes/kubelet/config.d"


def kubelet(template: str = TEMPLATE, folder: str | None = FOLDER, version: str = "1.29.15") -> Kubelet:
    return Kubelet(f"{USR}/bin/kubelet", version, "the list", folder, f"{USR}/share/templates/kubelet-config", template)


def found(found_kubelet: Kubelet | None = None, variant: str = "aws-k8s-1.29") -> Found:
    release = os_release.parse(RELEASE.replace(b"aws-k8s-1.29", variant.encode()))
    defaults = Defaults(f"{USR}/share/storewolf/aws-k8s-1.31.toml", DEFAULTS)
    return Found(Architecture.X86_64, USR, release, VariantName.parse(variant), found_kubelet or kubelet(), defaults)


def plan(what: Found, delivery: Delivery, **options: bool) -> dict[str, str]:
    settings = kubelet_settings(what.variant.kubernetes)
    changes = plan_edit(what, settings, delivery, pretty_name="Example Corp's Bottlerocket derivative", **options)
    assert all(change.why for change in changes)
    assert [change.path for change in changes] == sorted(change.path for change in changes)
    return {change.path: change.content.decode() for change in changes}


def test_the_drop_in_is_three_files() -> None:
    files = plan(found(), Delivery.DROP_IN)
    config, tmpfiles = (
        f"{USR}/share/factory{FOLDER}/900-memory-qos.conf",
        f"{USR}/lib/tmpfiles.d/kubelet-memory-qos.conf",
    )
    assert files.keys() == {config, tmpfiles, f"{USR}/lib/os-release"}
    assert "MemoryQoS: true" in files[config]
    assert files[tmpfiles] == f"C {FOLDER}/900-memory-qos.conf - - - -\n"
    assert files[f"{USR}/lib/os-release"].splitlines() == [
        'NAME="Example Corp\'s Bottlerocket derivative"',
        "ID=bottlerocket",
        'VERSION="1.55.0 (aws-k8s-1.29-memoryqos)"',
        'PRETTY_NAME="Example Corp\'s Bottlerocket derivative 1.55.0 (aws-k8s-1.29-memoryqos)"',
        "VARIANT_ID=aws-k8s-1.29-memoryqos",
        "VERSION_ID=1.55.0",
        "BUILD_ID=0a1b2c3d",
        'HOME_URL="https://github.com/bottlerocket-os/bottlerocket"',
    ]


def test_the_template_is_the_image_s_own_with_the_gates_merged() -> None:
    files = plan(found(kubelet(folder=None)), Delivery.TEMPLATE)
    template = files[f"{USR}/share/templates/kubelet-config"]
    assert files.keys() == {f"{USR}/share/templates/kubelet-config", f"{USR}/lib/os-release"}
    assert template.count("featureGates:") == 1
    assert "  Other: true\n  MemoryQoS: true\n" in template


def test_native_needs_no_other_image() -> None:
    assert plan(found(), Delivery.NATIVE) == {}


def test_updates_are_locked_to_the_image_s_own_version() -> None:
    files = plan(found(), Delivery.DROP_IN, updates_off=True)
    assert files[f"{USR}/share/storewolf/aws-k8s-1.31.toml"] == DEFAULTS.replace("latest", "1.55.0")


def test_settings_for_another_kubernetes_are_a_bug() -> None:
    with pytest.raises(ValueError, match=r"settings for 1\.30"):
        plan_edit(
            found(),
            kubelet_settings(VariantName.parse("aws-k8s-1.30").kubernetes),
            Delivery.DROP_IN,
            pretty_name="Example",
        )


@pytest.mark.parametrize(
    ("what", "wish", "bake", "chosen"),
    [
        (kubelet(), None, False, Delivery.DROP_IN),
        (kubelet(folder=None), None, False, Delivery.TEMPLATE),
        (kubelet(folder="/etc/other"), None, False, Delivery.TEMPLATE),
        (kubelet(NATIVE, version="1.37.0"), None, False, Delivery.NATIVE),
        (kubelet(NATIVE, version="1.37.0"), None, True, Delivery.DROP_IN),
        (kubelet(), Delivery.TEMPLATE, False, Delivery.TEMPLATE),
    ],
)
def test_the_delivery_fits(what: Kubelet, wish: Delivery | None, bake: bool, chosen: Delivery) -> None:
    assert choose_delivery(what, wish, bake=bake) is chosen


@pytest.mark.parametrize(
    ("what", "wish", "why"),
    [
        (kubelet(folder=None), Delivery.DROP_IN, "no drop-in directory"),
        (kubelet(folder="/etc/other"), Delivery.DROP_IN, "reads /etc/other"),
        (kubelet(), Delivery.NATIVE, "knows no settings"),
        (kubelet(NATIVE), Delivery.TEMPLATE, "stand there twice"),
        (kubelet(NATIVE, folder=None), None, "no drop-in directory"),
    ],
)
def test_a_delivery_that_cannot_work_is_told(what: Kubelet, wish: Delivery | None, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        choose_delivery(what, wish, bake=True)


def test_macros_are_the_sdk_s() -> None:
    def path(directory: str) -> str:
        return real_path(PayloadFile("x", "", directory, "f", False, "a test"), Architecture.AARCH64)

    root = "/aarch64-bottlerocket-linux-gnu/sys-root/usr"
    assert path("%{_cross_factorydir}%{_cross_sysconfdir}/a") == f"{root}/share/factory/etc/a/f"
    assert path("%{_cross_templatedir}") == f"{root}/share/templates/f"
    with pytest.raises(ValueError, match="not known here"):
        path("%{_cross_unitdir}")


@pytest.mark.parametrize("name", ["", 'a "b"', "a\\b", "$(reboot)", "a\nb", "`a`", "x" * 121])
def test_names_that_would_break_os_release_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name"):
        os_release.modified(os_release.parse(RELEASE), VariantName.parse("aws-k8s-1.29"), name)


def test_what_os_release_lacks_is_added() -> None:
    release = os_release.parse(
        b"ID=bottlerocket\nVARIANT_ID='aws-k8s-1.29'\nVERSION_ID=1\nBUILD_ID=2\n# a comment\nodd"
    )
    assert (release.variant_id, release.pretty_name) == ("aws-k8s-1.29", "")
    text = os_release.modified(release, VariantName.parse("aws-k8s-1.29-fips"), "Example")
    assert os_release.parse(text.encode()).values == {
        "ID": "bottlerocket",
        "VARIANT_ID": "aws-k8s-1.29-fips-memoryqos",
        "VERSION_ID": "1",
        "BUILD_ID": "2",
        "NAME": "Example",
        "VERSION": "1 (aws-k8s-1.29-fips-memoryqos)",
        "PRETTY_NAME": "Example 1 (aws-k8s-1.29-fips-memoryqos)",
    }


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "not Bottlerocket"),
        (b"ID=debian\n", "not Bottlerocket"),
        (b"\xff\xfe", "not Bottlerocket"),
        (b"ID=bottlerocket\nVARIANT_ID=a\n", "no VERSION_ID and no BUILD_ID"),
    ],
)
def test_other_systems_are_told(content: bytes, what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        os_release.parse(content)


class _Files:
    """As much of a file system as the finders ask for."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = {f"{USR}/{path}": text.encode() for path, text in files.items()}

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)

    def stat(self, path: str) -> object:
        return self._files.get(path)

    def entries(self, folder: str) -> tuple[str, ...]:
        return tuple(sorted(path.rpartition("/")[2] for path in self._files if path.rpartition("/")[0] == folder))


def files(**changes: str | None) -> FileSystem:
    content = {
        "bin/kubelet": "\0v1.29.15-eks-0a1b2c3\0v1.29.15-eks-0a1b2c3\0v0.29.15",
        "share/templates/kubelet-config": TEMPLATE,
        "share/templates/kubelet-exec-start-conf": f"ExecStart=/usr/bin/kubelet \\\n    --config-dir={FOLDER} \\\n",
        "share/templates/kubelet-env": "NODE_IP=1\nKUBELET_CONFIG_DROPIN_DIR_ALPHA=1\n",
        "share/storewolf/aws-k8s-1.31.toml": DEFAULTS,
        "lib/tmpfiles.d/storewolf-defaults-aws-k8s-1.31.conf": (
            f"L+ /etc/storewolf/defaults.toml - - - - {USR}/share/storewolf/aws-k8s-1.31.toml\n"
        ),
        **{path.replace("__", "/"): text for path, text in changes.items()},
    }
    return _Files({path: text for path, text in content.items() if text is not None})  # type: ignore[return-value]


VARIANT = VariantName.parse("aws-k8s-1.29")


def test_the_kubelet_is_found() -> None:
    assert find_kubelet(files(), USR, VARIANT).drop_in_directory == FOLDER
    assert find_kubelet(files(), USR, VARIANT).version == "1.29.15"
    fips = find_kubelet(files(**{"bin/kubelet": None, "fips/bin/kubelet": "v1.29.1-eks-0a1b2c3"}), USR, VARIANT)
    assert (fips.version, fips.program) == ("1.29.1", f"{USR}/fips/bin/kubelet")


@pytest.mark.parametrize(
    ("change", "folder"),
    [
        ({"share/templates/kubelet-env": "NODE_IP=1\n"}, None),
        ({"share/templates/kubelet-env": None}, None),
        ({"share/templates/kubelet-exec-start-conf": None}, None),
        ({"share/templates/kubelet-exec-start-conf": "--config-dir /etc/other/"}, "/etc/other"),
    ],
)
def test_the_folder_counts_only_where_the_kubelet_reads_it(change: dict[str, str | None], folder: str | None) -> None:
    assert find_kubelet(files(**change), USR, VARIANT).drop_in_directory == folder


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"bin/kubelet": None}, "has no kubelet"),
        ({"bin/kubelet": ""}, "cannot be told"),
        ({"bin/kubelet": "v1.29.1-eks-0a1b2c3 v1.30.2-eks-0a1b2c3"}, r"cannot be told"),
        ({"bin/kubelet": "v1.30.2-eks-0a1b2c3"}, r"its kubelet is 1\.30\.2"),
        ({"share/templates/kubelet-config": None}, "no template"),
    ],
)
def test_kubelets_that_are_not_as_expected_are_told(change: dict[str, str | None], what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        find_kubelet(files(**change), USR, VARIANT)


def test_the_defaults_are_those_that_the_image_takes() -> None:
    assert find_defaults(files(), USR).path == f"{USR}/share/storewolf/aws-k8s-1.31.toml"
    line = "L+ /etc/storewolf/defaults.toml - - - - /usr/share/storewolf/aws-k8s-1.31.toml\n"
    by_link = files(**{"lib/tmpfiles.d/storewolf-defaults-aws-k8s-1.31.conf": line})
    assert 'version-lock = "latest"' in find_defaults(by_link, USR).text


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"lib/tmpfiles.d/storewolf-defaults-aws-k8s-1.31.conf": ""}, "0 lines"),
        ({"share/storewolf/aws-k8s-1.31.toml": None}, "no file"),
        (
            {
                "lib/tmpfiles.d/storewolf-defaults-aws-k8s-1.31.conf": (
                    "L+ /etc/storewolf/defaults.toml - - - - /usr/share/../share/storewolf/aws-k8s-1.31.toml"
                )
            },
            "no plain path",
        ),
        ({"share/storewolf/aws-k8s-1.31.toml": "= 1"}, "is not TOML"),
        (
            {
                "lib/tmpfiles.d/storewolf-defaults-b.conf": (
                    "L+ /etc/storewolf/defaults.toml - - - - /usr/share/storewolf/b.toml"
                )
            },
            "2 lines",
        ),
    ],
)
def test_defaults_that_are_not_as_expected_are_told(change: dict[str, str | None], what: str) -> None:
    with pytest.raises(BrqosError) as caught:
        find_defaults(files(**change), USR)
    assert what in str(caught.value)


def test_defaults_without_updates_are_told() -> None:
    with pytest.raises(ConfigurationError, match="defaults"):
        with_updates_off(Defaults("/x", "[settings]\na = 1\n"), "1.55.0")
