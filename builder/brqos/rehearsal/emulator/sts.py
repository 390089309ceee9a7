"""STS: who is asking, and becoming somebody else for a while."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from brqos.rehearsal.emulator.ec2.call import timestamp
from brqos.rehearsal.emulator.errors import usual_error
from brqos.rehearsal.emulator.query import result_response
from brqos.rehearsal.emulator.signature import Key
from brqos.rehearsal.emulator.store import Role, Store
from brqos.rehearsal.emulator.wire import Caller, Response, ServiceError

_ROLE = re.compile(
    r"arn:(?P<partition>aws|aws-cn|aws-us-gov):iam::(?P<account>\d{12}):role/(?:[!-~]*/)?(?P<name>[\w+=,.@-]{1,64})"
)
_SESSION = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_HOUR = 3600
_LONGEST = 12 * _HOUR


class Sts:
    """The service `sts`; keys that it makes are put into `keys`, where the signatures' check finds them."""

    def __init__(self, store: Store, keys: dict[str, Key]) -> None:
        self._store = store
        self._keys = keys

    def answer(self, asked: Mapping[str, Any], caller: Caller) -> Response:
        """Carry out an action; raises ServiceError."""
        action = str(asked["Action"])
        match action:
            case "GetCallerIdentity":
                return result_response("sts", action, self._identity(caller))
            case "AssumeRole":
                with self._store.lock:
                    return result_response("sts", action, self._assume(asked, caller))
        raise ServiceError("InvalidAction", f"Could not find operation {action} for version 2011-06-15")

    def _identity(self, caller: Caller) -> dict[str, Any]:
        user = (
            f"AROA{_digest(caller.arn)}:{caller.arn.rsplit('/', 1)[1]}" if caller.session else "AIDAREHEARSAL00000000"
        )
        return {"Arn": caller.arn, "UserId": user, "Account": caller.account}

    def _assume(self, asked: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        arn, name = str(asked.get("RoleArn", "")), str(asked.get("RoleSessionName", ""))
        match = _ROLE.fullmatch(arn)
        if match is None or match["partition"] != caller.partition:
            raise ServiceError("ValidationError", f"{arn} is invalid")
        if not _SESSION.fullmatch(name):
            raise ServiceError("ValidationError", f"Value '{name}' at 'roleSessionName' failed to satisfy constraint")
        role = self._role(arn, asked, caller)
        seconds = _duration(asked, role, chained=bool(caller.session))
        session = f"arn:{match['partition']}:sts::{match['account']}:assumed-role/{match['name']}/{name}"
        access_key = f"ASIA{secrets.token_hex(8).upper()}"
        key = Key(
            secret=secrets.token_urlsafe(30),
            account=match["account"],
            token=secrets.token_urlsafe(120),
            expires=self._store.clock() + seconds,
            session=session,
        )
        self._keys[access_key] = key
        return {
            "Credentials": {
                "AccessKeyId": access_key,
                "SecretAccessKey": key.secret,
                "SessionToken": key.token,
                "Expiration": timestamp(self._store.clock() + seconds),
            },
            "AssumedRoleUser": {"Arn": session, "AssumedRoleId": f"AROA{_digest(session)}:{name}"},
            "PackedPolicySize": 0,
        }

    def _role(self, arn: str, asked: Mapping[str, Any], caller: Caller) -> Role:
        roles = self._store.roles
        role = roles.get(arn) if roles else Role()
        if role is None or (role.external_id is not None and role.external_id != asked.get("ExternalId")):
            message = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            raise usual_error("sts", "denied", message)
        return role


def _duration(asked: Mapping[str, Any], role: Role, *, chained: bool) -> int:
    text = str(asked.get("DurationSeconds", _HOUR))
    if not text.isdecimal() or not 900 <= int(text) <= _LONGEST:
        raise ServiceError("ValidationError", f"Value '{text}' at 'durationSeconds' failed to satisfy constraint")
    if chained and int(text) > _HOUR:
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        raise ServiceError("ValidationError", message)
    if int(text) > role.longest_seconds:
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise ServiceError("ValidationError", message)
    return int(text)


def _digest(arn: str) -> str:
    return "".join(character for character in arn.upper() if character.isalnum())[-17:]
