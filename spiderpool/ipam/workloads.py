"""Workloads that have pods: where their template stands, and how many pods they want."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Workload:
    """How one kind is read."""

    api_version: str
    template: Callable[[Object], Object]
    replicas: Callable[[Object], int]
    tops: tuple[str, ...] = ()
    """Kinds that make this one; an object that has such a controller is not the top."""

    def annotations(self, obj: Object) -> Mapping[str, str]:
        """The annotations of its pods."""
        return (self.template(obj).get("metadata") or {}).get("annotations") or {}

    def is_top(self, obj: Object) -> bool:
        owners = obj["metadata"].get("ownerReferences") or ()
        return not any(o.get("controller") and o.get("kind") in self.tops for o in owners)


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
    "ReplicaSet": Workload("apps/v1", _template, _replicas, tops=("Deployment",)),
    "StatefulSet": Workload("apps/v1", _template, _replicas),
    "DaemonSet": Workload("apps/v1", _template, _scheduled),
    "Job": Workload("batch/v1", _template, _parallel, tops=("CronJob",)),
    "CronJob": Workload("batch/v1", _cron_template, _cron_parallel),
}
