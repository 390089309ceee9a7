from typing import Any

from brqos.aws.ec2 import Ec2
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.verify.instances import AwsInstances, NoInstances


class Client:
    """EC2's DescribeInstances for one instance."""

    def describe_instances(self, *, Filters: Any) -> Any:  # noqa: N803 - the service's own word
        wanted = Filters[0]["Values"] == ["i-0123456789abcdef0"]
        instance = {"InstanceId": "i-0123456789abcdef0", "ImageId": "ami-0123456789abcdef0"}
        return {"Reservations": [{"Instances": [instance]}]} if wanted else {"Reservations": []}


class Session:
    """Makes clients, or cannot; counts how often it was asked."""

    def __init__(self, *, works: bool = True) -> None:
        self.works = works
        self.asked = 0

    def ec2(self, region: str) -> Ec2:
        self.asked += 1
        if not self.works:
            raise AwsCallError("there are no AWS credentials", kind=ErrorKind.CREDENTIALS, why="None were found.")
        client: Any = Client()
        return Ec2(client, client, region, None)


def test_ec2_knows_the_ami() -> None:
    session: Any = Session()
    instances = AwsInstances(session)
    assert instances.image_of("i-0123456789abcdef0", "eu-west-1").ami == "ami-0123456789abcdef0"
    assert "knows no instance i-0fedcba9876543210" in instances.image_of("i-0fedcba9876543210", "eu-west-1").unknown


def test_a_login_that_does_not_work_is_tried_once_per_region() -> None:
    session: Any = Session(works=False)
    instances = AwsInstances(session)
    for _ in range(3):
        assert "no AWS credentials" in instances.image_of("i-0123456789abcdef0", "eu-west-1").unknown
    assert session.asked == 1
    assert NoInstances().image_of("i-0123456789abcdef0", "eu-west-1").ami is None
