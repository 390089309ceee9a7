"""A pipeline in a few sentences: what it does, and what has to be there before its first run. Pure."""

from collections.abc import Iterator, Mapping

from brqos.config.model import Engine
from brqos.fleet.pipelines.fleet import Fleet
from brqos.fleet.pipelines.iam import CANARY, PRODUCTION
from brqos.fleet.pipelines.wishes import THIS_REPOSITORY, Promotion, Wishes


def explanation(fleet: Fleet, wishes: Wishes, *, gitlab: bool) -> list[str]:
    """One paragraph for each job, then what to do once."""
    return [*_jobs(fleet, wishes, gitlab=gitlab), *_before(fleet, wishes, gitlab=gitlab)]


def what_is_there(fleet: Fleet, wishes: Wishes, job: str) -> str:
    """The sentence on the job that finds out what is to be built."""
    total = len(fleet.entries)
    return (
        f"{job}: asks what of the {'one image' if total == 1 else f'{total} images'} is not there yet"
        + (", of AWS and by inputs" if fleet.publishes and not wishes.rehearse else "")
        + ". The rest is left out."
    )


def how_built(fleet: Fleet, how: Mapping[Engine, str]) -> str:
    """The sentence on the job that builds."""
    return f"build: {'; or '.join(how[engine] for engine in sorted(fleet.engines))}."


def where_pip_looks(wishes: Wishes) -> Iterator[str]:
    """What has to be there where pip takes brqos from an index."""
    if wishes.brqos != THIS_REPOSITORY and "://" not in wishes.brqos:
        yield (
            f"Before the first run: pip has to find {wishes.brqos} there, on an index of yours. Or say with --brqos"
            " where it is: brqos[repack,official]@git+https://…@TAG, or . in a clone of brqos."
        )


def _jobs(fleet: Fleet, wishes: Wishes, *, gitlab: bool) -> Iterator[str]:
    yield what_is_there(fleet, wishes, "matrix")
    if wishes.rehearse:
        yield "build: rehearses each of them: no network, no Docker, no AWS, and nothing that could be published."
        return
    how = {
        Engine.REPACK: "repacks the official image, in seconds and without Docker",
        Engine.SOURCE: f"builds from source on {', '.join(wishes.runners)}",
    }
    yield f"{how_built(fleet, how)} Without a login to AWS."
    if not fleet.publishes:
        yield "The configuration names no regions, so the pipeline ends with the images as artefacts."
    else:
        yield (
            f"register: one AMI in each of {', '.join(fleet.regions)}, from the artefact of the build, as"
            f" {wishes.role}. One at a time for each image; what is there already is taken."
        )
    if fleet.publishes and fleet.cluster:
        yield f"verify: a tainted node in {fleet.cluster}, `brqos verify`, and it is removed again, come what may."
    if fleet.promotes(wishes):
        who = "a person says so" if wishes.promotion is Promotion.BY_HAND else "the canary has proven it"
        yield f"promote: moves {fleet.prefix}/…/latest once {who}."
    told = "ends with a warning" if gitlab else "opens an issue, or brings the open one up to date"
    yield f"watch: {told} where upstream has a newer release ({wishes.schedule}, UTC, and by hand)."


def _before(fleet: Fleet, wishes: Wishes, *, gitlab: bool) -> Iterator[str]:
    if wishes.installs:
        yield from where_pip_looks(wishes)
    if wishes.rehearse:
        return
    if gitlab:
        yield f'Before the first run: make a pipeline schedule "{wishes.schedule}", and include the file.'
    if fleet.publishes:
        yield (
            "Before the first run: the OIDC provider in IAM, and the role; --iam --repository OWNER/NAME prints"
            " its policy and its trust policy."
        )
    if fleet.sbkeys:
        kind = "masked and protected variable" if gitlab else "secret"
        yield (
            f"Before the first run: the {kind} BRQOS_SBKEYS: tar -cz -C {fleet.sbkeys} . | base64 -w0."
            " Commit the public files alone (PK.crt, KEK.crt, db.crt, vendor.crt, efi-vars.aws), never the keys."
        )
    if fleet.publishes and fleet.cluster:
        yield (
            "Before the first verify: the role may make nodegroups with eksctl (eksctl's documentation, “Minimum IAM"
            " policies”), and the cluster lets it in (an access entry). brqos's own policy covers neither; another"
            f" role can be given with --canary-role-arn. The environment is {CANARY}."
        )
    if not gitlab and (fleet.cluster or fleet.promotes(wishes)):
        yield (
            f"Before the first run: let only the branch {wishes.branch} deploy to the environments (Settings,"
            " Environments). The role trusts them by name, whatever branch a job is of."
        )
    if fleet.promotes(wishes) and wishes.promotion is Promotion.BY_HAND:
        how = "protect the environment" if gitlab else "give required reviewers to the environment"
        yield f"Before the first promotion: {how} {PRODUCTION}."
