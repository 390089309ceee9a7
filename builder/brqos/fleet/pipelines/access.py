"""The roles of a pipeline on AWS's own engines: who may be each, and the least that it may do. Pure.

What is not known before the stack is there stands as `${...}`, the way of Fn::Sub: `${Records.Arn}/images/*`.

Sources: CodeBuild User Guide, "Allow CodeBuild to interact with other AWS services", "Batch build security role" and
"Cross-service confused deputy prevention"; CodePipeline User Guide, "Manage the CodePipeline service role"; EventBridge
Scheduler User Guide, "Setting up the execution role".
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from brqos.ami.policy.policy import policy_for
from brqos.config.codebuild import CodeBuildSpec
from brqos.fleet.pipelines.fleet import Fleet
from brqos.fleet.pipelines.wishes import Wishes

Statement = dict[str, Any]

# A policy for publishing is made for an account, and that of the stack is known to the stack alone.
_STANDS_FOR_ACCOUNT = "000000000000"
_ACCOUNT = "${AWS::AccountId}"
_HERE = "${AWS::Partition}:{service}:${AWS::Region}:${AWS::AccountId}"
_ECR = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([a-z0-9._/-]+)", re.ASCII)

IMAGES, PLANS, PUBLISHED, SOURCE, KITS = "images", "plans", "published", "source", "kits"
"""The folders of the bucket with the records."""
SOURCE_FILE = f"{SOURCE}/source.zip"
SINGLE = frozenset({"plan", "watch"})
"""The projects that run one build for all images."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role by its id in the template, the service that may be it, and what it may do."""

    id: str
    says: str
    service: str
    statements: tuple[Statement, ...]

    @property
    def trust(self) -> dict[str, Any]:
        """The trust policy: the service, and for this account only."""
        account = {"StringEquals": {"aws:SourceAccount": _ACCOUNT}}
        principal = {"Service": f"{self.service}.amazonaws.com"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": account}
        return _policy([statement])

    @property
    def permissions(self) -> dict[str, Any]:
        """The policy."""
        return _policy(self.statements)


def roles_of(fleet: Fleet, wishes: Wishes, settings: CodeBuildSpec, projects: Iterable[str]) -> list[Role]:
    """All roles of the pipeline; `projects` are the names of its projects behind the stack's."""
    names = list(projects)
    batches = [name for name in names if name not in SINGLE]
    publishes = fleet.publishes and not wishes.rehearse
    builds = [*_of_project(wishes, settings), *_build(fleet, wishes)]
    found = [Role("BuildRole", "Builds images, and cannot publish them.", "codebuild", tuple(builds))]
    if publishes:
        publish = (*_of_project(wishes, settings), *_publish(fleet, wishes))
        found.append(Role("PublishRole", "Asks what is there, registers and promotes.", "codebuild", publish))
    if publishes and fleet.cluster:
        canary = (*_of_project(wishes, settings), *_canary(fleet, wishes))
        found.append(Role("CanaryRole", "Tries an image on one node.", "codebuild", canary))
    if not wishes.rehearse:
        watch = (*_of_project(wishes, settings), _allow("TellPeople", ["sns:Publish"], ["${News}"]))
        found.append(Role("WatchRole", "Looks what upstream has, and tells people.", "codebuild", watch))
    found += [
        Role("BatchRole", "Starts the builds of a batch.", "codebuild", (_batch(batches),)),
        Role("PipelineRole", "Takes a run from stage to stage.", "codepipeline", tuple(_pipeline(wishes, names))),
        Role("StartRole", "Starts the pipeline when its time has come.", "scheduler", (_start(),)),
    ]
    if wishes.connection is None:
        found.append(Role("UploadRole", "Starts the pipeline when its source was uploaded.", "events", (_start(),)))
    return found


def documents_of(roles: Iterable[Role], wishes: Wishes) -> dict[str, dict[str, Any]]:
    """Permissions and trust of each role, by the names of their files.

    What only the stack knows is left in them as `${...}`; the account is put in where it is given.
    """

    def known(document: dict[str, Any]) -> dict[str, Any]:
        words = {_ACCOUNT: wishes.account or _ACCOUNT, "${AWS::Partition}": wishes.partition.value}
        filled = _mapped(document, words)
        assert isinstance(filled, dict)
        return filled

    found = {}
    for role in roles:
        name = f"brqos-{role.id.removesuffix('Role').lower()}"
        found[f"{name}-permissions.json"] = known(role.permissions)
        found[f"{name}-trust.json"] = known(role.trust)
    return found


def _of_project(wishes: Wishes, settings: CodeBuildSpec) -> Iterator[Statement]:
    """What every build needs, whatever it does."""
    yield _allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], ["${Logs.Arn}"])
    yield _allow("ReadSource", ["s3:GetObject", "s3:GetObjectVersion"], ["${Artifacts.Arn}/*"])
    if ecr := _ECR.match(wishes.image or settings.image):
        account, region, name = ecr.groups()
        yield _allow("LogInToRegistry", ["ecr:GetAuthorizationToken"], ["*"])
        pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        yield _allow("PullImage", pull, [f"arn:${{AWS::Partition}}:ecr:{region}:{account}:repository/{name}"])
    if settings.vpc:
        yield from _network(settings)


