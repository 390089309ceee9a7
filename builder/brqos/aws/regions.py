"""Which identity is used in which region."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from brqos.aws.session import AwsSession


@dataclass(frozen=True, slots=True)
class AwsRegions:
    """A session for every region: the default one, or one with another profile or role. Safe to use from any thread."""

    default: AwsSession
    profiles: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    _made: dict[tuple[str | None, str | None], AwsSession] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def session(self, region: str) -> AwsSession:
        """The session for a region; one and the same for all regions of the same identity."""
        profile = self.profiles.get(region, self.default.profile)
        role = self.roles.get(region, self.default.role)
        if (profile, role) == (self.default.profile, self.default.role):
            return self.default
        with self._lock:
            return self._made.setdefault((profile, role), AwsSession(profile, role=role))
