"""A session with AWS: where clients come from. boto3 is imported when the first one is asked for (it costs 0.35 s)."""

import copy
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from brqos.aws.credentials import Credentials
from brqos.aws.errors import translated
from brqos.aws.role import assume_role

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from botocore.session import Session as BotocoreSession

    from brqos.aws.codebuild import CodeBuild
    from brqos.aws.dry_run import DryRunEc2
    from brqos.aws.ebs import Ebs
    from brqos.aws.ebs_reader import EbsReader
    from brqos.aws.ec2 import Ec2
    from brqos.aws.eks import Eks
    from brqos.aws.iam import Iam
    from brqos.aws.identity import Identity
    from brqos.aws.image_attributes import ImageAttributes
    from brqos.aws.instance_types import InstanceTypes
    from brqos.aws.kms import Kms
    from brqos.aws.launch_templates import LaunchTemplates
    from brqos.aws.logs import Logs
    from brqos.aws.parameters import Parameters
    from brqos.aws.s3 import S3
    from brqos.aws.subnets import Subnets
    from brqos.aws.usage import Usage


@dataclass(frozen=True, slots=True)
class _Patience:
    """The most attempts at a call, and how long each may wait for a connection and for an answer."""

    attempts: int
    connect_seconds: float
    read_seconds: float


_USUAL = _Patience(attempts=6, connect_seconds=10, read_seconds=60)
_LITTLE = _Patience(attempts=2, connect_seconds=5, read_seconds=15)
# What botocore asks by itself: STS and SSO for credentials, where its own defaults mean minutes without a network.
_FOR_CREDENTIALS = _Patience(attempts=3, connect_seconds=10, read_seconds=20)


