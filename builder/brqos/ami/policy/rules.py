"""Which calls each stage makes, and how far IAM can narrow each of them down. Pure data.

Resource types and condition keys: AWS's Service Authorization Reference, "Actions, resources, and condition keys" for
Amazon EC2, Amazon Elastic Block Store, AWS Systems Manager, Amazon EKS and AWS STS. sts:GetCallerIdentity needs no
permission.
"""

from collections.abc import Mapping
from types import MappingProxyType

from brqos.ami.policy.codebuild import CODEBUILD_RULES
from brqos.ami.policy.rule import Guard, PolicyStage, Rule

__all__ = [
    "ACTIONS", "ASSUME_ROLES", "COPY_IMAGES", "LOOK_AT_CLUSTERS", "READ_PARAMETERS", "RULES", "SIGN_DOCUMENTS",
    "TAG_STARTED", "UNPROTECT", "USE_PARAMETERS", "Guard", "PolicyStage", "Rule",
]  # fmt: skip

_ANYTHING = ("*",)
_IMAGES = ("arn:{partition}:ec2:*::image/*",)
_SNAPSHOTS = ("arn:{partition}:ec2:*::snapshot/*",)
_LAUNCH_TEMPLATES = ("arn:{partition}:ec2:*:{account}:launch-template/*",)

DESCRIBE_IMAGES = "ec2:DescribeImages"
DESCRIBE_SNAPSHOTS = "ec2:DescribeSnapshots"
UNPROTECT = "ec2:DisableImageDeregistrationProtection"

COPY_IMAGES = "CopyImages"
TAG_STARTED = "TagStartedSnapshots"
USE_PARAMETERS = "UseParameters"
READ_PARAMETERS = "ReadParameters"
LOOK_AT_CLUSTERS = "LookAtClusters"
ASSUME_ROLES = "AssumeRoles"
SIGN_DOCUMENTS = "SignDocuments"

