"""Jobs: pods until enough of them succeeded. Pure.

``completionMode: NonIndexed`` only.
"""

from __future__ import annotations

from datetime import datetime

from harness.nodes.control.actions import Action, Create, Delete, status_patch
from harness.nodes.control.podstate import is_active, is_ready, is_terminating, phase, pod_of
from spiderpool.kube.api import Object
from spiderpool.kube.resources import JOB, POD


def job_plan(job: Object, pods: list[Object], now: datetime) -> list[Action]:
    """``pods`` are those that the Job owns."""
    if is_terminating(job) or _is_finished(job):
        return []
    active = [pod for pod in pods if is_active(pod)]
    succeeded = sum(phase(pod) == "Succeeded" for pod in pods)
    failed = sum(phase(pod) == "Failed" for pod in pods)
    outcome = _outcome(job, succeeded, failed, len(active))
    actions: list[Action] = []
    missing = 0 if outcome else _missing(job, succeeded, len(active))
    prefix = f"{job['metadata']['name']}-"
    actions += [
        Create(POD, pod_of(JOB, job, job["spec"]["template"], generateName=prefix))
        for _ in range(missing)
    ]
    if outcome == "Failed" or job["spec"].get("suspend"):
        actions += [Delete(POD, pod) for pod in active]
    status = _status(job, active, succeeded, failed, now)
    if outcome:
        # The API wants the intent beside the outcome.
        intent = "SuccessCriteriaMet" if outcome == "Complete" else "FailureTarget"
        status["conditions"] = [_condition(each, outcome, now) for each in (intent, outcome)]
        if outcome == "Complete":
            status["completionTime"] = status["conditions"][0]["lastTransitionTime"]
    return actions + status_patch(JOB, job, status)


def _is_finished(job: Object) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or []
    return any(
        each["type"] in ("Complete", "Failed") and each["status"] == "True" for each in conditions
    )


def _outcome(job: Object, succeeded: int, failed: int, active: int) -> str:
    """``Complete``, ``Failed``, or empty while it is not decided."""
    completions = job["spec"].get("completions")
    if failed > job["spec"].get("backoffLimit", 6):
        return "Failed"
    if completions is None:
        return "Complete" if succeeded and not active else ""
    return "Complete" if succeeded >= completions else ""


def _missing(job: Object, succeeded: int, active: int) -> int:
    spec = job["spec"]
    if spec.get("suspend"):
        return 0
    parallelism = int(spec.get("parallelism", 1))
    completions = spec.get("completions")
    if completions is None:
        return 0 if succeeded else max(0, parallelism - active)
    return max(0, min(parallelism, int(completions) - succeeded) - active)


def _status(
    job: Object, active: list[Object], succeeded: int, failed: int, now: datetime
) -> Object:
    before = job.get("status") or {}
    counts = {
        "active": len(active),
        "succeeded": succeeded,
        "failed": failed,
        "ready": sum(map(is_ready, active)),
    }
    return {
        "startTime": before.get("startTime") or now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **{name: count for name, count in counts.items() if count},
    }


def _condition(kind: str, outcome: str, now: datetime) -> Object:
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    reasons = {
        "Complete": ("CompletionsReached", "Reached expected number of succeeded pods"),
        "Failed": ("BackoffLimitExceeded", "Job has reached the specified backoff limit"),
    }
    reason, message = reasons[outcome]
    return {
        "type": kind,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastProbeTime": moment,
        "lastTransitionTime": moment,
    }
