"""The chart's programs: as many as wanted, ready, of one version; one controller leads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from spiderpool.ctl.finding import Finding, problem, warning
from spiderpool.ctl.installation.facts import LEASE_NAME, Facts, condition, labels_of
from spiderpool.ctl.installation.section import Rows, Section
from spiderpool.kube.api import Object
from spiderpool.kube.resources import DAEMONSET, DEPLOYMENT, JOB, LEASE, NODE, POD

LATE_SECONDS = 60.0
"""A leader renews every two seconds; this much is left for clocks that differ."""
INSTALL = "install the chart: helm upgrade --install"
COMPONENTS = (("controller", DEPLOYMENT), ("agent", DAEMONSET), ("multus", DAEMONSET))
OPTIONAL = ("multus",)
"""Others may have brought it along."""


def judge(facts: Facts) -> Section:
    """One row for the controller, one for the agents, one for Multus where it is the chart's."""
    rows: Rows = []
    findings: list[Finding] = []
    for component, kind in COMPONENTS:
        workloads = facts.component(kind, component)
        pods = facts.component(POD, component)
        if not workloads and kind not in facts.unread and component not in OPTIONAL:
            findings.append(problem(component, f"there is no {kind.kind} of it", INSTALL))
        for workload in workloads:
            ready, wanted = _counts(workload)
            rows.append(
                {
                    "COMPONENT": component,
                    "NAMESPACE": workload["metadata"]["namespace"],
                    "READY": ready,
                    "WANTED": wanted,
                    "VERSION": _version(workload["spec"]["template"]["spec"]),
                }
            )
            if ready < wanted or not wanted:
                findings.append(_too_few(component, workload, ready, wanted))
            findings += (f for pod in pods for f in _wrong_with(pod, workload))
        findings += (f for pod in pods for f in _behind(pod, facts))
    return Section("components", rows, [*findings, *_leader(facts), *_jobs(facts)])


def agents(facts: Facts) -> Section:
    """One row for each node that has an agent or should have one."""
    rows, findings = [], []
    pods = {pod["spec"].get("nodeName"): pod for pod in facts.component(POD, "agent")}
    workloads = facts.component(DAEMONSET, "agent")
    for node in facts.of(NODE):
        name = node["metadata"]["name"]
        pod = pods.get(name)
        if pod is None:
            if not any(_wants(workload, node) for workload in workloads):
                continue
            remedy = "kubectl describe the DaemonSet; pods of this node get no address"
            findings.append(problem(f"Node {name}", "has no agent", remedy))
        waiting = facts.intents.get(pod["metadata"]["name"]) if pod else None
        if pod and waiting:
            remedy = f"see why in its log: kubectl logs {_place(pod)}"
            findings.append(warning(f"Node {name}", f"{waiting} DELs wait to be done", remedy))
        rows.append(
            {
                "NODE": name,
                "AGENT": pod["metadata"]["name"] if pod else None,
                "READY": bool(pod) and is_ready(pod),
                "RESTARTS": _restarts(pod or {}),
                "IMAGE": _image(pod["spec"]) if pod else None,
                "WAITING-DELS": waiting,
            }
        )
    return Section("agents", rows, findings)


def is_ready(pod: Object | None) -> bool:
    """By kubelet's word."""
    return (condition(pod or {}, "Ready") or {}).get("status") == "True"


def _counts(workload: Object) -> tuple[int, int]:
    """Ready, and wanted."""
    status = workload.get("status") or {}
    if "desiredNumberScheduled" in status:
        return int(status.get("numberReady") or 0), int(status["desiredNumberScheduled"])
    return int(status.get("readyReplicas") or 0), int(workload["spec"].get("replicas", 1))


def _too_few(component: str, workload: Object, ready: int, wanted: int) -> Finding:
    where = f"{component} in {workload['metadata']['namespace']}"
    if not wanted:
        return problem(where, "none is wanted", "scale it up, or label nodes for it")
    remedy = f"kubectl get pods -n {workload['metadata']['namespace']} -l app.kubernetes.io/"
    return problem(where, f"{ready} of {wanted} are ready", f"{remedy}component={component}")


