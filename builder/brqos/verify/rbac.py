"""The permissions that verifying needs, and no more, as YAML for `kubectl apply`. Pure."""

from typing import Any

from brqos.nodes.emit import Path, to_yaml

NAME = "brqos-verify"


def rbac(namespace: str, *, probe: bool = True, inspect: bool = True, execute: bool = False) -> str:
    """A ClusterRole, a Role in the probes' namespace and their bindings to the group `brqos-verify`."""
    documents: list[dict[str, Any]] = [
        _role("ClusterRole", {}, _cluster_rules(inspect)),
        _binding("ClusterRoleBinding", "ClusterRole", {}),
    ]
    remarks: list[dict[Path, str]] = [_CLUSTER_REMARKS, {}]
    if execute:
        documents += [
            _role("ClusterRole", {}, [_rule(["pods"], ["get"]), _rule(["pods/exec"], ["get", "create"])], "-exec"),
            _binding("ClusterRoleBinding", "ClusterRole", {}, "-exec"),
        ]
        remarks += [{("rules",): "For --exec: `cat` in the containers that are there."}, {}]
    if probe:
        documents += [
            _role("Role", {"namespace": namespace}, _probe_rules()),
            _binding("RoleBinding", "Role", {"namespace": namespace}),
        ]
        remarks += [{("rules",): "For the probe pods; --read-only does without."}, {}]
    texts = [to_yaml(document, remarks=notes) for document, notes in zip(documents, remarks, strict=True)]
    return "---\n".join(texts)


_CLUSTER_REMARKS: dict[Path, str] = {
    ("rules",): "nodes/proxy shows the kubelet's metrics and configuration. It is a strong permission (it reaches"
    "\nall of the kubelet's API): leave it out, and brqos says what it could not see and goes on.",
}


def _cluster_rules(inspect: bool) -> list[dict[str, Any]]:
    rules = [_rule(["nodes"], ["get", "list"]), _rule(["nodes/proxy"], ["get"])]
    return [*rules, _rule(["pods"], ["list"])] if inspect else rules


def _probe_rules() -> list[dict[str, Any]]:
    return [
        _rule(["pods"], ["create", "list", "delete", "deletecollection"]),
        _rule(["pods/log"], ["get"]),
        _rule(["events"], ["list"]),
    ]


def _rule(resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [""], "resources": resources, "verbs": verbs}


def _role(kind: str, where: dict[str, str], rules: list[dict[str, Any]], ending: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": f"{NAME}{ending}", **where},
        "rules": rules,
    }


def _binding(kind: str, role: str, where: dict[str, str], ending: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": f"{NAME}{ending}", **where},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": f"{NAME}{ending}"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": NAME}],
    }
