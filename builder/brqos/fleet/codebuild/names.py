"""What `[codebuild]` names, for the policy of whoever starts, follows and stops builds there. Pure."""

from brqos.ami.policy.codebuild import CodeBuildNames
from brqos.config.codebuild import CodeBuildSpec
from brqos.fleet.codebuild.bundle import bundle_key
from brqos.fleet.codebuild.place import RUNS, Place, is_arn
from brqos.fleet.codebuild.store import run_key


def names_of(spec: CodeBuildSpec) -> CodeBuildNames:
    """The names; account, region and partition are left open, for nobody is asked who runs this where."""
    place = Place("{account}", "{region}", "{partition}", spec)
    bucket = f"arn:{place.partition}:s3:::{place.bucket}"
    roles = {spec.role: place.role_arn, place.batch_role: place.batch_role_arn}
    return CodeBuildNames(
        account=spec.account,
        region=spec.region,
        project=place.arn("codebuild", f"project/{place.project}"),
        log_group=place.arn("logs", f"log-group:{place.log_group}"),
        bucket=bucket,
        # Of a run only its own file: what builds leave below it is written by them alone.
        sent=(f"{bucket}/{bundle_key('*')}", f"{bucket}/{run_key('*')}"),
        brought=(f"{bucket}/{RUNS}/*",),
        made_roles=tuple(arn for name, arn in roles.items() if not is_arn(name)),
        passed_roles=tuple(roles.values()),
    )
