"""Check 1: is it the image. What the node says of its system, against the build record. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.kube.kubelet import name_of, node_info
from brqos.memoryqos.settings import FIRST_ON_BY_DEFAULT
from brqos.variant import SUFFIX, KubernetesVersion
from brqos.verify.model import Check, Finding, Status, Subject, Wanted

# Upstream's rpm2img writes PRETTY_NAME as "<pretty name> <version> (<variant>)", and that is what a node tells.
_OS_IMAGE = re.compile(r"(?P<pretty>.+) (?P<release>\d+\.\d+\.\d+\S*) \((?P<variant>[a-z0-9.-]+)\)")
_PROVIDER = re.compile(r"aws:///(?P<zone>[a-z0-9-]+?[a-z]?)/(?P<instance>i-[0-9a-f]{8,17})")
_ZONE = re.compile(r"(?P<region>[a-z]{2}(?:-[a-z]+)+-\d+)[a-z0-9-]*")
AMI_LABEL = "eks.amazonaws.com/nodegroup-image"
"""EKS writes the AMI of a managed nodegroup's node here."""


@dataclass(frozen=True, slots=True)
class OsImage:
    """A Bottlerocket node's osImage, taken apart."""

    pretty: str
    release: str
    variant: str

    @property
    def is_ours(self) -> bool:
        """Whether the variant is one that brqos makes."""
        return self.variant.endswith(f"-{SUFFIX}")


@dataclass(frozen=True, slots=True)
class Instance:
    """The EC2 instance that a node is."""

    id: str
    region: str


@dataclass(frozen=True, slots=True)
class InstanceImage:
    """The AMI that an instance runs from, or in words why it is not known; `source` is who told."""

    ami: str | None = None
    source: str = ""
    unknown: str = ""


def os_image_of(node: Mapping[str, Any]) -> OsImage | None:
    """The node's system; None where it is not Bottlerocket's way of saying it."""
    match = _OS_IMAGE.fullmatch(str(node_info(node).get("osImage") or ""))
    return OsImage(match["pretty"], match["release"], match["variant"]) if match else None


def instance_of(node: Mapping[str, Any]) -> Instance | None:
    """The EC2 instance, by the node's providerID `aws:///eu-west-1a/i-0123456789abcdef0`."""
    match = _PROVIDER.fullmatch(str((node.get("spec") or {}).get("providerID") or ""))
    zone = _ZONE.fullmatch(match["zone"]) if match else None
    return Instance(match["instance"], zone["region"]) if match and zone else None


def check_image(node: Mapping[str, Any], wanted: Wanted | None, image: InstanceImage) -> Check:
    """Is the node from the image of the build, or at least from one that brqos made."""
    info = node_info(node)
    findings = [*_system(node, wanted), _kubelet(info, wanted), *_architecture(info, wanted)]
    findings += [
        Finding(status=Status.PASSED, what=what, observed=str(info.get(key) or "not told"))
        for what, key in (("kernel", "kernelVersion"), ("container runtime", "containerRuntimeVersion"))
    ]
    findings.append(_ami(node, wanted, image))
    return Check(subject=Subject.IMAGE, findings=tuple(findings))


def _system(node: Mapping[str, Any], wanted: Wanted | None) -> list[Finding]:
    told, found = str(node_info(node).get("osImage") or "nothing"), os_image_of(node)
    if found is None:
        return [
            Finding(
                status=Status.FAILED,
                what="system",
                expected=f"Bottlerocket, variant {wanted.variant}" if wanted else f"Bottlerocket, variant …-{SUFFIX}",
                observed=told,
                why="This node does not run Bottlerocket, so it does not run the image.",
            )
        ]
    return [_variant(node, found, wanted), *_release(found, wanted)]


def _variant(node: Mapping[str, Any], found: OsImage, wanted: Wanted | None) -> Finding:
    expected = wanted.variant if wanted else f"…-{SUFFIX}"
    if wanted is None and not found.is_ours and _natively(node):
        return Finding(
            status=Status.WARNING,
            what="variant",
            expected=expected,
            observed=found.variant,
            why="It is the official image; on Kubernetes 1.37 and later that can have MemoryQoS by its settings.",
        )
    if found.variant == expected or (wanted is None and found.is_ours):
        return Finding(status=Status.PASSED, what="variant", expected=expected, observed=found.variant)
    why = "" if found.is_ours else "It is the official image, which knows nothing of MemoryQoS."
    if not found.is_ours and expected == f"{found.variant}-{SUFFIX}":
        why = "It is the official image: the nodegroup has another AMI, or an in-place update replaced the image."
    return Finding(
        status=Status.FAILED,
        what="variant",
        expected=expected,
        observed=found.variant,
        why=why,
        todo="Give the nodegroup the AMI of the build (`brqos nodegroup`), and replace the node.",
    )


