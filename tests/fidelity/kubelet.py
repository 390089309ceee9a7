"""What the kubelet of the image will be told, rendered and merged as on the node."""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from brqos.variant import KubernetesVersion
from fidelity.case import Case, CheckError
from fidelity.handlebars import Renderer, parted
from fidelity.rpm import InstalledFile, in_image, payload
from fidelity.settings import SETTINGS, uncovered

OWN_TEMPLATE = "/usr/share/templates/kubelet-config"
CONFIG_D = "/etc/kubernetes/kubelet/config.d/"
_UPSTREAMS_DROP_IN = "001-snapshotter.conf"
_OURS = ("memoryThrottlingFactor", "memoryReservationPolicy")

Document = Mapping[str, Any]


def known_fields(path: Path) -> dict[str, frozenset[str]]:
    """The top-level fields of KubeletConfiguration v1beta1 by Kubernetes version."""
    listed = json.loads(path.read_text(encoding="utf-8"))
    return {minor: frozenset(found["fields"]) for minor, found in listed.items()}


def check_kubelet(
    case: Case,
    installed: Sequence[InstalledFile],
    macros: Path,
    renderer: Renderer,
    fields: Mapping[str, frozenset[str]],
) -> None:
    """For each of several settings the kubelet gets YAML that its version knows, upstream's own plus ours."""
    front, body = parted(case.pair.template)
    if missing := uncovered(body):
        raise CheckError(f"settings that are not tried: {sorted(missing)}")
    files = _texts(case, installed, macros)
    before = renderer.render(body)
    if case.pair.delivery == "drop-in":
        _same_template(case, OWN_TEMPLATE)
        _check_drop_ins_are_read(case)
        drop_in = strict_yaml(_drop_in(files))
        after = [merged(strict_yaml(text), drop_in) for text in before]
    else:
        text = _template(case, files)
        own_front, own_body = parted(text)
        if own_front != front:
            raise CheckError("the template's front matter is not upstream's")
        after = [strict_yaml(text) for text in renderer.render(own_body)]
    for name, old, new in zip(SETTINGS, before, after, strict=True):
        try:
            compare(strict_yaml(old), new, case.pair.variant.kubernetes, fields)
        except CheckError as failed:
            raise CheckError(f"with the settings “{name}” {failed}") from None


def check_native(case: Case, renderer: Renderer, fields: Mapping[str, frozenset[str]]) -> None:
    """Where nothing is built, upstream's own template does it all with the settings that brqos names."""
    _, body = parted(case.pair.template)
    if missing := uncovered(body):
        raise CheckError(f"settings that are not tried: {sorted(missing)}")
    texts = dict(zip(SETTINGS, renderer.render(body), strict=True))
    plain, native = strict_yaml(texts["minimal"]), strict_yaml(texts["native"])
    _known(native, case.pair.variant.kubernetes, fields)
    added = {key: value for key, value in native.items() if key not in plain}
    if added != {"memoryThrottlingFactor": 0.9, "memoryReservationPolicy": "TieredReservation"}:
        raise CheckError(f"the native settings add {added}")


def compare(
    before: Document, after: Document, kubernetes: KubernetesVersion, fields: Mapping[str, frozenset[str]]
) -> None:
    """`after` is `before` with MemoryQoS on, by the rules of this version, and known to it."""
    _known(after, kubernetes, fields)
    gates = {**before.get("featureGates", {}), "MemoryQoS": True}
    if after.get("featureGates") != gates:
        raise CheckError(f"featureGates are {after.get('featureGates')}, not {gates}")
    if after.get("memoryThrottlingFactor") != 0.9:
        raise CheckError(f"memoryThrottlingFactor is {after.get('memoryThrottlingFactor')}")
    policy = "TieredReservation" if kubernetes >= KubernetesVersion(1, 36) else None
    if after.get("memoryReservationPolicy") != policy or (policy is None and "memoryReservationPolicy" in after):
        raise CheckError(f"memoryReservationPolicy is {after.get('memoryReservationPolicy')}, not {policy}")
    ours = {"featureGates", *_OURS}
    rest, old = ({key: value for key, value in d.items() if key not in ours} for d in (after, before))
    if rest != old:
        raise CheckError(
            f"upstream's own settings changed: {sorted(k for k in rest | old if rest.get(k) != old.get(k))}"
        )


def merged(document: Document, patch: Document) -> dict[str, Any]:
    """As the kubelet merges a drop-in (KEP-3983, by JSON merge patch, RFC 7386): maps key by key, all else replaced."""
    result = dict(document)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            old = result.get(key)
            result[key] = merged(old if isinstance(old, Mapping) else {}, value)
        else:
            result[key] = value
    return result


