"""What is there before anybody asks: clusters of EKS, their nodegroups, and subnets.

Tests and rehearsals put them in, from another process through `settings`. What is not said of a thing is as it usually
is; its members have the names of the APIs' answers.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from brqos.rehearsal.emulator.clusters import Cluster, merged
from brqos.rehearsal.emulator.compute import Subnet
from brqos.rehearsal.emulator.partitions import domain_of, partition_of
from brqos.rehearsal.emulator.store import ACCOUNT, Store
from brqos.rehearsal.emulator.wire import ServiceError

_ZONES = "abc"
_PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


def add_cluster(
    store: Store, region: str, name: str, given: Mapping[str, Any] | None = None, *, account: str = ACCOUNT
) -> Cluster:
    """Put a cluster there that is ACTIVE, or change one that is; `given` are members of DescribeCluster's `cluster`.

    Without `resourcesVpcConfig.subnetIds` of its own a new one gets three private subnets, which DescribeSubnets tells.
    """
    with store.lock:
        known = store.clusters.setdefault((account, region), {})
        if name in known:
            known[name].told = merged(known[name].told, given or {})
            return known[name]
        vpc = (given or {}).get("resourcesVpcConfig", {})
        vpc_id = vpc.get("vpcId") or store.new_id("vpc")
        subnets = vpc.get("subnetIds")
        if subnets is None:
            subnets = [_subnet(store, region, account, vpc_id, index) for index in range(len(_ZONES))]
        usual = _usual_cluster(store, region, name, account, {"vpcId": vpc_id, "subnetIds": subnets})
        known[name] = Cluster(merged(usual, given or {}))
        return known[name]


def add_nodegroup(
    store: Store,
    region: str,
    cluster: str,
    name: str,
    given: Mapping[str, Any] | None = None,
    *,
    account: str = ACCOUNT,
) -> dict[str, Any]:
    """Put a nodegroup there that is ACTIVE, or change one that is; `given` are members of DescribeNodegroup's answer.

    Raises ServiceError if there is no such cluster.
    """
    with store.lock:
        known = store.clusters.get((account, region), {}).get(cluster)
        if known is None:
            raise ServiceError("ValidationError", f"There is no cluster {cluster} in {region}")
        usual = known.nodegroups.get(name) or _usual_nodegroup(store, region, known, name, account)
        known.nodegroups[name] = merged(usual, given or {})
        return known.nodegroups[name]


def add_subnet(
    store: Store, region: str, subnet_id: str, given: Mapping[str, Any] | None = None, *, account: str = ACCOUNT
) -> Subnet:
    """Put a subnet there; `given` may have `vpc`, `zone`, `cidr`, `maps_public_ip` and `tags`; raises ServiceError."""
    known = {"vpc": "vpc-0123456789abcdef0", "zone": f"{region}a", "cidr": "10.0.0.0/24"}
    with store.lock:
        try:
            subnet = Subnet(id=subnet_id, region=region, owner=account, **{**known, **(given or {})})
        except TypeError as error:
            raise ServiceError("ValidationError", f"A subnet has no such member: {error}") from None
        store.compute.subnets[subnet_id] = subnet
        return subnet


def _subnet(store: Store, region: str, account: str, vpc: str, index: int) -> str:
    place = {"vpc": vpc, "zone": region + _ZONES[index], "cidr": f"192.168.{32 * index}.0/19"}
    return add_subnet(store, region, store.new_id("subnet"), place, account=account).id


def _usual_cluster(store: Store, region: str, name: str, account: str, vpc: Mapping[str, Any]) -> dict[str, Any]:
    digest = hashlib.sha256(f"{account}/{region}/{name}".encode())
    mark = digest.hexdigest()[:32].upper()
    certificate = _PEM.format(base64.b64encode(digest.digest()).decode())
    prefix = f"arn:{partition_of(region)}"
    return {
        "name": name,
        "arn": f"{prefix}:eks:{region}:{account}:cluster/{name}",
        "createdAt": store.clock(),
        "version": "1.33",
        "endpoint": f"https://{mark}.gr7.{region}.eks.{domain_of(region)}",
        "roleArn": f"{prefix}:iam::{account}:role/{name}-cluster",
        "resourcesVpcConfig": {
            "securityGroupIds": [],
            "clusterSecurityGroupId": store.new_id("sg"),
            "endpointPublicAccess": True,
            "endpointPrivateAccess": False,
            "publicAccessCidrs": ["0.0.0.0/0"],
            **vpc,
        },
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": "10.100.0.0/16",
            "ipFamily": "ipv4",
            "elasticLoadBalancing": {"enabled": False},
        },
        "computeConfig": {"enabled": False},
        "storageConfig": {"blockStorage": {"enabled": False}},
        "identity": {"oidc": {"issuer": f"https://oidc.eks.{region}.{domain_of(region)}/id/{mark}"}},
        "status": "ACTIVE",
        "certificateAuthority": {"data": base64.b64encode(certificate.encode()).decode()},
        "platformVersion": "eks.1",
        "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
        "upgradePolicy": {"supportType": "STANDARD"},
        "health": {"issues": []},
        "tags": {},
    }


def _usual_nodegroup(store: Store, region: str, cluster: Cluster, name: str, account: str) -> dict[str, Any]:
    prefix, its = f"arn:{partition_of(region)}", cluster.told["name"]
    return {
        "nodegroupName": name,
        "nodegroupArn": f"{prefix}:eks:{region}:{account}:nodegroup/{its}/{name}/{_digest(name)}",
        "clusterName": its,
        "version": cluster.told["version"],
        "releaseVersion": "1.0.0-00000000",
        "createdAt": store.clock(),
        "modifiedAt": store.clock(),
        "status": "ACTIVE",
        "capacityType": "ON_DEMAND",
        "scalingConfig": {"minSize": 1, "maxSize": 3, "desiredSize": 2},
        "instanceTypes": ["m5.large"],
        "subnets": cluster.told["resourcesVpcConfig"]["subnetIds"],
        "amiType": "BOTTLEROCKET_x86_64",
        "nodeRole": f"{prefix}:iam::{account}:role/{its}-node",
        "labels": {},
        "resources": {"autoScalingGroups": [{"name": f"eks-{name}"}]},
        "diskSize": 20,
        "health": {"issues": []},
        "updateConfig": {"maxUnavailable": 1},
        "tags": {},
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
