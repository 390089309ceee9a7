"""The emulator in a process of its own: `python -m brqos.rehearsal.emulator --port 8000`."""

import argparse
import contextlib
import signal
import sys
from types import FrameType

from brqos.rehearsal.emulator.server import ACCESS_KEY, SECRET_KEY, Emulator


def main() -> None:
    """Serve until interrupted; the first line of standard output is the endpoint."""
    parser = argparse.ArgumentParser(prog="python -m brqos.rehearsal.emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; a free one by default")
    parser.add_argument("--delay", type=float, default=0.2, help="seconds from pending to the final state")
    parser.add_argument("--rehearsal", action="store_true", help="give ids that no real AMI or snapshot has")
    parser.add_argument("--only-own-key", action="store_true", help="refuse any access key but the one printed")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    emulator = Emulator(
        rehearsal=options.rehearsal, port=options.port, delay=options.delay, any_key=not options.only_own_key
    )
    try:
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdout.write(
                f"{emulator.endpoint}\nAWS_ACCESS_KEY_ID={ACCESS_KEY}\nAWS_SECRET_ACCESS_KEY={SECRET_KEY}\n"
            )
            sys.stdout.flush()
            emulator.serve()
    finally:
        emulator.stop()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
