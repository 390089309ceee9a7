"""Who the pipeline is for AWS: what its role may do, and which jobs may be it. Pure.

Trust: GitHub's documentation, "Configuring OpenID Connect in Amazon Web Services"; GitLab's, "Configure OpenID Connect
in AWS to retrieve temporary credentials". The subject is compared with StringEquals, never by a pattern.
"""

from typing import Any

from brqos.ami.policy.policy import policy_for
from brqos.ami.policy.request import Partition
from brqos.errors import UsageError
from brqos.fleet.pipelines.fleet import Fleet
from brqos.fleet.pipelines.wishes import Wishes

CANARY = "brqos-canary"
PRODUCTION = "brqos-production"
"""Environments: whoever protects them decides about trying and promoting."""

GITHUB_ISSUER = "token.actions.githubusercontent.com"


def documents(fleet: Fleet, wishes: Wishes, *, gitlab: str | None = None) -> dict[str, dict[str, Any]]:
    """The policy of the role and its trust policy, each by the name of its file.

    `gitlab` is the host of a GitLab; without it the provider is GitHub's. Raises UsageError without a repository.
    """
    if wishes.repository is None or wishes.owner is None:
        raise UsageError(
            "the trust policy names the repository, and the account whose role it is",
            todo="Give --repository OWNER/NAME and --role-arn (or --account).",
        )
    trust = _gitlab_trust(wishes, gitlab) if gitlab else _github_trust(fleet, wishes)
    return {"brqos-permissions.json": policy_for(fleet.policy(wishes)), "brqos-trust.json": trust}


def audience(partition: Partition) -> str:
    """Whom GitHub's token is for; AWS China has a name of its own."""
    return "sts.amazonaws.com.cn" if partition is Partition.CHINA else "sts.amazonaws.com"


def _github_trust(fleet: Fleet, wishes: Wishes) -> dict[str, Any]:
    # A job with an environment is named by that, and one without by its branch.
    subjects = [f"repo:{wishes.repository}:ref:refs/heads/{wishes.branch}"]
    if fleet.cluster and wishes.canary_role in (None, wishes.role):
        subjects.append(f"repo:{wishes.repository}:environment:{CANARY}")
    if fleet.promotes(wishes):
        subjects.append(f"repo:{wishes.repository}:environment:{PRODUCTION}")
    return _trust(wishes, GITHUB_ISSUER, audience(wishes.partition), subjects)


def _gitlab_trust(wishes: Wishes, host: str) -> dict[str, Any]:
    subject = f"project_path:{wishes.repository}:ref_type:branch:ref:{wishes.branch}"
    return _trust(wishes, host, f"https://{host}", [subject])


def _trust(wishes: Wishes, issuer: str, audience: str, subjects: list[str]) -> dict[str, Any]:
    provider = f"arn:{wishes.partition}:iam::{wishes.owner}:oidc-provider/{issuer}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": {f"{issuer}:aud": audience, f"{issuer}:sub": subjects}},
            }
        ],
    }
