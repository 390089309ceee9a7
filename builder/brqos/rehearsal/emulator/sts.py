"""STS: who is asking."""

from brqos.rehearsal.emulator.wire import Caller, Response, ServiceError, sts_response


def answer(action: str, caller: Caller) -> Response:
    """Carry out an action of STS; raises ServiceError."""
    if action != "GetCallerIdentity":
        raise ServiceError("InvalidAction", f"Could not find operation {action} for version 2011-06-15")
    return sts_response(
        action,
        {
            "Arn": f"arn:aws:iam::{caller.account}:user/rehearsal",
            "UserId": "AIDAREHEARSAL00000000",
            "Account": caller.account,
        },
    )