class AwsSession:
    """One identity at AWS.

    Without `endpoint` and `credentials` everything is found as boto3 finds it: profiles, AWS_CONFIG_FILE, proxies,
    AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE>. With both given, nothing of this machine's configuration is looked at:
    a rehearsal must not depend on it, and must not reach anything else; `region` is its default one then. With `role`
    (an ARN) everything is done in that role, whose credentials are renewed as long as the first ones hold.
    """

    def __init__(
        self,
        profile: str | None = None,
        endpoint: str | None = None,
        credentials: Credentials | tuple[str, str] | None = None,
        role: str | None = None,
        region: str | None = None,
    ) -> None:
        self.profile = profile
        self.role = role
        self._region = region
        self.endpoint = endpoint
        self._credentials = Credentials(*credentials) if isinstance(credentials, tuple) else credentials
        self._isolated = endpoint is not None and credentials is not None
        self._session: boto3.Session | None = None
        self._patience = _USUAL
        self._clients: dict[tuple[str, str, _Patience], Any] = {}
        # Making a client reads files and is not safe in several threads; using one is.
        self._lock = threading.Lock()

    def impatient(self) -> Self:
        """The same identity for questions that may stay open: without a network they end in seconds, not minutes."""
        other = copy.copy(self)
        other._patience, other._clients = _LITTLE, {}  # noqa: SLF001 - one of this class
        return other

    def ec2(self, region: str) -> "Ec2":
        """EC2 in a region: images and snapshots."""
        from brqos.aws.ec2 import Ec2

        # Registering is not idempotent: whoever calls it has to look before trying again.
        return Ec2(self._client("ec2", region), self._client("ec2", region, attempts=1), region, self.profile)

    def image_attributes(self, region: str) -> "ImageAttributes":
        """EC2 in a region: who may use an image, and its marks."""
        from brqos.aws.image_attributes import ImageAttributes

        return ImageAttributes(self._client("ec2", region), region, self.profile)

    def parameters(self, region: str) -> "Parameters":
        """The Parameter Store of Systems Manager in a region."""
        from brqos.aws.parameters import Parameters

        return Parameters(self._client("ssm", region), region, self.profile)

    def usage(self, region: str) -> "Usage":
        """What in a region may use an image: instances, launch templates, Auto Scaling groups, parameters."""
        from brqos.aws.usage import Usage

        clients = (self._client(service, region) for service in ("ec2", "autoscaling", "ssm"))
        return Usage(*clients, region=region, profile=self.profile)

    def ebs(self, region: str, *, connections: int = 32) -> "Ebs":
        """EBS direct in a region; so many blocks may be put at once."""
        from brqos.aws.block_puts import BlockPuts, transport_of
        from brqos.aws.ebs import Ebs

        client = self._client("ebs", region, attempts=1, read_seconds=30)
        verify = None if self._isolated else self._boto3()._session.get_config_variable("ca_bundle")  # noqa: SLF001
        transport = transport_of(client.meta.endpoint_url, verify=verify, config=client.meta.config)
        puts = BlockPuts(transport, region, self.frozen_credentials, connections=connections)
        return Ebs(client, puts, region, self.profile)

    def ebs_reader(self, region: str) -> "EbsReader":
        """EBS direct in a region: reading what a snapshot holds."""
        from brqos.aws.ebs_reader import EbsReader

        return EbsReader(self._client("ebs", region), region, self.profile)

    def eks(self, region: str) -> "Eks":
        """EKS in a region: clusters and their managed nodegroups."""
        from brqos.aws.eks import Eks

        return Eks(self._client("eks", region), region, self.profile)

    def instance_types(self, region: str) -> "InstanceTypes":
        """EC2 in a region: what the types of instances are like."""
        from brqos.aws.instance_types import InstanceTypes

        return InstanceTypes(self._client("ec2", region), region, self.profile)

    def kms(self, region: str) -> "Kms":
        """KMS in a region: signing and verifying."""
        from brqos.aws.kms import Kms

        return Kms(self._client("kms", region), region, self.profile)

    def subnets(self, region: str) -> "Subnets":
        """EC2 in a region: where subnets are."""
        from brqos.aws.subnets import Subnets

        return Subnets(self._client("ec2", region), region, self.profile)

    def launch_templates(self, region: str) -> "LaunchTemplates":
        """EC2 in a region: launch templates, which are made and changed too."""
        from brqos.aws.launch_templates import LaunchTemplates

        return LaunchTemplates(self._client("ec2", region), region, self.profile)

    def codebuild(self, region: str) -> "CodeBuild":
        """CodeBuild in a region: projects, batches and builds."""
        from brqos.aws.codebuild import CodeBuild

        # A batch's token holds for five minutes: botocore's own tries have to end well before, and ours with them.
        client = self._client("codebuild", region, attempts=4, read_seconds=20)
        return CodeBuild(client, region, self.profile)

    def logs(self, region: str) -> "Logs":
        """CloudWatch Logs in a region."""
        from brqos.aws.logs import Logs

        return Logs(self._client("logs", region), region, self.profile)

    def s3(self, region: str) -> "S3":
        """S3 in a region: the buckets of this identity's account, and no other's."""
        from brqos.aws.s3 import S3

        return S3(self._client("s3", region), region, self.profile, lambda: self.identity(region).account)

    def iam(self, region: str = "us-east-1") -> "Iam":
        """IAM, which is one for all regions of the partition that this region lies in."""
        from brqos.aws.iam import Iam

        return Iam(self._client("iam", region), self.profile)

    def dry_run(self, region: str) -> "DryRunEc2":
        """EC2 in a region, asked what it would allow."""
        from brqos.aws.dry_run import DryRunEc2

        return DryRunEc2(self._client("ec2", region), region, self.profile)

    def has_credentials(self) -> bool:
        """Whether there are any to be tried; raises AwsCallError for a profile that does not exist."""
        with self._lock, translated("reading the credentials", None, self.profile):
            return self._boto3().get_credentials() is not None

    def frozen_credentials(self) -> Credentials:
        """The credentials of this moment, refreshed where they can be; raises AwsCallError."""
        from botocore.exceptions import NoCredentialsError

        with translated("reading the credentials", None, self.profile):
            found = self._boto3().get_credentials()
            if found is None:
                raise NoCredentialsError
            frozen = found.get_frozen_credentials()
        return Credentials(str(frozen.access_key), str(frozen.secret_key), frozen.token)

    def identity(self, region: str) -> "Identity":
        """Who is asking, as STS in this region tells; raises AwsCallError."""
        from brqos.aws.identity import Identity

        client = self._client("sts", region, attempts=3, read_seconds=20)
        with translated("GetCallerIdentity", region, self.profile):
            answer = client.get_caller_identity()
        return Identity(account=answer["Account"], arn=answer["Arn"])

    def default_region(self) -> str | None:
        """The region that the environment or the profile names, if any; raises AwsCallError for an unknown profile.

        boto3 does not know AWS_REGION, which AWS' command line and other SDKs look at before everything else (AWS SDKs
        and Tools Reference Guide, "AWS Region").
        """
        with self._lock, translated("reading the AWS configuration", None, self.profile):
            configured = self._boto3().region_name
        if self._isolated:
            return self._region or configured
        if os.environ.get("AWS_DEFAULT_REGION"):
            return configured
        return os.environ.get("AWS_REGION") or configured

    def _client(
        self, service: str, region: str, *, attempts: int | None = None, read_seconds: int | None = None
    ) -> Any:  # noqa: ANN401
        """A client of boto3's, made once; its type depends on the service's name, which only a stub could tell."""
        usual = self._patience
        patience = _Patience(
            attempts=min(attempts or usual.attempts, usual.attempts),
            connect_seconds=usual.connect_seconds,
            read_seconds=min(read_seconds or usual.read_seconds, usual.read_seconds),
        )
        asked = (service, region, patience)
        with self._lock, translated(f"making a client for {service}", region, self.profile):
            if asked not in self._clients:
                self._clients[asked] = self._boto3().client(
                    service,  # type: ignore[call-overload]
                    region_name=region,
                    endpoint_url=self.endpoint,
                    config=self._config(patience),
                )
            return self._clients[asked]

    def _boto3(self) -> "boto3.Session":
        if self._session is None:
            import boto3

            given = self._credentials
            session = boto3.Session(
                profile_name=None if self._isolated else self.profile,
                aws_access_key_id=given.access_key if given else None,
                aws_secret_access_key=given.secret_key if given else None,
                aws_session_token=given.token if given else None,
                botocore_session=_core_without_configuration() if self._isolated else None,
            )
            session._session.set_default_client_config(self._config(_FOR_CREDENTIALS))  # noqa: SLF001
            if self.role:
                assume_role(session, self.role, self.endpoint)
            self._session = session
        return self._session

    def _config(self, patience: _Patience) -> "Config":
        from botocore.config import Config

        # A proxy of this machine's would not know what loopback is; None leaves the choice to botocore.
        alone = {"proxies": {}, "use_fips_endpoint": False, "use_dualstack_endpoint": False} if self._isolated else {}
        return Config(
            connect_timeout=patience.connect_seconds,
            read_timeout=patience.read_seconds,
            retries={"mode": "standard", "total_max_attempts": patience.attempts},
            user_agent_extra="brqos",
            **alone,  # type: ignore[arg-type]
        )


def _core_without_configuration() -> "BotocoreSession":
    from botocore.session import Session

    return Session(
        session_vars={
            "profile": (None, [], None, None),
            "config_file": (None, [], os.devnull, None),
            "credentials_file": (None, [], os.devnull, None),
            "ca_bundle": (None, [], None, None),
        }
    )
