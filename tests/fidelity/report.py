"""The table and the count."""

from collections import defaultdict
from collections.abc import Sequence

from fidelity.runner import Result


def table(results: Sequence[Result]) -> str:
    """One line per release, then every failure, the time by check, and the count last."""
    by_release: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_release[result.pair.release].append(result)
    lines = [f"{'release':<10}{'core kit':<10}{'delivery':<10}{'pairs':>6}{'good':>6}{'bad':>5}"]
    for release, found in sorted(by_release.items(), key=lambda item: [int(part) for part in item[0].split(".")]):
        good = sum(not result.failures for result in found)
        deliveries = "+".join(sorted({result.pair.delivery for result in found}))
        kit = found[0].pair.core_kit_version
        lines.append(f"{'v' + release:<10}{kit:<10}{deliveries:<10}{len(found):>6}{good:>6}{len(found) - good:>5}")
    return "\n".join([*lines, "", *_failures(results), _times(results), _count(results)])


def _failures(results: Sequence[Result]) -> list[str]:
    lines = [
        f"FAILED {result.pair} ({name}): {text}" for result in results for name, text in sorted(result.failures.items())
    ]
    return [*sorted(lines), ""] if lines else []


def _times(results: Sequence[Result]) -> str:
    seconds: dict[str, float] = defaultdict(float)
    for result in results:
        for name, taken in result.seconds.items():
            seconds[name] += taken
    return "seconds per pair: " + ", ".join(f"{name} {taken / len(results):.2f}" for name, taken in seconds.items())


def _count(results: Sequence[Result]) -> str:
    good = sum(not result.failures for result in results)
    checks = sum(len(result.seconds) for result in results)
    return f"{good} of {len(results)} pairs are right ({checks} checks)"
