"""What callers may do: everything, unless a test denies it."""

import threading
from fnmatch import fnmatchcase

from brqos.rehearsal.emulator.wire import Caller


class Access:
    """Denied actions, such as `ec2:RegisterImage` or `ebs:*`, everywhere or for one region or account."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._denied: set[tuple[str, str | None, str | None]] = set()

    def deny(self, action: str, *, region: str | None = None, account: str | None = None) -> None:
        """Refuse an action from now on; `*` and `?` are wild in its name."""
        with self._lock:
            self._denied = self._denied | {(action, region, account)}

    def allow(self, action: str | None = None) -> None:
        """Take back what was denied under this name, or everything."""
        with self._lock:
            self._denied = {entry for entry in self._denied if action is not None and entry[0] != action}

    def may(self, caller: Caller, action: str) -> bool:
        """Whether a caller may do that in the region that they ask."""
        return not any(
            fnmatchcase(action, denied) and region in (None, caller.region) and account in (None, caller.account)
            for denied, region, account in self._denied
        )
