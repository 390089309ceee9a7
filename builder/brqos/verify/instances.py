"""The AMI of an EC2 instance, where there are AWS credentials; where there are none, that is said once."""

from brqos.aws.errors import AwsCallError
from brqos.aws.session import AwsSession
from brqos.verify.image import InstanceImage


class AwsInstances:
    """Asks EC2; a login that does not work is tried only once."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session
        self._trouble: dict[str, str] = {}

    def image_of(self, instance: str, region: str) -> InstanceImage:
        """The AMI of an instance, or in words why it is not known."""
        if region in self._trouble:
            return InstanceImage(unknown=self._trouble[region])
        try:
            ami = self._session.ec2(region).image_of_instance(instance)
        except AwsCallError as error:
            self._trouble[region] = f"{error.what}. {error.why}".strip()
            return InstanceImage(unknown=self._trouble[region])
        if ami is None:
            return InstanceImage(unknown=f"EC2 knows no instance {instance} in {region} (another account's, or gone).")
        return InstanceImage(ami=ami, source="EC2")


class NoInstances:
    """Asks nobody."""

    def image_of(self, instance: str, region: str) -> InstanceImage:
        """Nothing."""
        return InstanceImage(unknown=f"EC2 was not asked about {instance}.")
