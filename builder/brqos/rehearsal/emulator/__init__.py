"""A strict stand-in for the parts of AWS that publishing an AMI and using it need, on loopback.

One port speaks EC2, STS and Auto Scaling (query protocol, XML), EBS direct and EKS (REST, JSON), and SSM's Parameter
Store (JSON 1.1). It refuses what the services refuse: wrong signatures, checksums, lengths, indexes, counts and states,
names that are taken, snapshots in use, images that cannot be shared. It needs no boto3 and may run in a process of its
own: `python -m brqos.rehearsal.emulator --port 8000`.
"""

from brqos.rehearsal.emulator.faults import Fault, Faults
from brqos.rehearsal.emulator.server import ACCESS_KEY, ACCOUNT, SECRET_KEY, Emulator
from brqos.rehearsal.emulator.signature import Key
from brqos.rehearsal.emulator.store import Role
from brqos.rehearsal.emulator.throttle import Rate

__all__ = ["ACCESS_KEY", "ACCOUNT", "SECRET_KEY", "Emulator", "Fault", "Faults", "Key", "Rate", "Role"]
