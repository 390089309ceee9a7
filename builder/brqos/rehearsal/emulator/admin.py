"""The emulator's own paths, for tests in another process: to see what there is, and to say what shall go wrong.

    GET    /_emulator/state              images, snapshots (with the blocks' digests; not with ?blocks=no), and so on
    GET    /_emulator/calls              how often each operation was called, and met a fault
    POST   /_emulator/faults             a script as `fault_script` describes it, added to what waits already
    DELETE /_emulator/faults             nothing goes wrong any more
    POST   /_emulator/kill               {"pid": 123, "operation": "PutSnapshotBlock", "nth": 5, "when": "before"}
    POST   /_emulator/settings           {"region": "eu-west-1", "encryption_by_default": true, ...}; see `settings`,
                                         which also puts clusters, nodegroups and subnets there
    POST   /_emulator/clock              {"forward": 3600}

They need no signature: the server listens on loopback only, and a page in a browser (which sends an Origin, or another
Host) is refused.
"""

from collections import Counter
from collections.abc import Callable
from urllib.parse import parse_qs

from brqos.rehearsal.emulator import dump, fault_script
from brqos.rehearsal.emulator.access import Access
from brqos.rehearsal.emulator.faults import Fault, Faults
from brqos.rehearsal.emulator.settings import change_settings
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.throttle import Throttle
from brqos.rehearsal.emulator.wire import Request, Response, ServiceError, json_object, json_response

PREFIX = "/_emulator/"


class Admin:
    """Answers the emulator's own paths."""

    def __init__(self, store: Store, faults: Faults, access: Access, throttle: Throttle, calls: Counter[str]) -> None:
        self._store = store
        self._targets = fault_script.Targets(faults, access, throttle)
        self._calls = calls

    def answer(self, request: Request) -> Response:
        """Do what is asked; errors come as {"error": ...}."""
        if "origin" in request.headers or not request.headers.get("host", "").startswith(("127.0.0.1", "localhost")):
            return json_response({"error": "this is for programs on this machine"}, 403)
        paths: dict[tuple[str, str], Callable[[Request], dict[str, object]]] = {
            ("GET", "state"): self._state,
            ("GET", "calls"): self._called,
            ("POST", "faults"): self._script,
            ("DELETE", "faults"): self._clear,
            ("POST", "kill"): self._kill,
            ("POST", "settings"): self._settings,
            ("POST", "clock"): self._clock,
        }
        action = paths.get((request.method, request.path.removeprefix(PREFIX)))
        if action is None:
            return json_response({"error": f"there is no {request.method} {request.path}"}, 404)
        try:
            return json_response(action(request))
        except (fault_script.FaultScriptError, ServiceError) as error:
            return json_response({"error": str(error)}, 400)

    def _state(self, request: Request) -> dict[str, object]:
        blocks = parse_qs(request.raw_query).get("blocks") != ["no"]
        with self._store.lock:
            return dump.dumped(self._store, blocks=blocks)

    def _called(self, request: Request) -> dict[str, object]:
        return {
            "calls": dict(self._calls),
            "faults": dict(self._targets.faults.met),
            "throttled": self._targets.throttle.refused,
        }

    def _script(self, request: Request) -> dict[str, object]:
        fault_script.apply(json_object(request.body), self._targets)
        return {"done": True}

    def _clear(self, request: Request) -> dict[str, object]:
        self._targets.faults.clear()
        return {"done": True}

    def _kill(self, request: Request) -> dict[str, object]:
        order = fault_script.checked_kill(json_object(request.body))
        fault = Fault(kill=order.pid, after_effect=order.after)
        self._targets.faults.inject(order.operation, fault, skip=order.nth - 1)
        return {"done": True}

    def _settings(self, request: Request) -> dict[str, object]:
        with self._store.lock:
            change_settings(self._store, json_object(request.body))
        return {"done": True}

    def _clock(self, request: Request) -> dict[str, object]:
        seconds = json_object(request.body).get("forward")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise ServiceError("ValidationError", "forward must be a number of seconds")
        with self._store.lock:
            self._store.forward += seconds
            return {"now": self._store.clock()}
