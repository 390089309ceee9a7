"""The kubelet of an image: its version, and how it is told its configuration.

Places: core kit, packages/kubernetes-<minor>/kubernetes-<minor>.spec. The FIPS flavors have the program below
`usr/fips/bin`, which is mounted over `usr/bin` (packages/release, usr-bin.mount).
"""

import json
import re
from dataclasses import dataclass, field

from brqos.errors import ConfigurationError
from brqos.image.repack.filesystem.model import FileSystem
from brqos.upstream.kit import NATIVE_SETTINGS
from brqos.variant import KubernetesVersion, VariantName

TEMPLATE = "share/templates/kubelet-config"
_EXEC_START = "share/templates/kubelet-exec-start-conf"
_ENVIRONMENT = "share/templates/kubelet-env"
_PROGRAMS = ("bin/kubelet", "fips/bin/kubelet")
_INVENTORY = "share/bottlerocket/application-inventory.json"
# Up to 1.29 the kubelet reads its folder only where this is set (kubernetes, cmd/kubelet/app/server.go).
_ALPHA = "KUBELET_CONFIG_DROPIN_DIR_ALPHA"
_FIRST_WITH_FOLDER = KubernetesVersion(1, 28)
_FIRST_WITHOUT_ALPHA = KubernetesVersion(1, 30)
_PACKAGE = re.compile(r"(?:bottlerocket-)?(?:kubelet|kubernetes)-1\.\d+(?:-(?:fips-)?bin)?")
_IN_PROGRAM = re.compile(rb"\bv(1\.\d{1,3}\.\d{1,3})-eks-[0-9a-f]{7}")
_CONFIG_FOLDER = re.compile(r"--config-dir[= ]\s*(\S+)")


@dataclass(frozen=True, slots=True)
class Kubelet:
    """What was found.

    `version` is the kubelet's, `1.29.15`, and `version_from` where that stands. `drop_in_directory` is the folder that
    it reads beside its configuration, None without one. `template` is its configuration's, `template_path` where it
    lies.
    """

    program: str
    version: str
    version_from: str
    drop_in_directory: str | None
    template_path: str
    template: str = field(repr=False)

    @property
    def kubernetes(self) -> KubernetesVersion:
        """Its minor version."""
        return KubernetesVersion.parse(self.version)

    @property
    def has_native_settings(self) -> bool:
        """Whether the template renders both MemoryQoS settings itself (Kubernetes 1.37, core kit 17.0.0)."""
        return all(f"settings.kubernetes.{name}" in self.template for name in NATIVE_SETTINGS)


def find_kubelet(files: FileSystem, usr: str, variant: VariantName) -> Kubelet:
    """Look for it below `usr`, the folder that /usr points to.

    Raises ConfigurationError where there is none, where its version is not that of the variant's name or cannot be
    told, or where its configuration is not where upstream has it.
    """
    program = next((name for name in _PROGRAMS if files.stat(f"{usr}/{name}") is not None), None)
    if program is None:
        raise ConfigurationError(
            "the image has no kubelet",
            why=f"Neither {usr}/{_PROGRAMS[0]} nor {usr}/{_PROGRAMS[1]} is there.",
            todo="Give an image of a variant for EKS (aws-k8s-...); MemoryQoS is the kubelet's.",
        )
    version, source = _version(files, usr, program)
    if KubernetesVersion.parse(version) != variant.kubernetes:
        raise ConfigurationError(
            f"the image calls itself {variant}, and its kubelet is {version}",
            why=f"The kubelet's version stands in {source}.",
            todo="Give an OS image of Bottlerocket's own; one that was changed otherwise is not known here.",
        )
    template = _text(files, f"{usr}/{TEMPLATE}")
    if template is None:
        raise ConfigurationError(
            "the image has no template for the kubelet's configuration",
            why=f"{usr}/{TEMPLATE} is not there.",
            todo="Give an OS image of Bottlerocket's own; one that was changed otherwise is not known here.",
        )
    return Kubelet(
        program=f"{usr}/{program}",
        version=version,
        version_from=source,
        drop_in_directory=_drop_in_directory(files, usr, variant.kubernetes),
        template_path=f"{usr}/{TEMPLATE}",
        template=template,
    )


def _version(files: FileSystem, usr: str, program: str) -> tuple[str, str]:
    """The version and where it stands: the list of packages, or (before 1.10, or where it is damaged) the program."""
    inventory = files.read(f"{usr}/{_INVENTORY}")
    listed = _listed(inventory) if inventory is not None else set()
    if len(listed) == 1:
        return listed.pop(), f"{usr}/{_INVENTORY}"
    content = files.read(f"{usr}/{program}") or b""
    found = {match.decode() for match in _IN_PROGRAM.findall(content)}
    if len(found) == 1:
        return found.pop(), f"{usr}/{program}"
    told = ", ".join(sorted(found | listed)) or "none"
    raise ConfigurationError(
        "the version of the image's kubelet cannot be told",
        why=f"Found in its list of packages and in the program: {told}.",
        todo="Give an OS image of Bottlerocket's own; one that was changed otherwise is not known here.",
    )


def _listed(inventory: bytes) -> set[str]:
    try:
        content = json.loads(inventory)["Content"]
        return {str(item["Version"]) for item in content if _PACKAGE.fullmatch(str(item["Name"]))}
    except (ValueError, KeyError, TypeError):
        return set()


def _drop_in_directory(files: FileSystem, usr: str, kubernetes: KubernetesVersion) -> str | None:
    """The folder that the kubelet is started with, if it reads it."""
    match = _CONFIG_FOLDER.search(_text(files, f"{usr}/{_EXEC_START}") or "")
    if match is None or kubernetes < _FIRST_WITH_FOLDER:
        return None
    if kubernetes < _FIRST_WITHOUT_ALPHA and _ALPHA not in (_text(files, f"{usr}/{_ENVIRONMENT}") or ""):
        return None
    return match[1].rstrip("/")


def _text(files: FileSystem, path: str) -> str | None:
    content = files.read(path)
    return None if content is None else content.decode(errors="replace")
