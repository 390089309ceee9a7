"""ClientToken: a call that was answered before gets the same answer again, and nothing is done twice.

Rules: "Ensuring idempotency in Amazon EC2 API requests" in the developer guide.
"""

import hashlib
import json
from typing import Any

from brqos.rehearsal.emulator.ec2.call import Action, Ec2Call
from brqos.rehearsal.emulator.store import TokenUse
from brqos.rehearsal.emulator.wire import ServiceError

_MISMATCH = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."


def once(call: Ec2Call, tokens: dict[tuple[str, str, str], TokenUse], carry_out: Action) -> dict[str, Any]:
    """The answer of the action, or the earlier one to the call's ClientToken; raises ServiceError.

    `tokens` are those that were used, by account, region and token.
    """
    token = call.asked.get("ClientToken", "")
    if len(token) > 64 or not token.isascii():
        raise ServiceError("InvalidClientToken", "ClientToken must be of up to 64 ASCII characters")
    given = {name: value for name, value in call.asked.items() if name != "Version"}
    parameters = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
    place = (call.caller.account, call.caller.region, token)
    if token and (use := tokens.get(place)) is not None:
        if use.parameters != parameters:
            raise ServiceError("IdempotentParameterMismatch", _MISMATCH)
        return use.answer
    answer = carry_out(call)
    if token:
        tokens[place] = TokenUse(parameters, answer)
    return answer