@cache
def strict_yaml(text: str) -> dict[str, Any]:
    """One YAML mapping in which no key stands twice; raises CheckError for anything else."""
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise CheckError(f"what the kubelet gets is no strict YAML: {error}") from None
    if not isinstance(document, dict):
        raise CheckError("what the kubelet gets is no mapping")
    if document.get("kind") != "KubeletConfiguration":
        raise CheckError(f"what the kubelet gets is of the kind {document.get('kind')}")
    if document.get("apiVersion") != "kubelet.config.k8s.io/v1beta1":
        raise CheckError(f"what the kubelet gets has the apiVersion {document.get('apiVersion')}")
    return document


def _known(document: Document, kubernetes: KubernetesVersion, fields: Mapping[str, frozenset[str]]) -> None:
    if unknown := document.keys() - fields[str(kubernetes)]:
        raise CheckError(f"Kubernetes {kubernetes} does not know {sorted(unknown)}")


def _texts(case: Case, installed: Sequence[InstalledFile], macros: Path) -> dict[str, str]:
    """The regular files of the package by their path on the node."""
    by_hash = {hashlib.sha256(path.read_bytes()).hexdigest(): path.read_text() for path in payload(case.local_package)}
    return {in_image(file.path, macros): by_hash[file.sha256] for file in installed if not file.is_directory}


def _drop_in(files: Mapping[str, str]) -> str:
    """The text that lies in the kubelet's drop-in directory after boot."""
    found = []
    lines = [
        line for path, text in files.items() if path.startswith("/usr/lib/tmpfiles.d/") for line in text.split("\n")
    ]
    for line in lines:
        words = line.split()
        if not words or words[0].startswith("#") or not words[1].startswith(CONFIG_D):
            continue
        source = words[6] if len(words) > 6 else f"/usr/share/factory{words[1]}"
        if words[0].rstrip("+") not in ("C", "L") or source not in files:
            raise CheckError(f"the line “{line}” of tmpfiles.d puts nothing there")
        name = words[1].removeprefix(CONFIG_D)
        if not name.endswith(".conf") or "/" in name or name <= _UPSTREAMS_DROP_IN:
            raise CheckError(f"the kubelet does not read {words[1]}, or too early")
        found.append(files[source])
    if len(found) != 1:
        raise CheckError(f"{len(found)} drop-ins are put into {CONFIG_D}, not one")
    return found[0]


def _check_drop_ins_are_read(case: Case) -> None:
    """Before 1.30 the kubelet reads drop-ins only with a variable in its environment (KEP-3983, alpha)."""
    environment = case.pair.core_kit.text(f"{case.pair.kubelet_package}/kubelet-env")
    if case.pair.variant.kubernetes < KubernetesVersion(1, 30) and "KUBELET_CONFIG_DROPIN_DIR_ALPHA" not in environment:
        raise CheckError("this kubelet reads no drop-ins: KUBELET_CONFIG_DROPIN_DIR_ALPHA is not set")


def _template(case: Case, files: Mapping[str, str]) -> str:
    path = _template_path(case)
    if path not in files:
        raise CheckError(f"the settings point at {path}, which the package does not have")
    return files[path]


def _same_template(case: Case, path: str) -> None:
    if (found := _template_path(case)) != path:
        raise CheckError(f"the kubelet's configuration is rendered from {found}, not {path}")


def _template_path(case: Case) -> str:
    """Where the settings defaults say that the template is: a crate's files merge in the order of their names."""
    merged_defaults: dict[str, Any] = {}
    for path in sorted(_serving_folder(case).glob("defaults.d/*.toml"), key=lambda path: path.name):
        merged_defaults = merged(merged_defaults, tomllib.loads(path.read_text(encoding="utf-8")))
    found = merged_defaults["configuration-files"]["kubelet-config"]
    if (found["path"], found.get("mode")) != ("/etc/kubernetes/kubelet/config", "0600"):
        raise CheckError(f"the kubelet's configuration is written to {found}")
    return str(found["template-path"])


def _serving_folder(case: Case) -> Path:
    spec = (case.work_tree / "packages/settings-defaults/settings-defaults.spec").read_text(encoding="utf-8")
    before = spec[: spec.index(f"Provides: %{{_cross_os}}settings-defaults({case.new})\n")]
    name = before.rpartition("\n%package ")[2].partition("\n")[0]
    return case.work_tree / "sources/settings-defaults" / name
