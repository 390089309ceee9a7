"""What policies are asked for in tests."""

from hypothesis import strategies as st

from brqos.ami.policy.codebuild import CodeBuildNames
from brqos.ami.policy.request import Partition, PolicyRequest, policy_request
from brqos.ami.policy.rules import PolicyStage
from brqos.config.codebuild import CodeBuildSpec
from brqos.fleet.codebuild.names import names_of

REGIONS = {
    Partition.AWS: ("eu-west-1", "us-east-1", "us-west-2", "ap-southeast-2", "eu-central-1", "mx-central-1"),
    Partition.CHINA: ("cn-north-1", "cn-northwest-1"),
    Partition.GOV_CLOUD: ("us-gov-west-1", "us-gov-east-1"),
}
OWNER, OTHER = "111122223333", "444455556666"


def key(region: str, partition: str = "aws", account: str = OWNER) -> str:
    return f"arn:{partition}:kms:{region}:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def role(partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{OTHER}:role/ci/brqos"


CODEBUILD = [
    CodeBuildSpec(),
    CodeBuildSpec(account=OWNER, project="fleet", bucket="our-builds", role="ours", batch_role="ours"),
]
DEFAULT_NAMES = names_of(CODEBUILD[0])


def codebuild(draw: st.DrawFn, partition: Partition) -> CodeBuildNames:
    own = f"arn:{partition}:iam::{OWNER}:role/ci/builds"
    of_others = [CodeBuildSpec(role=own), CodeBuildSpec(batch_role=own, region=REGIONS[partition][0])]
    return names_of(draw(st.sampled_from([*CODEBUILD, *of_others])))


@st.composite
def requests(draw: st.DrawFn) -> PolicyRequest:
    partition = draw(st.sampled_from(list(Partition)))
    regions = draw(st.lists(st.sampled_from(REGIONS[partition]), max_size=5))
    stages = draw(st.lists(st.sampled_from(list(PolicyStage)), min_size=1))
    keys = draw(st.lists(st.sampled_from(regions or REGIONS[partition]), max_size=3))
    return policy_request(
        stages,
        regions=regions,
        partition=partition,
        account=draw(st.sampled_from([None, "*", OWNER])),
        ssm_prefix="/p"
        if PolicyStage.PARAMETERS in stages
        else draw(st.sampled_from([None, "/platform/bottlerocket"])),
        kms_keys=[key(region, partition) for region in keys],
        roles=[role(partition)] if PolicyStage.ASSUME in stages else [],
        signing_keys=[key(REGIONS[partition][0], partition)] if PolicyStage.ATTEST in stages else [],
        codebuild=codebuild(draw, partition) if PolicyStage.CODEBUILD in stages else None,
        unprotect=PolicyStage.PRUNE in stages and draw(st.booleans()),
    )
