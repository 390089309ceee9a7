"""How an answer leaves the server: whole, late, drop by drop, in half, or not at all."""

from dataclasses import dataclass
from enum import Enum, auto

from brqos.rehearsal.emulator.faults import Fault
from brqos.rehearsal.emulator.wire import Response


class Cut(Enum):
    """Where the connection ends before its time."""

    NOWHERE = auto()
    CLOSED = auto()
    """Closed in order, without an answer."""
    RESET = auto()
    """Reset (RST), without an answer."""
    IN_ANSWER = auto()
    """Reset after half of the answer."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An answer and the way it is sent; `seconds` are spent between its pieces."""

    response: Response | None
    cut: Cut = Cut.NOWHERE
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is known of a request when only its head is in: the operation if the head tells it, and the fault."""

    operation: str = ""
    fault: Fault | None = None

    @property
    def resets_in_body(self) -> bool:
        """Whether the connection shall be reset before the body is in."""
        return self.fault is not None and self.fault.reset == "body"
