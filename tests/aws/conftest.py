"""The emulator, for clients that need nothing of it but that it is there."""

from collections.abc import Iterator

import pytest

from brqos.rehearsal.emulator import Emulator


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running
        assert running.bugs == []
