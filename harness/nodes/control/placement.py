"""Whether a pod may run on a node: readiness, labels, affinity, taints. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from harness.kubeapi.selectors import expression_holds
from spiderpool.kube.api import Object

NOT_READY = "node.kubernetes.io/not-ready"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"


def is_node_ready(node: Object) -> bool:
    return any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in (node.get("status") or {}).get("conditions") or []
    )


def objections(pod_spec: Object, node: Object) -> Iterator[str]:
    """Why the pod may not run there, in the scheduler's words; nothing when it may."""
    for taint in taints_of(node):
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not _tolerates(pod_spec, taint):
            if taint["key"] == UNSCHEDULABLE:
                yield "node(s) were unschedulable"
            else:
                yield f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    if not _fits_labels(pod_spec, node):
        yield "node(s) didn't match Pod's node affinity/selector"


def taints_of(node: Object) -> list[Object]:
    """The node's taints, and those that its state stands for."""
    spec = node.get("spec") or {}
    taints = list(spec.get("taints") or [])
    keys = {taint["key"] for taint in taints}
    if not is_node_ready(node) and NOT_READY not in keys:
        taints.append({"key": NOT_READY, "effect": "NoSchedule"})
    if spec.get("unschedulable") and UNSCHEDULABLE not in keys:
        taints.append({"key": UNSCHEDULABLE, "effect": "NoSchedule"})
    return taints


def _tolerates(pod_spec: Object, taint: Object) -> bool:
    for toleration in pod_spec.get("tolerations") or []:
        if toleration.get("effect") not in (None, "", taint.get("effect")):
            continue
        key, operator = toleration.get("key") or "", toleration.get("operator") or "Equal"
        if not key and operator == "Exists":
            return True
        same_value = (toleration.get("value") or "") == (taint.get("value") or "")
        if key == taint["key"] and (operator == "Exists" or same_value):
            return True
    return False


def _fits_labels(pod_spec: Object, node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    wanted = pod_spec.get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    affinity = (pod_spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    return any(_term(term, node, labels) for term in required["nodeSelectorTerms"])


def _term(term: Object, node: Object, labels: Object) -> bool:
    fields = {"metadata.name": node["metadata"]["name"]}
    expressions = [
        *((expression, labels) for expression in term.get("matchExpressions") or []),
        *((expression, fields) for expression in term.get("matchFields") or []),
    ]
    return bool(expressions) and all(_holds(each, values) for each, values in expressions)


def _holds(expression: Object, labels: Object) -> bool:
    """Nodes are also selected by labels that are numbers."""
    operator, key = expression["operator"], expression["key"]
    if operator not in ("Gt", "Lt"):
        return expression_holds(expression, labels)
    if key not in labels:
        return False
    value, bound = int(labels[key]), int(expression["values"][0])
    return value > bound if operator == "Gt" else value < bound