def _natively(node: Mapping[str, Any]) -> bool:
    try:
        return KubernetesVersion.parse(str(node_info(node).get("kubeletVersion") or "")) >= FIRST_ON_BY_DEFAULT
    except ConfigurationError:
        return False


def _release(found: OsImage, wanted: Wanted | None) -> list[Finding]:
    if wanted is None:
        return [Finding(status=Status.PASSED, what="release", observed=found.release)]
    same = found.release == wanted.release.removeprefix("v")
    return [
        Finding(
            status=Status.PASSED if same else Status.FAILED,
            what="release",
            expected=wanted.release.removeprefix("v"),
            observed=found.release,
            why="" if same else f"The node runs another release than the build {wanted.build}.",
            todo="" if same else "Replace the node, or verify against the record that it was built by (--record).",
        )
    ]


def _kubelet(info: Mapping[str, Any], wanted: Wanted | None) -> Finding:
    told = str(info.get("kubeletVersion") or "nothing")
    try:
        minor = str(KubernetesVersion.parse(told))
    except ConfigurationError:
        return Finding(status=Status.UNANSWERED, what="kubelet", observed=told, why="It is not a Kubernetes version.")
    expected = wanted.kubernetes if wanted else ""
    return Finding(
        status=Status.FAILED if expected and minor != expected else Status.PASSED,
        what="kubelet",
        expected=f"v{expected}.x" if expected else "",
        observed=told,
    )


def _architecture(info: Mapping[str, Any], wanted: Wanted | None) -> list[Finding]:
    if wanted is None or not info.get("architecture"):
        return []
    expected, told = Architecture(wanted.architecture).kubernetes, str(info["architecture"])
    status = Status.PASSED if expected == told else Status.FAILED
    return [Finding(status=status, what="architecture", expected=expected, observed=told)]


def _ami(node: Mapping[str, Any], wanted: Wanted | None, image: InstanceImage) -> Finding:
    if image.ami is None:
        label = ((node.get("metadata") or {}).get("labels") or {}).get(AMI_LABEL)
        if not label:
            return Finding(status=Status.SKIPPED, what="AMI", why=image.unknown)
        image = InstanceImage(ami=str(label), source=f"the label {AMI_LABEL}")
    if wanted is None or not wanted.amis:
        why = "There is no build record with AMIs to hold it against."
        return Finding(status=Status.SKIPPED, what="AMI", observed=str(image.ami), why=why)
    matches = image.ami in wanted.amis
    return Finding(
        status=Status.PASSED if matches else Status.FAILED,
        what="AMI",
        expected=" or ".join(wanted.amis),
        observed=str(image.ami),
        why=f"By {image.source}." if image.source else "",
        todo="" if matches else "Give the nodegroup the AMI of the build, and replace the node.",
    )


def differing_nodes(nodes: Sequence[Mapping[str, Any]]) -> dict[str, Finding]:
    """Per node the finding that its kernel or runtime is another one than on most nodes of the same system.

    A build record does not hold these versions, they come with the release; but one image has one of each.
    """
    findings: dict[str, Finding] = {}
    for key, what in (("kernelVersion", "kernel"), ("containerRuntimeVersion", "container runtime")):
        by_system: dict[str, dict[str, list[str]]] = {}
        for node in nodes:
            info = node_info(node)
            versions = by_system.setdefault(str(info.get("osImage")), {})
            versions.setdefault(str(info.get(key)), []).append(name_of(node))
        for versions in by_system.values():
            most = max(versions, key=lambda version: len(versions[version]))
            for version in versions.keys() - {most}:
                for name in versions[version]:
                    findings[name] = Finding(
                        status=Status.WARNING,
                        what=what,
                        expected=most,
                        observed=version,
                        why="Other nodes that say they are of the same image have another one.",
                    )
    return findings
