"""Short names for the inputs of a stage, by which it is known to be done already."""

import hashlib
import json


def digest(facts: object) -> str:
    """The same facts (whatever JSON can hold), the same name, on any machine."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
