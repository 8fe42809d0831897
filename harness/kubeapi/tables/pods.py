"""A pod as ``kubectl get pods`` sums it up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from harness.kubeapi.kinds import Column
from harness.kubeapi.objects import Object
from harness.kubeapi.tables.age import age, parse_time

COLUMNS = (
    Column("Ready"),
    Column("Status"),
    Column("Restarts"),
    Column("Age"),
    Column("IP", priority=1),
    Column("Node", priority=1),
    Column("Nominated Node", priority=1),
    Column("Readiness Gates", priority=1),
)


def cells(pod: Object, now: datetime) -> list[Any]:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    statuses = status.get("containerStatuses") or []
    ready = sum(_is_ready(container) for container in statuses)
    addresses = status.get("podIPs") or []
    return [
        f"{ready}/{len(spec.get('containers') or [])}",
        reason(pod),
        _restarts(statuses, now),
        age(pod["metadata"].get("creationTimestamp"), now),
        addresses[0]["ip"] if addresses else status.get("podIP") or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        _gates(spec, status),
    ]


def _is_ready(container: Object) -> bool:
    return bool(container.get("ready")) and "running" in (container.get("state") or {})


def reason(pod: Object) -> str:
    """The one word that says most about the pod: its phase, or what is wrong instead."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    word = str(status.get("reason") or status.get("phase") or "Pending")
    gated = any(
        condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated"
        for condition in status.get("conditions") or []
    )
    word = "SchedulingGated" if gated else word
    word, initializing = _init_reason(pod, word)
    if not initializing:
        word = _container_reason(status, word)
    if metadata.get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return word


def _init_reason(pod: Object, word: str) -> tuple[str, bool]:
    """The first init container that has not succeeded, if any."""
    wanted = (pod.get("spec") or {}).get("initContainers") or []
    statuses = (pod.get("status") or {}).get("initContainerStatuses") or []
    for index, container in enumerate(statuses):
        state = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended and not ended.get("exitCode"):
            continue
        if ended:
            return f"Init:{_ended(ended)}", True
        if waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}", True
        return f"Init:{index}/{len(wanted)}", True
    return word, False


def _container_reason(status: Object, word: str) -> str:
    """Of the containers the first one counts most, so that they are read backwards."""
    running = False
    for container in reversed(status.get("containerStatuses") or []):
        state = container.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            word = state["waiting"]["reason"]
        elif state.get("terminated"):
            word = _ended(state["terminated"])
        elif _is_ready(container):
            running = True
    if word != "Completed" or not running:
        return word
    ready = any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in status.get("conditions") or []
    )
    return "Running" if ready else "NotReady"


def _ended(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _restarts(statuses: list[Object], now: datetime) -> str:
    count = sum(container.get("restartCount") or 0 for container in statuses)
    last = max(_restart_times(statuses), default=None)
    if not count or last is None:
        return str(count)
    return f"{count} ({age(last.strftime('%Y-%m-%dT%H:%M:%SZ'), now)} ago)"


def _restart_times(statuses: list[Object]) -> Iterator[datetime]:
    for container in statuses:
        ended = (container.get("lastState") or {}).get("terminated") or {}
        if ended.get("finishedAt"):
            yield parse_time(ended["finishedAt"])


def _gates(spec: Object, status: Object) -> str:
    gates = spec.get("readinessGates") or []
    if not gates:
        return "<none>"
    holding = {
        condition["type"]
        for condition in status.get("conditions") or []
        if condition.get("status") == "True"
    }
    met = sum(gate["conditionType"] in holding for gate in gates)
    return f"{met}/{len(gates)}"
