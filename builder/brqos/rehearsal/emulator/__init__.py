"""A strict stand-in for the parts of AWS that publishing an AMI needs, on loopback.

One port speaks EC2 (query protocol, XML), EBS direct (REST, JSON) and STS. It refuses what the services refuse: wrong
signatures, checksums, lengths, indexes, counts and states, names that are taken, snapshots in use. It needs no boto3
and may run in a process of its own: `python -m brqos.rehearsal.emulator --port 8000`.
"""

from brqos.rehearsal.emulator.faults import Fault, Faults
from brqos.rehearsal.emulator.server import ACCESS_KEY, SECRET_KEY, Emulator
from brqos.rehearsal.emulator.signature import Key

__all__ = ["ACCESS_KEY", "SECRET_KEY", "Emulator", "Fault", "Faults", "Key"]
