"""What a Bottlerocket nodegroup may not hold in eksctl's file, though eksctl's schema lets it pass.

The sources are eksctl 0.231, pkg/apis/eksctl.io/v1alpha5/validation.go and pkg/nodebootstrap: some of these rules are
checked there when the file is read, others not before the stack is built, and some never. The rules take one entry of
`managedNodeGroups` or `nodeGroups` as data, so they serve files of any origin. Which settings an image knows is in
nodes/user_data/known.py.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from brqos.errors import ConfigurationError
from brqos.nodes.volumes import PROVISIONED_TYPES

Nodegroup = Mapping[str, Any]

_REJECTED = {
    "overrideBootstrapCommand": "Bottlerocket has no shell to run it in.",
    "preBootstrapCommands": "Bottlerocket has no shell to run them in.",
    "kubeletExtraConfig": "Bottlerocket's kubelet is configured through bottlerocket.settings.kubernetes.",
}
_REJECTED_WHEN_MANAGED = {"instancesDistribution": "Managed nodegroups have instanceTypes and spot."}
_REJECTED_WITH_OWN_AMI = {
    "releaseVersion": "It names one of AWS's own AMIs.",
    "maxPodsPerNode": "eksctl rejects it with an own AMI; bottlerocket.settings.kubernetes.max-pods is its place.",
}
_REJECTED_WHEN_SELF_MANAGED = {
    "instanceTypes": "Self-managed nodegroups have instancesDistribution.instanceTypes.",
    "releaseVersion": "Only managed nodegroups know it.",
    "launchTemplate": "Only managed nodegroups know it.",
    "spot": "Self-managed nodegroups have instancesDistribution, with the share of On-Demand nodes.",
}
_OWNED_SETTINGS = ("cluster-certificate", "api-server", "cluster-name")
_OWNED_WHEN_MANAGED = {
    "cluster-dns-ip": "EKS sets it.",
    "node-labels": "The nodegroup's own “labels” is its place.",
    "node-taints": "The nodegroup's own “taints” is its place.",
}
_OWNED_WHEN_SELF_MANAGED = {
    "max-pods": "The nodegroup's own “maxPodsPerNode” is its place.",
    "node-labels": "The nodegroup's own “labels” is its place.",
    "node-taints": "The nodegroup's own “taints” is its place.",
}

_FAMILIES = ("Bottlerocket", "BottlerocketFips")


def check_nodegroup(nodegroup: Nodegroup, *, managed: bool) -> None:
    """Hold one nodegroup against all rules of this file; raises ConfigurationError for the first that it breaks."""
    check_ami_family(nodegroup)
    check_rejected_fields(nodegroup, managed=managed)
    check_one_way_to_name_types(nodegroup)
    check_volume_mapping(nodegroup)
    check_update_config(nodegroup)
    bottlerocket = nodegroup.get("bottlerocket") or {}
    settings = bottlerocket.get("settings") or {}
    check_no_nulls(settings)
    check_owned_settings(settings, managed=managed)
    check_ssh(nodegroup)
    check_admin_container(nodegroup, managed=managed)


def check_ami_family(nodegroup: Nodegroup) -> None:
    """With `ami`, `amiFamily` is required, and eksctl's schema takes it in this case only (eksctl#8419, #6146)."""
    if nodegroup.get("amiFamily") not in _FAMILIES:
        raise _refused(
            nodegroup,
            "is not of amiFamily: Bottlerocket",
            why="eksctl cannot tell what is in an AMI, and would write user data for another system.",
            todo="Add amiFamily: Bottlerocket, written exactly so.",
        )


def check_rejected_fields(nodegroup: Nodegroup, *, managed: bool) -> None:
    """Fields that do not go with Bottlerocket, an own AMI, or this kind of nodegroup."""
    rejected = _REJECTED | (_REJECTED_WHEN_MANAGED if managed else _REJECTED_WHEN_SELF_MANAGED)
    if managed and "ami" in nodegroup:
        rejected |= _REJECTED_WITH_OWN_AMI
    for field, why in rejected.items():
        if field in nodegroup:
            raise _refused(nodegroup, f"cannot have {field}", why=why, todo=f"Remove {field}.")


def check_one_way_to_name_types(nodegroup: Nodegroup) -> None:
    """`instanceType` stands alone (validation.go: ValidateManagedNodeGroup, validateInstancesDistribution)."""
    ways = [field for field in ("instanceType", "instanceTypes", "instancesDistribution") if field in nodegroup]
    if len(ways) > 1:
        raise _refused(
            nodegroup,
            f"has {' and '.join(ways)}",
            why="eksctl takes one of them.",
            todo="Keep instanceType for one type, the other for several.",
        )


def check_volume_mapping(nodegroup: Nodegroup) -> None:
    """Volumes whose mapping eksctl would lose or write twice (defaults.go: setVolumeDefaults; eksctl#4434, #6046).

    Without `volumeName` it maps /dev/xvdb, and with encryption /dev/xvda too, of the same type but without IOPS; with
    the name the second one is lost.
    """
    for field in ("volumeName", "volumeEncrypted", "volumeKmsKeyID"):
        if nodegroup.get(field) and "volumeSize" not in nodegroup:
            raise _refused(
                nodegroup, f"has {field} without volumeSize", why="eksctl rejects it.", todo="Add volumeSize."
            )
    if nodegroup.get("volumeKmsKeyID") and not nodegroup.get("volumeEncrypted"):
        raise _refused(
            nodegroup,
            "has volumeKmsKeyID without volumeEncrypted",
            why="eksctl rejects it.",
            todo="Add volumeEncrypted: true.",
        )
    if nodegroup.get("volumeEncrypted"):
        _check_system_volume(nodegroup)


