"""Which row printer belongs to which built-in kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from harness.kubeapi.kinds import Column
from harness.kubeapi.objects import Object
from harness.kubeapi.tables import core, pods, workloads

Cells = Callable[[Object, datetime], list[Any]]

_PRINTERS: dict[str, tuple[tuple[Column, ...], Cells]] = {
    "Pod": (pods.COLUMNS, pods.cells),
    "Deployment": (workloads.DEPLOYMENT, workloads.deployment),
    "ReplicaSet": (workloads.REPLICA_SET, workloads.replica_set),
    "StatefulSet": (workloads.STATEFUL_SET, workloads.stateful_set),
    "DaemonSet": (workloads.DAEMON_SET, workloads.daemon_set),
    "Job": (workloads.JOB, workloads.job),
    "CronJob": (workloads.CRON_JOB, workloads.cron_job),
    "Node": (core.NODE, core.node),
    "Service": (core.SERVICE, core.service),
    "Endpoints": (core.ENDPOINTS, core.endpoints),
    "EndpointSlice": (core.ENDPOINT_SLICE, core.endpoint_slice),
    "ConfigMap": (core.CONFIG_MAP, core.config_map),
    "Secret": (core.SECRET, core.secret),
    "Namespace": (core.NAMESPACE, core.namespace),
    "Event": (core.EVENT, core.event),
    "Lease": (core.LEASE, core.lease),
    "ServiceCIDR": (core.SERVICE_CIDR, core.service_cidr),
    "Role": (core.ROLE, core.role),
    "ClusterRole": (core.ROLE, core.role),
    "RoleBinding": (core.ROLE_BINDING, core.role_binding),
    "ClusterRoleBinding": (core.ROLE_BINDING, core.role_binding),
    "PodDisruptionBudget": (core.DISRUPTION_BUDGET, core.disruption_budget),
    "CustomResourceDefinition": (core.DEFINITION, core.definition),
    "MutatingWebhookConfiguration": (core.WEBHOOKS, core.webhooks),
    "ValidatingWebhookConfiguration": (core.WEBHOOKS, core.webhooks),
}
_PLAIN = (core.AGE_ONLY, core.age_only)
_NAME = Column("Name", format="name")


def columns(kind: str) -> tuple[Column, ...]:
    """Events print their name last, every other kind prints it first."""
    own = _PRINTERS.get(kind, _PLAIN)[0]
    return own if kind == "Event" else (_NAME, *own)


def cells(kind: str, obj: Object, now: datetime) -> list[Any]:
    own = _PRINTERS.get(kind, _PLAIN)[1](obj, now)
    return own if kind == "Event" else [obj["metadata"].get("name", ""), *own]
