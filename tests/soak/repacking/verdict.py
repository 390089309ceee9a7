"""A boot held against what had to come of it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from image.repack.synthetic.bootable import BootOutcome
from soak.repacking.cases import Case, Firmware
from soak.repacking.refusal import last_words, refusal
from soak.repacking.scene import DROP_IN, OS_RELEASE, TMPFILES, VARIANT, WANTED, Repacked

# Beside the digests of brqos's own record: what the files are for, in the words that kubelet, systemd and verify read.
_LINES = {
    DROP_IN: (b"kind: KubeletConfiguration", b"  MemoryQoS: true", b"memoryThrottlingFactor: 0.9"),
    TMPFILES: (b"C /etc/kubernetes/kubelet/config.d/900-memory-qos.conf - - - -",),
    OS_RELEASE: (f"VARIANT_ID={VARIANT}-memoryqos".encode(), b"VERSION_ID=1.55.0", b"BUILD_ID=0a1b2c3d"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a boot in a word (`boots`, or who refused) and in the system's own; why that is not right."""

    told: str
    words: str
    problems: tuple[str, ...]


def judge(case: Case, outcome: BootOutcome) -> Verdict:
    """Whether the right link refused, or the right files were read."""
    if outcome.booted:
        problems = _after_boot(case, outcome) if case.refused_by is None else ["it booted"]
        return Verdict("boots", f"read {len(outcome.files)} files", tuple(problems))
    found = refusal(outcome.log)
    if found is None:
        return Verdict("stuck", last_words(outcome.log), ("it neither booted nor was it refused",))
    problems = [
        problem for path in outcome.files if case.repacked and (problem := _wrong(path, case.repacked, outcome))
    ]
    if found.by is not case.refused_by:
        problems.insert(0, f"it had to {f'be refused by {case.refused_by}' if case.refused_by else 'boot'}")
    return Verdict(found.by, found.words, tuple(problems))


def _after_boot(case: Case, outcome: BootOutcome) -> list[str]:
    problems = []
    if outcome.secure_boot is not (case.firmware is not Firmware.OFF):
        problems.append(f"the kernel says that Secure Boot is {'on' if outcome.secure_boot else 'off'}")
    if case.repacked is None:
        if set(outcome.missing) != {DROP_IN, TMPFILES}:
            problems.append(f"the original lacks {', '.join(outcome.missing) or 'nothing'}")
        return problems
    return [*problems, *_all_wrong(WANTED, case.repacked, outcome)]


def _all_wrong(paths: Iterable[str], repacked: Repacked, outcome: BootOutcome) -> list[str]:
    return [problem for path in paths if (problem := _wrong(path, repacked, outcome))]


def _wrong(path: str, repacked: Repacked, outcome: BootOutcome) -> str | None:
    shown = outcome.files.get(path)
    if shown is None:
        return f"{path} is not there"
    if (shown.mode, shown.uid, shown.gid) != ("644", 0, 0):
        return f"{path} has the mode {shown.mode} and the owner {shown.uid}:{shown.gid}"
    if hashlib.sha256(shown.content).hexdigest() != repacked.digests.get(path):
        return f"{path} has other content than the record says"
    if absent := [line for line in _LINES[path] if line not in shown.content.split(b"\n")]:
        return f"{path} lacks the line “{absent[0].decode()}”"
    return None