RULES = (
    # These have no resource type: the region is all that can be said.
    Rule(
        "Look",
        {
            PolicyStage.UPLOAD: (DESCRIBE_SNAPSHOTS, "ec2:GetEbsEncryptionByDefault"),
            PolicyStage.REGISTER: (DESCRIBE_IMAGES,),
            PolicyStage.COPY: (DESCRIBE_IMAGES, DESCRIBE_SNAPSHOTS),
            PolicyStage.SHARE: (
                DESCRIBE_IMAGES,
                DESCRIBE_SNAPSHOTS,
                "ec2:GetImageBlockPublicAccessState",
                "ec2:GetSnapshotBlockPublicAccessState",
            ),
            PolicyStage.MARK: (DESCRIBE_IMAGES,),
            # Systems Manager looks the AMI up as the caller when the data type is aws:ec2:image.
            PolicyStage.PARAMETERS: (DESCRIBE_IMAGES,),
            PolicyStage.VERIFY: (DESCRIBE_IMAGES, DESCRIBE_SNAPSHOTS, "ec2:GetEbsEncryptionByDefault"),
            PolicyStage.PRUNE: (
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeLaunchConfigurations",
                "ec2:DescribeImageReferences",
                DESCRIBE_IMAGES,
                "ec2:DescribeInstances",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:DescribeLaunchTemplates",
                DESCRIBE_SNAPSHOTS,
                "ssm:DescribeParameters",
            ),
            PolicyStage.NODES: (
                DESCRIBE_IMAGES,
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:DescribeLaunchTemplates",
                "ec2:DescribeSubnets",
            ),
            # What is published already is built no second time.
            PolicyStage.CODEBUILD: (DESCRIBE_IMAGES,),
        },
        _ANYTHING,
    ),
    Rule("StartSnapshots", {PolicyStage.UPLOAD: ("ebs:StartSnapshot",)}, _SNAPSHOTS, Guard.TAGGED_REQUEST),
    # The reference names ec2:CreateTags as a dependent action of ebs:StartSnapshot and no ec2:CreateAction for it.
    Rule(TAG_STARTED, {PolicyStage.UPLOAD: ("ec2:CreateTags",)}, _SNAPSHOTS, Guard.TAGGED_REQUEST),
    Rule("RegisterImages", {PolicyStage.REGISTER: ("ec2:RegisterImage",)}, _IMAGES, Guard.TAGGED_REQUEST),
    Rule(
        "TagRegisteredImages",
        {PolicyStage.REGISTER: ("ec2:CreateTags",)},
        _IMAGES,
        Guard.TAGGED_REQUEST,
        create_action="RegisterImage",
    ),
    # Source and copy are resources of the same call, and only the copy is tagged by it. It copies the snapshots too:
    # ec2:CopySnapshot is not asked for (EC2 User Guide, "Grant permissions to copy Amazon EC2 AMIs").
    Rule(COPY_IMAGES, {PolicyStage.COPY: ("ec2:CopyImage",)}, (*_IMAGES, *_SNAPSHOTS)),
    Rule(
        "TagCopies",
        {PolicyStage.COPY: ("ec2:CreateTags",)},
        (*_IMAGES, *_SNAPSHOTS),
        Guard.TAGGED_REQUEST,
        create_action="CopyImage",
    ),
    Rule(
        "UseTaggedImages",
        {
            # One that failed is cleared away, or its name would stay taken.
            # The hashes of what is written about a build are known, and tagged, only when all regions are done.
            PolicyStage.REGISTER: ("ec2:CreateTags", "ec2:DeregisterImage", "ec2:DescribeImageAttribute"),
            PolicyStage.COPY: ("ec2:CreateTags", "ec2:DeregisterImage"),
            PolicyStage.SHARE: ("ec2:DescribeImageAttribute", "ec2:ModifyImageAttribute"),
            PolicyStage.MARK: ("ec2:EnableImageDeprecation", "ec2:EnableImageDeregistrationProtection"),
            PolicyStage.VERIFY: ("ec2:DescribeImageAttribute",),
            PolicyStage.PRUNE: ("ec2:DeregisterImage", "ec2:DescribeImageAttribute", UNPROTECT),
        },
        _IMAGES,
        Guard.TAGGED_RESOURCE,
    ),
    Rule(
        "UseTaggedSnapshots",
        {
            PolicyStage.UPLOAD: ("ebs:CompleteSnapshot", "ebs:PutSnapshotBlock", "ec2:DeleteSnapshot"),
            PolicyStage.REGISTER: ("ec2:RegisterImage",),
            # What a copy's snapshots hold is known, and tagged, only when they are there.
            PolicyStage.COPY: ("ec2:CreateTags", "ec2:DeleteSnapshot"),
            PolicyStage.SHARE: ("ec2:DescribeSnapshotAttribute", "ec2:ModifySnapshotAttribute"),
            PolicyStage.VERIFY: ("ebs:GetSnapshotBlock", "ebs:ListSnapshotBlocks", "ec2:DescribeSnapshotAttribute"),
            PolicyStage.PRUNE: ("ec2:DeleteSnapshot",),
        },
        _SNAPSHOTS,
        Guard.TAGGED_RESOURCE,
    ),
    Rule(
        USE_PARAMETERS,
        {
            PolicyStage.PARAMETERS: (
                "ssm:AddTagsToResource",
                "ssm:GetParameterHistory",
                "ssm:GetParameters",
                "ssm:PutParameter",
            ),
            PolicyStage.VERIFY: ("ssm:GetParameters",),
        },
        ("arn:{partition}:ssm:*:{account}:parameter{prefix}/*",),
        needs_prefix=True,
    ),
    # An AMI may be in use by a parameter of any name, and may not be pruned then.
    Rule(
        READ_PARAMETERS,
        {PolicyStage.PRUNE: ("ssm:GetParameters",)},
        ("arn:{partition}:ssm:*:{account}:parameter/*",),
    ),
    Rule(
        "DeleteTaggedParameters",
        {PolicyStage.PRUNE: ("ssm:DeleteParameter",)},
        # Without a prefix those of any name that have the tag.
        ("arn:{partition}:ssm:*:{account}:parameter{prefix}/*",),
        Guard.TAGGED_RESOURCE,
    ),
    # What a cluster's nodegroups are called is a question about the cluster.
    Rule(
        LOOK_AT_CLUSTERS,
        {PolicyStage.NODES: ("eks:DescribeCluster", "eks:ListNodegroups")},
        ("arn:{partition}:eks:*:{account}:cluster/*",),
    ),
    Rule(
        "LookAtNodegroups",
        {PolicyStage.NODES: ("eks:DescribeNodegroup",)},
        ("arn:{partition}:eks:*:{account}:nodegroup/*",),
    ),
    Rule(
        "CreateLaunchTemplates",
        {PolicyStage.NODES: ("ec2:CreateLaunchTemplate",)},
        _LAUNCH_TEMPLATES,
        Guard.TAGGED_REQUEST,
    ),
    Rule(
        "TagCreatedLaunchTemplates",
        {PolicyStage.NODES: ("ec2:CreateTags",)},
        _LAUNCH_TEMPLATES,
        Guard.TAGGED_REQUEST,
        create_action="CreateLaunchTemplate",
    ),
    # Its default version is left alone, so ec2:ModifyLaunchTemplate is not asked for.
    Rule(
        "ChangeTaggedLaunchTemplates",
        {PolicyStage.NODES: ("ec2:CreateLaunchTemplateVersion",)},
        _LAUNCH_TEMPLATES,
        Guard.TAGGED_RESOURCE,
    ),
    # The key that signs a build's documents is of one region, whatever regions the AMIs are in.
    Rule(
        SIGN_DOCUMENTS,
        {PolicyStage.ATTEST: ("kms:GetPublicKey", "kms:Sign", "kms:Verify")},
        ("{signing_key}",),
        regional=False,
    ),
    *CODEBUILD_RULES,
    # STS answers for all regions, and its global endpoint counts as us-east-1.
    Rule(ASSUME_ROLES, {PolicyStage.ASSUME: ("sts:AssumeRole",)}, ("{role}",), regional=False),
)


def _actions_of(stage: PolicyStage) -> tuple[str, ...]:
    return tuple(sorted({action for rule in RULES for action in rule.actions.get(stage, ())}))


ACTIONS: Mapping[PolicyStage, tuple[str, ...]] = MappingProxyType({stage: _actions_of(stage) for stage in PolicyStage})
"""Every action that a stage may call for, sorted; `UNPROTECT` counts only where it was asked for."""