def _wrong_with(pod: Object, workload: Object) -> Iterator[Finding]:
    metadata, where = pod["metadata"], f"Pod {pod['metadata']['name']}"
    if metadata["namespace"] != workload["metadata"]["namespace"]:
        return
    on = f" on node {pod['spec'].get('nodeName')}" if pod["spec"].get("nodeName") else ""
    if not is_ready(pod):
        remedy = f"kubectl logs {_place(pod)}"
        yield problem(where, f"is not ready{on}: {_why_not_ready(pod)}", remedy)
    template = workload["spec"]["template"]["spec"]
    if (has := _image(pod["spec"])) != (wanted := _image(template)):
        text = f"runs {has}{on} and not {wanted}"
        yield warning(where, text, "wait for the roll-out, or see why it does not go on")


def _behind(pod: Object, facts: Facts) -> Iterator[Finding]:
    name = pod["metadata"]["name"]
    remedy = "what it knows of them is old until it can read them again"
    for why in facts.behind.get(name, ()):
        yield problem(f"Pod {name}", f"does not follow {why}", remedy)


def _why_not_ready(pod: Object) -> str:
    """The container's state, as kubelet tells it, else the pod's."""
    status = pod.get("status") or {}
    for item in (*(status.get("initContainerStatuses") or ()), *_containers(pod)):
        for state in ((item.get("state") or {}), (item.get("lastState") or {})):
            told = state.get("waiting") or state.get("terminated")
            if told and told.get("reason") not in (None, "Completed"):
                return " ".join(filter(None, (told["reason"], told.get("message"))))
    reason = (condition(pod, "Ready") or {}).get("message")
    return str(reason or status.get("reason") or status.get("phase") or "it has no status")


def _containers(pod: Object) -> list[dict[str, Any]]:
    return list((pod.get("status") or {}).get("containerStatuses") or ())


def _restarts(pod: Object) -> int:
    return sum(int(item.get("restartCount") or 0) for item in _containers(pod))


def _image(spec: Object) -> str:
    return str((spec.get("containers") or [{}])[0].get("image", ""))


def _version(spec: Object) -> str:
    """The tag of the image, or its digest."""
    image = _image(spec)
    return image.rpartition("@")[2] if "@" in image else image.rpartition(":")[2]


def _place(pod: Object) -> str:
    return f"-n {pod['metadata']['namespace']} {pod['metadata']['name']}"


def _wants(daemonset: Object, node: Object) -> bool:
    """By the node selector; taints are tolerated, and affinity is left to the scheduler."""
    spec = daemonset["spec"]["template"]["spec"]
    if spec.get("affinity"):
        return False
    return bool((spec.get("nodeSelector") or {}).items() <= labels_of(node).items())


def _leader(facts: Facts) -> Iterator[Finding]:
    if LEASE in facts.unread:
        return
    remedy = "see the controller's log"
    leases = facts.of(LEASE)
    if not leases:
        yield problem("leader", f"there is no Lease {LEASE_NAME}: no controller ever led", remedy)
    for lease in leases:
        where = f"Lease {lease['metadata']['namespace']}/{LEASE_NAME}"
        spec = lease.get("spec") or {}
        late = facts.now - _seconds(spec.get("renewTime"))
        if not (holder := spec.get("holderIdentity")):
            yield problem(where, "no controller leads", remedy)
        elif late > float(spec.get("leaseDurationSeconds") or 0) + LATE_SECONDS:
            text = f"{holder} has not renewed it for {late:.0f} s by this machine's clock"
            yield problem(where, text, remedy)


def _jobs(facts: Facts) -> Iterator[Finding]:
    """Those of an installation that failed; the others are deleted when they are done."""
    for job in facts.of(JOB):
        failed = condition(job, "Failed") or {}
        if failed.get("status") == "True":
            metadata = job["metadata"]
            text = f"failed: {failed.get('message') or failed.get('reason') or 'without a reason'}"
            remedy = f"kubectl logs -n {metadata['namespace']} job/{metadata['name']} says why"
            yield problem(f"Job {metadata['name']}", text, remedy)


def leaders(facts: Facts) -> str:
    """Who leads, for a headline."""
    found = ((lease.get("spec") or {}).get("holderIdentity") for lease in facts.of(LEASE))
    return ", ".join(filter(None, found))


def _seconds(text: object) -> float:
    """A time of the API in seconds since 1970; 0 for what is none."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0
