"""Runs `brqos generate` and checks the JSON object that scripts rely on."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brqos import process
from brqos.variant import KubernetesVersion
from fidelity.case import Case, CheckError, Pair

_OPERATIONS = {"create", "modify", "link", "delete"}
_KEYS = {
    "variant", "base", "kubernetes", "delivery", "upstream", "core_kit", "commit", "work_tree", "files",
    "kubelet_configuration",
}  # fmt: skip


def generate(pair: Pair, work_tree: Path, environment: Mapping[str, str], *more: str) -> Case:
    """Run the command line in a process of its own, as a user's script would; `more` are further arguments."""
    done = process.run(
        [
            sys.executable, "-m", "brqos", "generate", "--json",
            "--variant", pair.variant.base,
            "--upstream", str(pair.upstream.repository), "--ref", pair.upstream.commit,
            "--core-kit", str(pair.core_kit.repository), "--core-kit-ref", pair.core_kit.commit,
            "--work-tree", str(work_tree), *more,
        ],
        cwd=work_tree.parent,
        env=environment,
        check=False,
    )  # fmt: skip
    if done.status != 0:
        raise CheckError(f"brqos generate ended with status {done.status}: {done.stderr.strip()}")
    try:
        surface = json.loads(done.text)
    except ValueError as error:
        raise CheckError(f"standard output is not one JSON document: {error}") from None
    return Case(pair, surface, work_tree)


def check_surface(case: Case) -> None:
    """The object has what the documentation promises, and it is about this pair."""
    surface, pair = case.surface, case.pair
    if missing := _KEYS - surface.keys():
        raise CheckError(f"the JSON object lacks {sorted(missing)}")
    _same("variant", surface["variant"], case.new)
    _same("base", surface["base"], pair.variant.base)
    _same("kubernetes", surface["kubernetes"], str(pair.variant.kubernetes))
    _same("delivery", surface["delivery"], pair.delivery)
    _same("upstream.repository", surface["upstream"]["repository"], str(pair.upstream.repository))
    _same("upstream.ref", surface["upstream"]["ref"], pair.upstream.commit)
    _same("upstream.commit", surface["upstream"]["commit"], pair.upstream.commit)
    _same("kubelet_configuration", surface["kubelet_configuration"], expected_fragment(pair.variant.kubernetes))
    _check_core_kit(pair, surface["core_kit"])
    if pair.delivery == "native":
        _same("files", surface["files"], [])
        _same("commit", surface["commit"], None)
        _same("work_tree", surface["work_tree"], None)
        return
    _same("work_tree", surface["work_tree"], str(case.work_tree))
    if not re.fullmatch(r"[0-9a-f]{40}", str(surface["commit"])):
        raise CheckError(f"commit is “{surface['commit']}”")
    _check_files(surface["files"])


def expected_fragment(kubernetes: KubernetesVersion) -> dict[str, Any]:
    """The KubeletConfiguration that turns MemoryQoS on for a version, by the table of KEP-2570's history."""
    fragment: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "featureGates": {"MemoryQoS": True},
        "memoryThrottlingFactor": 0.9,
    }
    if kubernetes >= KubernetesVersion(1, 36):
        fragment["memoryReservationPolicy"] = "TieredReservation"
    return fragment


def _check_core_kit(pair: Pair, core_kit: dict[str, Any] | None) -> None:
    if core_kit is None:
        if pair.delivery != "drop-in":
            raise CheckError(f"core_kit is null, and the delivery {pair.delivery} reads the core kit")
        return
    _same("core_kit.commit", core_kit["commit"], pair.core_kit.commit)
    if not pair.version_is_stand_in:
        _same("core_kit.version", core_kit["version"], pair.core_kit_version)


def _check_files(files: list[dict[str, str]]) -> None:
    for file in files:
        if file["operation"] not in _OPERATIONS or not re.fullmatch(r"[0-9a-f]{64}", file["sha256"]):
            raise CheckError(f"no such file operation: {file}")
    paths = [file["path"] for file in files]
    if len(set(paths)) != len(paths):
        raise CheckError("a path is listed twice")


def _same(what: str, is_: object, should_be: object) -> None:
    if is_ != should_be:
        raise CheckError(f"{what} is {is_!r}, not {should_be!r}")
