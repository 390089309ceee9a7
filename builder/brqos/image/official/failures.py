"""What may be wrong with a repository, in words."""

import contextlib
from collections.abc import Iterator

from brqos.errors import UpstreamError

_TELL = (
    "Nothing of it is used. Try again later; if it stays so, ask whoever keeps the repository or mirror, and fetch "
    "the image another way (--image) only from a place that you trust."
)
_NETWORK = (
    "Check the network, the proxy (HTTPS_PROXY) and the URL; --image takes an image that was fetched another way, "
    "and a mirror may be given by URL or path."
)


@contextlib.contextmanager
def judged(name: str, place: str) -> Iterator[None]:
    """Tell what python-tuf found wrong with a metadata file."""
    from tuf.api import exceptions

    try:
        yield
    except exceptions.ExpiredMetadataError:
        raise _expired(name, place) from None
    except exceptions.UnsignedMetadataError as error:
        raise UpstreamError(
            f"{name} of the repository is not signed as it has to be",
            why=f"{error}. It came from {place}: it was changed there or on the way, or is another one's.",
            todo=f"{_TELL} A repository with keys of its own needs its own --tuf-root.",
        ) from None
    except exceptions.BadVersionNumberError as error:
        raise UpstreamError(
            f"{name} of the repository is not the version that it has to be (a rollback?)",
            why=f"{error}. It came from {place}: older metadata is shown than before, or parts that do not belong "
            "together.",
            todo=_TELL,
        ) from None
    except exceptions.LengthOrHashMismatchError as error:
        raise UpstreamError(
            f"{name} of the repository has not the length or hash that the signed metadata tells",
            why=f"{error}. It came from {place}.",
            todo=_TELL,
        ) from None
    except exceptions.RepositoryError as error:
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        raise UpstreamError(
            f"{name} of the repository cannot be used", why=f"{error}{cause}. It came from {place}.", todo=_TELL
        ) from None


def _expired(name: str, place: str) -> UpstreamError:
    return UpstreamError(
        f"{name} of the repository has expired",
        why=f"It came from {place}. Bottlerocket's metadata holds for one or two weeks: the mirror or the variant is "
        "no longer kept up, somebody keeps newer metadata back, or this machine's clock is wrong.",
        todo="Check the clock; bring the mirror's metadata up to date (its images stay as they are). No option accepts "
        "expired metadata; --image takes an image that you have from elsewhere.",
    )


def no_such_repository(place: str, why: str) -> UpstreamError:
    """There is no metadata at all."""
    return UpstreamError(
        f"there is no update repository at {place}",
        why=f"timestamp.json: {why}. Upstream has no such variant and architecture (any more), the place is misspelt, "
        "or a proxy is in the way.",
        todo="Check the variant and the architecture (`brqos variants`), and the place of the metadata.",
    )


def incomplete(name: str, place: str, why: str) -> UpstreamError:
    """Metadata lists something that is not there."""
    return UpstreamError(
        f"{name} of the repository is not there, though its metadata lists it",
        why=f"{place}: {why}.",
        todo="A mirror may be in the middle of a copy: try again in a minute. --image takes an image of your own.",
    )


def too_long(name: str, place: str, why: str) -> UpstreamError:
    """More came than may come."""
    return UpstreamError(f"{name} of the repository does not end where it has to", why=f"{place}: {why}.", todo=_TELL)


def unreachable(name: str, place: str, why: str) -> UpstreamError:
    """It cannot be read."""
    return UpstreamError(f"{name} cannot be read from {place}", why=f"{why}.", todo=_NETWORK)


def changed(name: str, place: str, why: str) -> UpstreamError:
    """A target is not what the signed metadata says."""
    return UpstreamError(
        f"{name} is not the file that the signed metadata of the repository tells of",
        why=f"{why}. It came from {place}; what was fetched is removed again.",
        todo=_TELL,
    )