def check_update_config(nodegroup: Nodegroup) -> None:
    """`updateConfig` has exactly one of its two fields (validation.go: ValidateManagedNodeGroup)."""
    update = nodegroup.get("updateConfig")
    if update is not None and len({"maxUnavailable", "maxUnavailablePercentage"} & set(update)) != 1:
        raise _refused(
            nodegroup,
            "has an updateConfig with none or both of maxUnavailable and maxUnavailablePercentage",
            why="eksctl takes exactly one.",
            todo="Keep one of them.",
        )


def check_no_nulls(settings: Mapping[str, Any]) -> None:
    """TOML has no null, so eksctl fails on one while it writes the user data."""
    for path, value in _leaves(settings):
        if value is None or (isinstance(value, list | tuple) and None in value):
            raise ConfigurationError(
                f"the Bottlerocket setting {'.'.join(path)} has no value",
                why="User data is TOML, which cannot say “nothing”.",
                todo="Give it a value or leave it out.",
            )


def check_owned_settings(settings: Mapping[str, Any], *, managed: bool) -> None:
    """Settings that eksctl or EKS writes itself.

    On managed nodegroups the refusal comes when the stack is built, on self-managed ones when the file is read, and the
    three of the cluster are overwritten there without a word (managed_bottlerocket.go, validation.go:
    checkBottlerocketSettings, bottlerocket.go).
    """
    owned = dict.fromkeys(_OWNED_SETTINGS, "eksctl writes it from the cluster.")
    owned |= _OWNED_WHEN_MANAGED if managed else _OWNED_WHEN_SELF_MANAGED
    for setting in settings.get("kubernetes") or {}:
        if setting in owned:
            raise ConfigurationError(
                f"settings.kubernetes.{setting} cannot be set in {'a managed' if managed else 'a self-managed'} "
                "nodegroup",
                why=owned[setting],
                todo=f"Remove {setting} from bottlerocket.settings.kubernetes.",
            )


def check_ssh(nodegroup: Nodegroup) -> None:
    """`ssh.enableSsm` is rejected when it is false, and with an own AMI when it is true (validation.go)."""
    if "enableSsm" in (nodegroup.get("ssh") or {}):
        raise _refused(
            nodegroup,
            "cannot have ssh.enableSsm",
            why="eksctl rejects it with an own AMI; on Bottlerocket the control container brings SSM.",
            todo="Use bottlerocket.settings.host-containers.control.enabled.",
        )


def check_admin_container(nodegroup: Nodegroup, *, managed: bool) -> None:
    """One way only to switch the admin container (managed_bottlerocket.go: UserData).

    SSH sets enableAdminContainer by itself (defaults.go: setBottlerocketNodeGroupDefaults).
    """
    bottlerocket = nodegroup.get("bottlerocket") or {}
    containers = (bottlerocket.get("settings") or {}).get("host-containers") or {}
    ssh = nodegroup.get("ssh") or {}
    by_ssh = managed and bool(ssh.get("allow", "publicKeyName" in ssh))
    if "enabled" not in (containers.get("admin") or {}):
        return
    if "enableAdminContainer" in bottlerocket or by_ssh:
        raise ConfigurationError(
            "the admin container is switched twice: by "
            + ("enableAdminContainer" if "enableAdminContainer" in bottlerocket else "ssh")
            + " and by settings.host-containers.admin",
            why="eksctl rejects it when it builds the stack.",
            todo="Keep one of them.",
        )


def _check_system_volume(nodegroup: Nodegroup) -> None:
    names = [volume.get("volumeName") for volume in nodegroup.get("additionalVolumes") or ()]
    if nodegroup.get("volumeName") and "/dev/xvda" not in names:
        raise _refused(
            nodegroup,
            "has volumeEncrypted and volumeName",
            why="With a name eksctl encrypts that volume only, and /dev/xvda stays as it is.",
            todo="Remove volumeName: /dev/xvdb is meant without it.",
        )
    if not nodegroup.get("volumeName") and "/dev/xvda" in names:
        raise _refused(
            nodegroup,
            "has volumeEncrypted and /dev/xvda among additionalVolumes",
            why="eksctl writes /dev/xvda twice, and EC2 refuses the launch template.",
            todo="Keep one of them.",
        )
    if not nodegroup.get("volumeName") and nodegroup.get("volumeType") in PROVISIONED_TYPES:
        raise _refused(
            nodegroup,
            f"has volumeEncrypted and volumeType {nodegroup['volumeType']} without volumeName",
            why="eksctl maps /dev/xvda with the same type and without IOPS, and EC2 refuses the launch template.",
            todo="Add volumeName: /dev/xvdb, and /dev/xvda to additionalVolumes.",
        )


def _leaves(settings: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _refused(nodegroup: Nodegroup, what: str, *, why: str, todo: str) -> ConfigurationError:
    return ConfigurationError(f"the nodegroup “{nodegroup.get('name', '')}” {what}", why=why, todo=todo)
