"""Whether the permissions that a plan needs are there, asked before anything is done."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from brqos.ami.everywhere import Outcome, everywhere
from brqos.ami.plan import AmiPlan
from brqos.ami.policy.probe import Finding, ProbeTargets, examine
from brqos.ami.policy.rules import PolicyStage
from brqos.ami.setting import RegionSetting

Findings = Sequence[Finding]


def probe_permissions(plans: Sequence[AmiPlan], settings: Mapping[str, RegionSetting]) -> Outcome[Findings]:
    """What is known of each permission, per region; where nobody can be asked, the region's failure.

    Nothing is changed: EC2's dry runs only say whether a call would be allowed.
    """
    by_region = {plan.region: plan for plan in plans}
    return everywhere(by_region, lambda region: _findings(by_region[region], settings[region]))


def stages_of(plan: AmiPlan) -> tuple[PolicyStage, ...]:
    """The parts of publishing that a plan consists of."""
    wishes = plan.publication
    shares = bool(wishes.accounts or wishes.organizations or wishes.ous or wishes.public)
    made = (PolicyStage.COPY,) if plan.copy_from else (PolicyStage.UPLOAD, PolicyStage.REGISTER)
    asked = {
        PolicyStage.SHARE: shares,
        PolicyStage.MARK: wishes.protect or wishes.deprecate_after_days is not None,
        PolicyStage.PARAMETERS: wishes.ssm_prefix is not None,
    }
    return (*made, *(stage for stage, wanted in asked.items() if wanted), PolicyStage.VERIFY)


def _findings(plan: AmiPlan, setting: RegionSetting) -> Findings:
    targets = ProbeTargets(
        region=plan.region,
        account=setting.account,
        now=datetime.now(UTC),
        tags=plan.tags,
        source_region=plan.copy_from,
    )
    return examine(stages_of(plan), targets, setting.session.dry_run(plan.region))
