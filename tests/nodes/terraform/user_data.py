"""The user data that a node gets in the end, of what the module is given."""

import tomllib
from typing import Any

JOINING = {
    "cluster-name": "prod",
    "api-server": "https://0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com",
    "cluster-certificate": "LS0tLS1CRUdJTg==",
    "cluster-dns-ip": ["172.20.0.10"],
}


def settings_of(arguments: dict[str, Any]) -> dict[str, Any]:
    """What stands below `settings`, read as Bottlerocket would.

    With an own AMI the module (v21, templates/bottlerocket_user_data.tpl) begins with this table and these four keys,
    and appends what it is given; without one it writes nothing of its own.
    """
    head = ""
    if arguments.get("enable_bootstrap_user_data"):
        quoted = {
            key: str(value).replace("'", '"') if isinstance(value, list) else f'"{value}"'
            for key, value in JOINING.items()
        }
        head = "[settings.kubernetes]\n" + "".join(f'"{key}" = {value}\n' for key, value in quoted.items())
    read = tomllib.loads(head + unescaped(arguments["bootstrap_extra_args"]))
    settings = read.pop("settings")
    assert not read, "everything stands below settings"
    if head:
        assert {key: settings["kubernetes"].pop(key) for key in JOINING} == JOINING
        if not settings["kubernetes"]:
            del settings["kubernetes"]
    assert isinstance(settings, dict)
    return settings


def unescaped(text: str) -> str:
    """A string of Terraform's JSON syntax, in which no expression stands, as Terraform takes it."""
    return text.replace("$${", "${").replace("%%{", "%{")
