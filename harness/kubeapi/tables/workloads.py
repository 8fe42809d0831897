"""Rows of Deployments, ReplicaSets, StatefulSets, DaemonSets and Jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from harness.kubeapi.kinds import Column
from harness.kubeapi.objects import Object
from harness.kubeapi.selectors import selector_text
from harness.kubeapi.tables.age import age, human, parse_time

_WIDE = (Column("Containers", priority=1), Column("Images", priority=1))
_SELECTOR = Column("Selector", priority=1)
_INTEGER = "integer"


def _text(obj: Object, path: str, default: Any = 0) -> Any:
    value: Any = obj
    for part in path.split("."):
        value = (value or {}).get(part)
    return default if value is None else value


def _wide(obj: Object) -> list[Any]:
    containers = _text(obj, "spec.template.spec.containers", [])
    names = ",".join(container.get("name", "") for container in containers)
    images = ",".join(container.get("image", "") for container in containers)
    return [names, images]


def _age(obj: Object, now: datetime) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _selector(obj: Object) -> str:
    return selector_text(_text(obj, "spec.selector", {})) or "<none>"


DEPLOYMENT = (
    Column("Ready"),
    Column("Up-to-date"),
    Column("Available"),
    Column("Age"),
    *_WIDE,
    _SELECTOR,
)


def deployment(obj: Object, now: datetime) -> list[Any]:
    ready = f"{_text(obj, 'status.readyReplicas')}/{_text(obj, 'spec.replicas')}"
    updated, available = (
        _text(obj, "status.updatedReplicas"),
        _text(obj, "status.availableReplicas"),
    )
    return [ready, updated, available, _age(obj, now), *_wide(obj), _selector(obj)]


REPLICA_SET = (
    Column("Desired", _INTEGER),
    Column("Current", _INTEGER),
    Column("Ready", _INTEGER),
    Column("Age"),
    *_WIDE,
    _SELECTOR,
)


def replica_set(obj: Object, now: datetime) -> list[Any]:
    counts = [
        _text(obj, path) for path in ("spec.replicas", "status.replicas", "status.readyReplicas")
    ]
    return [*counts, _age(obj, now), *_wide(obj), _selector(obj)]


STATEFUL_SET = (Column("Ready"), Column("Age"), *_WIDE)


def stateful_set(obj: Object, now: datetime) -> list[Any]:
    ready = f"{_text(obj, 'status.readyReplicas')}/{_text(obj, 'spec.replicas')}"
    return [ready, _age(obj, now), *_wide(obj)]


DAEMON_SET = (
    Column("Desired", _INTEGER),
    Column("Current", _INTEGER),
    Column("Ready", _INTEGER),
    Column("Up-to-date", _INTEGER),
    Column("Available", _INTEGER),
    Column("Node Selector"),
    Column("Age"),
    *_WIDE,
    _SELECTOR,
)


def daemon_set(obj: Object, now: datetime) -> list[Any]:
    names = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady",
             "updatedNumberScheduled", "numberAvailable")  # fmt: skip
    wanted = _text(obj, "spec.template.spec.nodeSelector", {})
    nodes = ",".join(f"{key}={value}" for key, value in sorted(wanted.items())) or "<none>"
    counts = [_text(obj, f"status.{name}") for name in names]
    return [*counts, nodes, _age(obj, now), *_wide(obj), _selector(obj)]


JOB = (
    Column("Status"),
    Column("Completions"),
    Column("Duration"),
    Column("Age"),
    *_WIDE,
    _SELECTOR,
)


def job(obj: Object, now: datetime) -> list[Any]:
    done, parallelism = _text(obj, "status.succeeded"), _text(obj, "spec.parallelism")
    completions = _text(obj, "spec.completions", None)
    if completions is not None:
        shown = f"{done}/{completions}"
    else:
        shown = f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"
    return [
        _job_state(obj),
        shown,
        _duration(obj, now),
        _age(obj, now),
        *_wide(obj),
        _selector(obj),
    ]


def _job_state(obj: Object) -> str:
    holding = {
        condition["type"]
        for condition in _text(obj, "status.conditions", [])
        if condition.get("status") == "True"
    }
    for condition, word in (
        ("Complete", "Complete"),
        ("Failed", "Failed"),
        ("Suspended", "Suspended"),
        ("FailureTarget", "FailureTarget"),
        ("SuccessCriteriaMet", "SuccessCriteriaMet"),
    ):
        if condition in holding:
            return word
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else "Running"


def _duration(obj: Object, now: datetime) -> str:
    started = _text(obj, "status.startTime", "")
    if not started:
        return ""
    ended = _text(obj, "status.completionTime", "")
    end = parse_time(ended) if ended else now
    return human((end - parse_time(started)).total_seconds())


CRON_JOB = (
    Column("Schedule"),
    Column("Timezone"),
    Column("Suspend"),
    Column("Active", _INTEGER),
    Column("Last Schedule"),
    Column("Age"),
    *_WIDE,
    _SELECTOR,
)


def cron_job(obj: Object, now: datetime) -> list[Any]:
    last = _text(obj, "status.lastScheduleTime", "")
    template = _text(obj, "spec.jobTemplate", {})
    return [
        _text(obj, "spec.schedule", ""),
        _text(obj, "spec.timeZone", "<none>"),
        "True" if _text(obj, "spec.suspend", False) else "False",
        len(_text(obj, "status.active", [])),
        age(last, now) if last else "<none>",
        _age(obj, now),
        *_wide(template),
        "<none>",
    ]
