"""What can go wrong between kubectl and a cluster, on demand."""

import re
from dataclasses import dataclass, field


@dataclass
class Fault:
    """Answers requests whose `METHOD path` matches `on`; `times` of them, after letting `skip` pass.

    `status` with `reason` is a Kubernetes Status; `body` replaces the answer; `delay` seconds come before it; `drop`
    closes the connection without an answer.
    """

    on: str
    status: int = 0
    reason: str = ""
    message: str = "made to fail"
    body: str | None = None
    delay: float = 0.0
    drop: bool = False
    times: int = 1_000_000
    skip: int = 0
    met: int = field(default=0, init=False)

    def takes(self, method: str, path: str) -> bool:
        if re.search(self.on, f"{method} {path}") is None:
            return False
        self.met += 1
        return self.skip < self.met <= self.skip + self.times


def forbidden(on: str, what: str = "this") -> Fault:
    message = f'{what} is forbidden: User "tester" cannot do this at the cluster scope'
    return Fault(on, status=403, reason="Forbidden", message=message)
