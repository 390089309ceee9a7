"""Pages: a token stands for the rest of a list as it was when the first page was asked for."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass


class UnknownTokenError(Exception):
    """The token is not one of this call's."""


@dataclass(frozen=True, slots=True)
class _Rest:
    query: str
    keys: tuple[str, ...]


class Pager:
    """Cuts lists of keys into pages; `largest` makes even those calls page that did not ask for it."""

    def __init__(self) -> None:
        self.largest: int | None = None
        self._rests: dict[str, _Rest] = {}

    def page(
        self, query: str, keys: Sequence[str], size: int | None, token: str | None, *, cut: bool = True
    ) -> tuple[list[str], str | None]:
        """The keys of this page and the token of the next one.

        `query` has to be the same for all pages of one list; with `cut` the `largest` counts too. Raises
        UnknownTokenError. A token may be used again, as a client does whose answer was lost.
        """
        if token is not None:
            rest = self._rests.get(token)
            if rest is None or rest.query != query:
                raise UnknownTokenError
            keys = rest.keys
        sizes = [limit for limit in (size, self.largest if cut else None) if limit is not None]
        if not sizes or len(keys) <= min(sizes):
            return list(keys), None
        following = secrets.token_urlsafe(24)
        self._rests[following] = _Rest(query, tuple(keys[min(sizes) :]))
        return list(keys[: min(sizes)]), following
