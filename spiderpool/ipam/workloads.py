"""Workloads that have pods: where their template stands, and how many pods they want."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from spiderpool.ipam.facts import Controller

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Workload:
    """How one kind is read."""

    api_version: str
    template: Callable[[Object], Object]
    replicas: Callable[[Object], int]

    def annotations(self, obj: Object) -> Mapping[str, str]:
        """The annotations of its pods."""
        return (self.template(obj).get("metadata") or {}).get("annotations") or {}


BETWEEN = frozenset({"ReplicaSet", "Job"})
"""Kinds that another workload may have made to have its pods: then that is the top. Whatever
made one of another kind, such as an operator its StatefulSet, has no pods of its own."""


def has_maker(kind: str, obj: Object) -> bool:
    """Whether another workload made this one: then that is the top."""
    owners = obj["metadata"].get("ownerReferences") or ()
    return kind in BETWEEN and any(owner.get("controller") for owner in owners)


def is_native(owner: Controller) -> bool:
    """Whether Kubernetes itself has the kind, so that its template and size can be read."""
    workload = WORKLOADS.get(owner.kind)
    return workload is not None and workload.api_version == owner.api_version


def _spec(obj: Object) -> Object:
    return obj.get("spec") or {}


def _template(obj: Object) -> Object:
    return _spec(obj).get("template") or {}


def _cron_template(obj: Object) -> Object:
    return _template(_spec(obj).get("jobTemplate") or {})


def _replicas(obj: Object) -> int:
    count = _spec(obj).get("replicas")
    return 1 if count is None else int(count)


def _scheduled(obj: Object) -> int:
    return int((obj.get("status") or {}).get("desiredNumberScheduled") or 0)


def _parallel(obj: Object) -> int:
    """Pods of a Job that run at the same time: never more than it has to complete."""
    spec = _spec(obj)
    parallelism, completions = spec.get("parallelism"), spec.get("completions")
    at_once = 1 if parallelism is None else int(parallelism)
    return at_once if completions is None else min(at_once, int(completions))


def _cron_parallel(obj: Object) -> int:
    return _parallel(_spec(obj).get("jobTemplate") or {})


WORKLOADS: Mapping[str, Workload] = {
    "Deployment": Workload("apps/v1", _template, _replicas),
    "ReplicaSet": Workload("apps/v1", _template, _replicas),
    "StatefulSet": Workload("apps/v1", _template, _replicas),
    "DaemonSet": Workload("apps/v1", _template, _scheduled),
    "Job": Workload("batch/v1", _template, _parallel),
    "CronJob": Workload("batch/v1", _cron_template, _cron_parallel),
}
