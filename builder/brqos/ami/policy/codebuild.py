"""What whoever runs `brqos build --on codebuild`, follows such a run or stops it needs. Pure data.

Sources: Service Authorization Reference for AWS CodeBuild, Amazon S3, Amazon CloudWatch Logs and AWS IAM; for what
S3's operations are called as actions its guide, "Required permissions for Amazon S3 API operations".

All goes by exact names. A condition on the tag of what is there would refuse the question whether it is there, and
what was just made: tags are seen with a delay (IAM guide, "Changes that I make are not always immediately visible").
"""

from dataclasses import dataclass

from brqos.ami.policy.rule import Guard, PolicyStage, Rule

USE_PROJECT = "UseBuildProject"
WRITE_ROLES = "WriteBuildRoles"
_SERVICE = "codebuild.amazonaws.com"


@dataclass(frozen=True, slots=True)
class CodeBuildNames:
    """The ARNs of what `[codebuild]` names, in which `{partition}`, `{account}` and `{region}` are left open.

    `account` and `region` are those of the section, None where it leaves them open. `made_roles` are those that brqos
    makes, `passed_roles` all that the project is given. `sent` and `brought` are objects of the bucket: what whoever
    starts builds writes there, and reads.
    """

    account: str | None
    region: str | None
    project: str
    log_group: str
    bucket: str
    sent: tuple[str, ...]
    brought: tuple[str, ...]
    made_roles: tuple[str, ...]
    passed_roles: tuple[str, ...]


def _rule(
    sid: str,
    service: str,
    actions: tuple[str, ...],
    *resources: str,
    guard: Guard = Guard.NOTHING,
    passed_to: str | None = None,
) -> Rule:
    # Where a thing has a region, its ARN says it, or its bucket's name.
    its = {PolicyStage.CODEBUILD: tuple(f"{service}:{action}" for action in actions)}
    return Rule(sid, its, resources, guard, passed_to=passed_to, regional=False)


CODEBUILD_RULES = (
    # Batches and builds are asked for in the name of their project.
    _rule(
        USE_PROJECT,
        "codebuild",
        (
            "BatchGetBuildBatches",
            "BatchGetBuilds",
            "BatchGetProjects",
            "ListBuildBatchesForProject",
            "StartBuildBatch",
            "StopBuildBatch",
            "UpdateProject",
        ),
        "{project}",
    ),
    _rule("CreateBuildProject", "codebuild", ("CreateProject",), "{project}", guard=Guard.TAGGED_REQUEST),
    # The service compares with the group's ARN that ends in `:*` (CloudWatch Logs guide, "Identity-based policies").
    _rule("FollowBuildLogs", "logs", ("FilterLogEvents",), "{log_group}", "{log_group}:*"),
    _rule("ReadBuildLogs", "logs", ("GetLogEvents",), "{log_group}:log-stream:*"),
    # HeadBucket and ListObjectsV2 are ListBucket; without it an object that is missing is not told from a secret one.
    _rule(
        "UseBuildBucket",
        "s3",
        (
            "CreateBucket",
            "GetBucketTagging",
            "ListBucket",
            "PutBucketPolicy",
            "PutBucketPublicAccessBlock",
            "PutBucketTagging",
            "PutEncryptionConfiguration",
            "PutLifecycleConfiguration",
        ),
        "{bucket}",
    ),
    _rule("SendBuilds", "s3", ("PutObject",), "{sent}"),
    _rule("BringBuilds", "s3", ("GetObject",), "{brought}"),
    # CreateRole with tags asks for TagRole, too.
    _rule("CreateBuildRoles", "iam", ("CreateRole", "TagRole"), "{made_role}", guard=Guard.TAGGED_REQUEST),
    _rule(
        WRITE_ROLES,
        "iam",
        ("DeleteRolePolicy", "GetRole", "GetRolePolicy", "ListRolePolicies", "PutRolePolicy", "UpdateAssumeRolePolicy"),
        "{made_role}",
    ),
    _rule("PassBuildRoles", "iam", ("PassRole",), "{passed_role}", passed_to=_SERVICE),
)