def _network(settings: CodeBuildSpec) -> Iterator[Statement]:
    """CodeBuild User Guide, "Use CodeBuild with Amazon VPC": most of these have no resource."""
    looks = ["DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs"]
    actions = [
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        *(f"ec2:Describe{what}" for what in looks),
    ]
    yield _allow("UseNetwork", actions, ["*"])
    subnets = [f"arn:{_here('ec2')}:subnet/{subnet}" for subnet in settings.vpc.subnets]
    condition = {
        "StringEquals": {"ec2:AuthorizedService": "codebuild.amazonaws.com"},
        "ArnEquals": {"ec2:Subnet": subnets},
    }
    interfaces = [f"arn:{_here('ec2')}:network-interface/*"]
    yield _allow("LendInterfaces", ["ec2:CreateNetworkInterfacePermission"], interfaces, condition)


def _build(fleet: Fleet, wishes: Wishes) -> Iterator[Statement]:
    reads, writes = [PLANS], [IMAGES]
    if wishes.rehearse or not fleet.publishes:
        # Nothing is asked of AWS, so the plan is made by the same role.
        writes.append(PLANS)
    if not wishes.rehearse:
        reads.append(KITS)
        writes.append(KITS)
    yield from _carry(reads, writes)
    if fleet.sbkeys and not wishes.rehearse:
        yield _allow("ReadKeys", ["secretsmanager:GetSecretValue"], ["${SbkeysSecret}"])


def _publish(fleet: Fleet, wishes: Wishes) -> Iterator[Statement]:
    yield from _carry([PLANS, IMAGES, PUBLISHED], [PLANS, PUBLISHED])
    # The stack's account, and none of the roles that a pipeline elsewhere logs in as.
    request = fleet.policy(replace(wishes, role=None, account=_STANDS_FOR_ACCOUNT))
    words = {_STANDS_FOR_ACCOUNT: _ACCOUNT, f"arn:{request.partition}:": "arn:${AWS::Partition}:"}
    published = _mapped(policy_for(request)["Statement"], words)
    assert isinstance(published, list)
    yield from published


def _canary(fleet: Fleet, wishes: Wishes) -> Iterator[Statement]:
    yield from _carry([PLANS, PUBLISHED], [PUBLISHED])
    if wishes.canary_role:
        yield _allow("BecomeCanary", ["sts:AssumeRole"], [wishes.canary_role])
        return
    cluster = f"arn:${{AWS::Partition}}:eks:{fleet.canary_region}:{_ACCOUNT}:cluster/{fleet.cluster}"
    yield _allow("LookAtCluster", ["eks:DescribeCluster"], [cluster])


def _carry(reads: list[str], writes: list[str]) -> Iterator[Statement]:
    objects = {
        key: [f"${{Records.Arn}}/{folder}/*" for folder in found] for key, found in (("r", reads), ("w", writes))
    }
    yield _allow("ReadRecords", ["s3:GetObject"], objects["r"])
    yield _allow("WriteRecords", ["s3:AbortMultipartUpload", "s3:PutObject"], objects["w"])
    prefixes = {"StringLike": {"s3:prefix": [f"{folder}/*" for folder in sorted({*reads, *writes})]}}
    yield _allow("ListRecords", ["s3:ListBucket"], ["${Records.Arn}"], prefixes)


def _batch(projects: list[str]) -> Statement:
    return _allow(
        "RunBuilds", ["codebuild:RetryBuild", "codebuild:StartBuild", "codebuild:StopBuild"], _projects(projects)
    )


def _pipeline(wishes: Wishes, projects: list[str]) -> Iterator[Statement]:
    yield _allow("KeepSource", ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], ["${Artifacts.Arn}/*"])
    if wishes.connection is not None:
        # The action has the same name for the service as the ARN.
        service = wishes.connection.split(":")[2]
        yield _allow("FetchSource", [f"{service}:UseConnection"], [wishes.connection])
    else:
        yield _allow("FetchSource", ["s3:GetObject", "s3:GetObjectVersion"], [f"${{Records.Arn}}/{SOURCE_FILE}"])
        yield _allow("FindSource", ["s3:GetBucketVersioning"], ["${Records.Arn}"])
    runs = ["BatchGetBuildBatches", "BatchGetBuilds", "StartBuild", "StartBuildBatch"]
    yield _allow("RunBuilds", [f"codebuild:{action}" for action in runs], _projects(projects))
    if not wishes.rehearse:
        yield _allow("AskPeople", ["sns:Publish"], ["${News}"])


def _start() -> Statement:
    # By its name: the pipeline's own ARN would make a circle with whoever starts it.
    pipeline = f"arn:{_here('codepipeline')}:${{AWS::StackName}}"
    return _allow("StartPipeline", ["codepipeline:StartPipelineExecution"], [pipeline])


def _projects(names: list[str]) -> list[str]:
    return [f"arn:{_here('codebuild')}:project/${{AWS::StackName}}-{name}" for name in names]


def _here(service: str) -> str:
    return _HERE.replace("{service}", service)


def _policy(statements: Iterable[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: list[str], resources: list[str], condition: dict[str, Any] | None = None) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


def _mapped(value: object, words: dict[str, str]) -> object:
    """The same with words replaced in every text of it."""
    if isinstance(value, dict):
        return {key: _mapped(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, words) for item in value]
    if isinstance(value, str):
        for word, other in words.items():
            value = value.replace(word, other)
    return value
