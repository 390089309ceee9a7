"""The emulator in a process of its own: `python -m brqos.rehearsal.emulator --port 8000`.

The first line of standard output is the endpoint, the next two are credentials as environment variables. It ends on
SIGTERM and SIGINT, with `--until-stdin-closes` also when its parent does. Faults come as a script (see `fault_script`),
and at any time later through its own paths (see `admin`).
"""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from brqos.rehearsal.codebuild_runner import ExecutingRunner
from brqos.rehearsal.emulator import fault_script
from brqos.rehearsal.emulator.server import Emulator
from brqos.rehearsal.emulator.throttle import Rate

_USAGE = 2


def main() -> int:
    """Serve until told to end; 2 for a wrong command line or fault script."""
    options = _parser().parse_args()
    try:
        script = fault_script.read(options.faults) if options.faults else {}
        emulator = _emulator(options)
        try:
            fault_script.apply(script, fault_script.Targets(emulator.faults, emulator.access, emulator.throttle))
            _serve(emulator, until_stdin_closes=options.until_stdin_closes)
        finally:
            emulator.stop()
    except (fault_script.FaultScriptError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return _USAGE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m brqos.rehearsal.emulator", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="port on 127.0.0.1; a free one by default")
    add("--delay", type=float, default=0.2, help="seconds from pending to the final state")
    add("--rehearsal", action="store_true", help="give ids that no real AMI or snapshot has")
    add("--only-own-key", action="store_true", help="refuse any access key but the one printed")
    add("--faults", type=Path, metavar="FILE", help="what shall go wrong, in JSON")
    add("--puts-per-second", type=float, metavar="N", help="limit of block puts for each account and region")
    add("--rate", action="append", default=[], metavar="OPERATION=N", type=_rate, help="limit of an operation a second")
    add("--deny", action="append", default=[], metavar="ACTION", help="a permission that is missing: ec2:RegisterImage")
    add("--kms-key", action="append", default=[], metavar="ARN", help="a key that exists; without any, all do")
    add("--encrypt-by-default", action="append", default=[], metavar="REGION", help="EBS encryption by default is on")
    add("--store", type=Path, metavar="DIR", help="where the blocks' bytes lie, such as /dev/shm")
    add("--discard", action="store_true", help="keep the blocks' digests, but not their bytes")
    add("--verify-every", type=_count, default=1, metavar="N", help="verify the checksum of every Nth block only")
    add("--run-builds", action="store_true", help="really run the builds of CodeBuild; takes the key printed only")
    add("--until-stdin-closes", action="store_true", help="end when standard input does")
    return parser


def _rate(text: str) -> tuple[str, Rate]:
    operation, _, number = text.partition("=")
    return operation, Rate(float(number))


def _count(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def _emulator(options: argparse.Namespace) -> Emulator:
    emulator = Emulator(
        rehearsal=options.rehearsal,
        port=options.port,
        delay=options.delay,
        any_key=not (options.only_own_key or options.run_builds),
        puts_per_second=options.puts_per_second,
        rates=dict(options.rate),
        verify_every=options.verify_every,
        folder=options.store,
        discard=options.discard,
        runner=ExecutingRunner() if options.run_builds else None,
    )
    for action in options.deny:
        emulator.deny(action)
    emulator.store.kms_keys.update(options.kms_key)
    for region in options.encrypt_by_default:
        emulator.store.settings(region).encryption_by_default = True
    return emulator


def _serve(emulator: Emulator, *, until_stdin_closes: bool) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: emulator.end())
    if until_stdin_closes:
        threading.Thread(target=_wait_for_stdin, args=(emulator,), daemon=True).start()
    access_key, secret = emulator.credentials
    sys.stdout.write(f"{emulator.endpoint}\nAWS_ACCESS_KEY_ID={access_key}\nAWS_SECRET_ACCESS_KEY={secret}\n")
    sys.stdout.flush()
    emulator.serve()


def _wait_for_stdin(emulator: Emulator) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    emulator.end()


if __name__ == "__main__":
    sys.exit(main())
