"""A pipeline on CodePipeline and CodeBuild in a few sentences: what it does, and what has to be done once. Pure."""

from collections.abc import Iterator

from brqos.config.codebuild import CodeBuildSpec
from brqos.config.model import Engine
from brqos.fleet.codebuild.sizes import DISK_GB, machine_of
from brqos.fleet.pipelines.access import SOURCE_FILE
from brqos.fleet.pipelines.codebuild import LONGEST_BODY, STACK
from brqos.fleet.pipelines.explain import how_built, what_is_there, where_pip_looks
from brqos.fleet.pipelines.fleet import Fleet
from brqos.fleet.pipelines.wishes import Promotion, Wishes

# What of the section stands in the template; the rest is of `brqos build --on codebuild` alone.
_HONOURED = frozenset({"image", "brqos_in_image", "compute", "compute_of", "sbkeys", "vpc", "tags", "variables"})


def explanation(fleet: Fleet, wishes: Wishes, settings: CodeBuildSpec, text: str) -> list[str]:
    """One paragraph for each job, then what to do once; `text` is the template."""
    return [*_jobs(fleet, wishes, settings), *_before(fleet, wishes, settings, text)]


def _jobs(fleet: Fleet, wishes: Wishes, settings: CodeBuildSpec) -> Iterator[str]:
    yield what_is_there(fleet, wishes, "plan")
    if wishes.rehearse:
        yield "build: rehearses each of them: no network, no Docker, no AWS, and nothing that could be published."
        return
    machines = [machine_of(entry.spec, settings) for entry in fleet.entries]
    docker = sorted({machine.compute for machine in machines if machine.docker}, key=DISK_GB.__getitem__)
    sizes = ", ".join(f"{size.type} ({DISK_GB[size]} GB)" for size in docker)
    how = {
        Engine.REPACK: "repacks the official image, in seconds and without Docker",
        Engine.SOURCE: f"builds from source on {sizes}, privileged, in {wishes.image}",
    }
    yield f"{how_built(fleet, how)} As a role that cannot publish."
    if not fleet.publishes:
        yield "The configuration names no regions, so the pipeline ends with the images in its bucket."
    else:
        yield (
            f"register: one AMI in each of {', '.join(fleet.regions)}, from the image in the bucket. The runs wait for"
            " each other; what is there already is taken."
        )
    if fleet.publishes and fleet.cluster:
        yield f"verify: a tainted node in {fleet.cluster}, `brqos verify`, and it is removed again, come what may."
    if fleet.promotes(wishes):
        who = "a person approves it" if wishes.promotion is Promotion.BY_HAND else "the canary has proven it"
        yield f"promote: moves {fleet.prefix}/…/latest once {who}."
    yield f"watch: tells the topic where upstream has a newer release ({wishes.schedule}, UTC, and in every other run)."


def _before(fleet: Fleet, wishes: Wishes, settings: CodeBuildSpec, text: str) -> Iterator[str]:
    if wishes.installs:
        yield from where_pip_looks(wishes)
    bucket = (
        " Its template is longer than CloudFormation takes without a bucket: add --s3-bucket." if _is_long(text) else ""
    )
    yield (
        f"Deploy it: aws cloudformation deploy --stack-name {STACK} --capabilities CAPABILITY_IAM --template-file …"
        f" (the stack may have any name; the pipeline and its projects are called by it).{bucket}"
    )
    if wishes.connection is None:
        yield (
            f"Before the first run: upload the sources as {SOURCE_FILE} to the stack's RecordsBucket (an output of it);"
            " each upload starts a run. With --connection and --repository each push does."
        )
    else:
        yield "Before the first run: the connection has to be available, which takes a handshake in the console."
    if fleet.sbkeys and not wishes.rehearse:
        yield (
            "Before the first run: a secret whose text is the keys, and its ARN as the parameter SbkeysSecret:"
            f" tar -cz -C {fleet.sbkeys} . | base64 -w0. Commit the public files alone (PK.crt, KEK.crt, db.crt,"
            " vendor.crt, efi-vars.aws), never the keys."
        )
    if fleet.publishes and fleet.cluster and not wishes.rehearse:
        role = wishes.canary_role or "the stack's CanaryRole"
        yield (
            f"Before the first verify: {role} may make nodegroups with eksctl (eksctl's documentation, “Minimum IAM"
            " policies”), and the cluster lets it in (an access entry). brqos's own policy covers neither."
        )
    if fleet.promotes(wishes) and wishes.promotion is Promotion.BY_HAND and not wishes.rehearse:
        yield (
            "Before the first promotion: let only those approve who shall (codepipeline:PutApprovalResult on the action"
            " Approve). They are asked by e-mail with the parameter Email."
        )
    if unused := _unused(settings):
        yield f"Of [codebuild] the pipeline takes no {', '.join(unused)}: that is for `brqos build --on codebuild`."


def _is_long(text: str) -> bool:
    return len(text.encode()) > LONGEST_BODY


def _unused(settings: CodeBuildSpec) -> list[str]:
    unset = CodeBuildSpec()
    given = {name for name in type(settings).model_fields if getattr(settings, name) != getattr(unset, name)}
    from_file = settings.sbkeys is not None and settings.sbkeys.startswith("s3:")
    return sorted(name.replace("_", "-") for name in (given - _HONOURED) | ({"sbkeys"} if from_file else set()))
