"""An answer of the cluster, or why there is none: a check goes on with what it has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from brqos.kube.refusals import KubeCallError, Refusal
from brqos.verify.model import Finding, Status

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """Exactly one of the two is there."""

    value: T | None = None
    refusal: KubeCallError | None = None

    @property
    def forbidden(self) -> bool:
        """Whether it was a permission that is missing."""
        return self.refusal is not None and self.refusal.kind is Refusal.FORBIDDEN


def asked(question: Callable[[], T]) -> Answer[T]:
    """Ask, and keep a refusal instead of raising it."""
    try:
        return Answer(value=question())
    except KubeCallError as error:
        return Answer(refusal=error)


def unanswered(what: str, error: KubeCallError, status: Status = Status.UNANSWERED) -> Finding:
    """The finding for a question that brought no answer."""
    return Finding(status=status, what=what, observed=error.what, why=error.why, todo=error.todo)
