"""A strict stand-in for the parts of AWS that building, publishing and using an AMI need, on loopback.

One port speaks EC2, STS, IAM and Auto Scaling (query protocol, XML), EBS direct and EKS (REST, JSON), S3 (REST, XML),
SSM's Parameter Store, KMS and CloudWatch Logs (JSON 1.1), and CodeBuild (JSON 1.1 and CBOR). It refuses what the
services refuse: wrong signatures, checksums, lengths, indexes, counts and states, names that are taken, snapshots in
use, images that cannot be shared. It needs no boto3 and may run in a process of its own:
`python -m brqos.rehearsal.emulator --port 8000`.
"""

from brqos.rehearsal.emulator.faults import Fault, Faults
from brqos.rehearsal.emulator.server import ACCESS_KEY, ACCOUNT, SECRET_KEY, Emulator
from brqos.rehearsal.emulator.signature import Key
from brqos.rehearsal.emulator.store import Role
from brqos.rehearsal.emulator.throttle import Rate

__all__ = ["ACCESS_KEY", "ACCOUNT", "SECRET_KEY", "Emulator", "Fault", "Faults", "Key", "Rate", "Role"]
