"""Delivery “template”: the release's own kubelet template with the settings merged in, under another name.

For core kits before 10.0.0, whose kubelet reads one file only. The template is the core kit's at exactly the version
that the tree pins, never a copy of ours: it changes from release to release. A second `featureGates:` block must never
appear: the kubelet's strict decoding refuses it and the lenient one silently drops the first.
"""

import re

from brqos.memoryqos.settings import KubeletSettings
from brqos.memoryqos.yaml_text import field_lines, gate_lines
from brqos.overlay.model import FileOperation, Operation
from brqos.overlay.package import PayloadFile
from brqos.overlay.spec import serving_subpackage
from brqos.upstream.files import changed
from brqos.upstream.kit import KubeletPackage
from brqos.upstream.tree import UpstreamTree
from brqos.variant import VariantName

FILE = "kubelet-config-memory-qos"
# After every file of upstream's own: the defaults of a crate merge in the order of their names.
_DEFAULTS_FILE = "99-kubelet-memory-qos.toml"


def template_payload(kubelet: KubeletPackage, settings: KubeletSettings) -> tuple[PayloadFile, ...]:
    """The one file of the package."""
    return (
        PayloadFile(
            source=FILE,
            content=merged_template(kubelet, settings),
            directory="%{_cross_templatedir}",
            installed_as=FILE,
            owns_directory=False,
            why=f"upstream's kubelet-config from {kubelet.label} with the kubelet settings merged in",
        ),
    )


def defaults_file(tree: UpstreamTree, variant: VariantName) -> FileOperation:
    """The setting that makes the node render our template instead of upstream's."""
    directory = f"sources/settings-defaults/{serving_subpackage(tree, variant)}/defaults.d"
    names = [path.rsplit("/", 1)[1] for path in tree.files.below(directory)]
    if not names:
        raise changed(tree.label, directory, "the crate that serves the variant has no defaults")
    if max(names) >= _DEFAULTS_FILE:
        raise changed(tree.label, directory, f"{max(names)} would come after our {_DEFAULTS_FILE}")
    return FileOperation(
        f"{directory}/{_DEFAULTS_FILE}",
        Operation.CREATE,
        f'[configuration-files.kubelet-config]\ntemplate-path = "/usr/share/templates/{FILE}"\n',
        "points the kubelet's configuration at that template",
    )


def merged_template(kubelet: KubeletPackage, settings: KubeletSettings) -> str:
    """Upstream's template with our gates in its featureGates block (or a new one) and our fields at the top level."""
    lines = kubelet.template.splitlines()
    fields = settings.fields()
    for name in fields:
        if any(re.match(rf"\s*{name}:", line) for line in lines):
            raise changed(kubelet.label, "kubelet-config", f"it sets {name} itself")
    top = _only_line(kubelet, lines, r"apiVersion: kubelet\.config\.k8s\.io/v1beta1")
    blocks = [number for number, line in enumerate(lines) if re.match(r"\s*featureGates:", line)]
    if len(blocks) > 1:
        raise changed(kubelet.label, "kubelet-config", "it has more than one featureGates block")
    if blocks:
        start, end = _block(kubelet, lines, blocks[0])
        lines[start:end] = _merged_gates(lines[start:end], settings)
        addition = field_lines(fields)
    else:
        addition = [*field_lines(fields), "featureGates:", *gate_lines(settings.feature_gates)]
    # Right below apiVersion nothing is conditional yet. The block of gates comes later in the file, so its place holds.
    return "\n".join([*lines[: top + 1], *addition, *lines[top + 1 :]]) + "\n"


def _only_line(kubelet: KubeletPackage, lines: list[str], pattern: str) -> int:
    found = [number for number, line in enumerate(lines) if re.fullmatch(pattern, line)]
    if len(found) != 1:
        raise changed(kubelet.label, "kubelet-config", f"{len(found)} lines are “{pattern}”, not one")
    return found[0]


def _block(kubelet: KubeletPackage, lines: list[str], head: int) -> tuple[int, int]:
    """The lines below an unconditional `featureGates:` at the top level."""
    if lines[head] != "featureGates:" or _depth(lines[:head]) != 0:
        raise changed(
            kubelet.label, "kubelet-config", "its featureGates are conditional, or not a block at the top level"
        )
    end = head + 1
    while end < len(lines) and re.match(r"\s+\S", lines[end]):
        end += 1
    for line in lines[head + 1 : end]:
        if not re.fullmatch(r"\s+[A-Za-z0-9]+: (true|false)", line):
            raise changed(kubelet.label, "kubelet-config", f"among its featureGates is “{line.strip()}”")
    if end < len(lines) and re.match(r"\{\{[#/]?(if|unless|each|else)", lines[end]) and _depth(lines[: end + 1]) > 0:
        inner = next((line for line in lines[end + 1 :] if not line.startswith("{{")), "")
        if inner.startswith((" ", "\t")):
            raise changed(kubelet.label, "kubelet-config", "its featureGates are partly conditional")
    return head + 1, end


def _merged_gates(lines: list[str], settings: KubeletSettings) -> list[str]:
    indent = re.match(r"\s*", lines[0])[0] if lines else "  "  # type: ignore[index]
    theirs = {name.strip(): value.strip() == "true" for name, value in (line.split(":") for line in lines)}
    # Upstream's order stays, so that the difference is our lines only.
    return gate_lines({**theirs, **settings.feature_gates}, indent)


def _depth(lines: list[str]) -> int:
    """How many Handlebars blocks are open after these lines."""
    text = "\n".join(lines)
    return len(re.findall(r"\{\{~?#", text)) - len(re.findall(r"\{\{~?/", text))
