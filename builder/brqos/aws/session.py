"""A session with AWS: where clients come from. boto3 is imported when the first one is asked for (it costs 0.35 s)."""

import os
import threading
from typing import TYPE_CHECKING

from brqos.aws.credentials import Credentials
from brqos.aws.errors import translated

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from botocore.session import Session as BotocoreSession

    from brqos.aws.ebs import Ebs
    from brqos.aws.ec2 import Ec2
    from brqos.aws.identity import Identity

_CONNECT_SECONDS = 10
_READ_SECONDS = 60


class AwsSession:
    """One identity at AWS.

    Without `endpoint` and `credentials` everything is found as boto3 finds it: profiles, AWS_CONFIG_FILE, proxies,
    AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE>. With both given, nothing of this machine's configuration is looked at:
    a rehearsal must not depend on it, and must not reach anything else.
    """

    def __init__(
        self,
        profile: str | None = None,
        endpoint: str | None = None,
        credentials: Credentials | tuple[str, str] | None = None,
    ) -> None:
        self.profile = profile
        self.endpoint = endpoint
        self._credentials = Credentials(*credentials) if isinstance(credentials, tuple) else credentials
        self._isolated = endpoint is not None and credentials is not None
        self._session: boto3.Session | None = None
        # Making a client reads files and is not safe in several threads; using one is.
        self._lock = threading.Lock()

    def ec2(self, region: str) -> "Ec2":
        """EC2 in a region."""
        from brqos.aws.ec2 import Ec2

        with self._lock, translated("making a client for EC2", region, self.profile):
            client = self._boto3().client(
                "ec2", region_name=region, endpoint_url=self.endpoint, config=self._config(attempts=6)
            )
            # Registering is not idempotent: whoever calls it has to look before trying again.
            once = self._boto3().client(
                "ec2", region_name=region, endpoint_url=self.endpoint, config=self._config(attempts=1)
            )
        return Ec2(client, once, region, self.profile)

    def ebs(self, region: str, *, connections: int = 32) -> "Ebs":
        """EBS direct in a region; so many calls may be under way at once."""
        from brqos.aws.ebs import Ebs

        with self._lock, translated("making a client for EBS direct", region, self.profile):
            config = self._config(attempts=1, connections=connections, read_seconds=30)
            client = self._boto3().client("ebs", region_name=region, endpoint_url=self.endpoint, config=config)
        return Ebs(client, region, self.profile)

    def identity(self, region: str) -> "Identity":
        """Who is asking, as STS in this region tells; raises AwsCallError."""
        from brqos.aws.identity import Identity

        with translated("GetCallerIdentity", region, self.profile):
            with self._lock:
                config = self._config(attempts=3, read_seconds=20)
                client = self._boto3().client("sts", region_name=region, endpoint_url=self.endpoint, config=config)
            answer = client.get_caller_identity()
        return Identity(account=answer["Account"], arn=answer["Arn"])

    def default_region(self) -> str | None:
        """The region that the environment or the profile names, if any; raises AwsCallError for an unknown profile."""
        with self._lock, translated("reading the AWS configuration", None, self.profile):
            return self._boto3().region_name

    def _boto3(self) -> "boto3.Session":
        if self._session is None:
            import boto3

            given = self._credentials
            self._session = boto3.Session(
                profile_name=None if self._isolated else self.profile,
                aws_access_key_id=given.access_key if given else None,
                aws_secret_access_key=given.secret_key if given else None,
                aws_session_token=given.token if given else None,
                botocore_session=_core_without_configuration() if self._isolated else None,
            )
        return self._session

    def _config(self, *, attempts: int, connections: int = 10, read_seconds: int = _READ_SECONDS) -> "Config":
        from botocore.config import Config

        # A proxy of this machine's would not know what loopback is; None leaves the choice to botocore.
        alone = {"proxies": {}, "use_fips_endpoint": False, "use_dualstack_endpoint": False} if self._isolated else {}
        return Config(
            max_pool_connections=connections,
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
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
