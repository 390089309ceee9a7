"""What `latest` named in the course of time, told by a parameter's history. Pure.

A rollback takes the top version off, so that two rollbacks go two back and not to and fro. Parameter Store knows no
rollbacks; those of brqos can be told by the description that they leave with the version of the parameter.
"""

from collections.abc import Mapping, Sequence

from brqos.aws.parameters import ParameterVersion
from brqos.errors import AwsError

PROMOTED = "brqos: promoted"
_ROLLED_BACK = "brqos: rolled back from "


def rolled_back(version: str) -> str:
    """The description that marks a rollback from a version."""
    return f"{_ROLLED_BACK}{version}"


def standing(history: Sequence[ParameterVersion]) -> list[str]:
    """The versions that were promoted and not taken back, the current one last; `history` has the oldest first.

    Writing what is there already (a call that was made twice after a lost answer) counts once. A rollback to a version
    that the history does not show leaves nothing before it: what would come next is not known.
    """
    stack: list[str] = []
    for entry in history:
        if stack and stack[-1] == entry.value:
            continue
        if entry.description.startswith(_ROLLED_BACK):
            while stack and stack[-1] != entry.value:
                stack.pop()
        if not stack or stack[-1] != entry.value:
            stack.append(entry.value)
    return stack


def agreed_target(standings: Mapping[str, Sequence[str]], name: str) -> str:
    """The version before the current one, the same in every region; raises AwsError where it is not."""
    before = {region: stack[-2] if len(stack) > 1 else None for region, stack in standings.items()}
    targets = set(before.values())
    if len(targets) == 1 and (target := targets.pop()) is not None:
        return target
    lines = [
        f"{region}: {stack[-1] if stack else 'nothing'} now, before it {before[region] or 'nothing'}"
        for region, stack in standings.items()
    ]
    raise AwsError(
        "there is no one version to roll back to" if any(before.values()) else "there is no version to roll back to",
        why="\n".join([f"The history of {name} tells:", *lines]),
        todo="Name the version that every region shall have, with --to.",
    )
