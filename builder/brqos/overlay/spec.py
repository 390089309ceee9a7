"""The edit of `settings-defaults.spec`: whatever serves the base must serve the new variant too.

Each subpackage of that spec requires the variants that it is for, and provides `settings-defaults(<variant>)` for each.
Which subpackage serves a base is found by its Provides: it is usually called otherwise (aws-k8s-1.31 serves 1.28 too).
"""

import re

from brqos.upstream.files import changed
from brqos.upstream.tree import UpstreamTree
from brqos.variant import VariantName

SPEC = "packages/settings-defaults/settings-defaults.spec"


def _provides(name: str) -> str:
    return f"Provides: %{{_cross_os}}settings-defaults({name})\n"


def _requires(name: str) -> str:
    return f"%{{_cross_os}}variant({name})"


def serving_subpackage(tree: UpstreamTree, variant: VariantName) -> str:
    """The name of the subpackage that serves the base, which is also the folder of its crate under `sources/`."""
    start = _position(tree, variant)
    before = list(re.finditer(r"(?m)^%package (\S+)\n", tree.files.text(SPEC)[:start]))
    if not before:
        raise changed(tree.label, SPEC, f"{variant.base} is not served by a subpackage")
    return before[-1][1]


def edited_spec(tree: UpstreamTree, variant: VariantName) -> str:
    """The spec with the new variant beside its base, in Requires and Provides of the subpackage that serves it."""
    text = tree.files.text(SPEC)
    provided = _position(tree, variant)
    start = text.rindex("%package ", 0, provided)
    end = text.index("%description", provided)
    block = text[start:end].replace(_provides(variant.base), _provides(variant.base) + _provides(variant.memory_qos))
    requires = re.search(r"(?ms)^Requires: .*?(?=^Provides:)", block)
    if requires is None or requires[0].count(_requires(variant.base)) != 1:
        raise changed(tree.label, SPEC, f"the subpackage for {variant.base} does not require that variant just once")
    block = block.replace(requires[0], _widened(requires[0], variant))
    return text[:start] + block + text[end:]


def _position(tree: UpstreamTree, variant: VariantName) -> int:
    text, anchor = tree.files.text(SPEC), _provides(variant.base)
    if text.count(anchor) != 1:
        raise changed(tree.label, SPEC, f"{text.count(anchor)} subpackages serve {variant.base}, not one")
    return text.index(anchor)


def _widened(requires: str, variant: VariantName) -> str:
    old, new = _requires(variant.base), _requires(variant.memory_qos)
    if not requires.startswith("Requires: ("):
        return requires.replace(old, f"({old} or {new})")
    if own_line := re.search(rf"(?m)^([ \t]*){re.escape(old)}", requires):
        # One variant a line: ours goes on a line of its own, so the difference can be read.
        return requires.replace(own_line[0], f"{own_line[1]}{new} or\n{own_line[0]}")
    return requires.replace(old, f"{old} or {new}")
