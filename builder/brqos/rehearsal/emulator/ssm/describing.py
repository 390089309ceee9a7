"""DescribeParameters: what parameters there are, without their values."""

from typing import Any

from brqos.rehearsal.emulator.parameters import Parameter
from brqos.rehearsal.emulator.ssm.call import SsmCall, invalid, operation
from brqos.rehearsal.emulator.ssm.filtering import DESCRIBE, passes


def describe_parameters(call: SsmCall) -> dict[str, Any]:
    """DescribeParameters, by the older or the newer kind of filters, ten in a page unless told; raises ServiceError."""
    older, newer = call.asked.get("Filters") or [], call.asked.get("ParameterFilters") or []
    if older and newer:
        raise invalid("You can use either Filters or ParameterFilters in a single request.")
    filters = [*older, *newer]
    chosen = [parameter for parameter in call.parameters.values() if passes(parameter, filters, DESCRIBE)]
    page, token = call.page(f"DescribeParameters {filters}", chosen, lambda parameter: parameter.name, largest=50)
    return {"Parameters": [_told(parameter) for parameter in page], "NextToken": token}


def _told(parameter: Parameter) -> dict[str, Any]:
    latest = parameter.latest
    return {
        "Name": parameter.name,
        "ARN": parameter.arn,
        "Type": latest.type,
        "LastModifiedDate": latest.modified_at,
        "LastModifiedUser": latest.user,
        "Version": latest.number,
        "Tier": latest.tier,
        "Policies": [],
        "DataType": latest.data_type,
        **({"Description": latest.description} if latest.description else {}),
        **({"AllowedPattern": latest.allowed_pattern} if latest.allowed_pattern else {}),
        **({"KeyId": latest.key_id or "alias/aws/ssm"} if latest.type == "SecureString" else {}),
    }


ACTIONS = {
    "DescribeParameters": operation(
        describe_parameters,
        "Filters",
        "ParameterFilters",
        "MaxResults",
        "NextToken",
    )
}
