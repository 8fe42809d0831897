"""The cluster's CIDRs, and the networks that SpiderMultusConfigs describe."""

from __future__ import annotations

import json
from collections.abc import Iterator

from spiderpool.ctl.finding import Finding, problem, warning
from spiderpool.ctl.installation.facts import Facts
from spiderpool.ctl.installation.section import Rows, Section
from spiderpool.errors import BadInput
from spiderpool.kube.api import Object
from spiderpool.kube.resources import NETWORKATTACHMENT, SPIDERCOORDINATOR, SPIDERMULTUSCONFIG
from spiderpool.multus.attachment import attachment, repaired
from spiderpool.multus.oddities import oddities
from spiderpool.multus.old_names import read_network
from spiderpool.types.coordinator import DEFAULT_COORDINATOR, CoordinatorSpec, SpiderCoordinator
from spiderpool.types.metadata import read
from spiderpool.types.modes import Phase

RUNS = "see the controller's log"


def coordinators(facts: Facts) -> Section:
    """One row a SpiderCoordinator, with what was found out about the cluster."""
    rows: Rows = []
    findings: list[Finding] = []
    names = set()
    for obj in facts.of(SPIDERCOORDINATOR):
        name, spec, status = obj["metadata"]["name"], obj["spec"], obj.get("status") or {}
        names.add(name)
        rows.append(
            {"COORDINATOR": name, "MODE": spec.get("mode"), "PHASE": status.get("phase"),
             "POD-CIDRS": ",".join(status.get("overlayPodCIDR") or ()),
             "SERVICE-CIDRS": ",".join(status.get("serviceCIDR") or ())}
        )  # fmt: skip
        findings += _of_coordinator(name, status)
    if DEFAULT_COORDINATOR not in names and SPIDERCOORDINATOR not in facts.unread:
        text = "does not exist, so pods with a coordinator are refused"
        findings.append(
            problem("SpiderCoordinator default", text, "helm upgrade --install creates it")
        )
    return Section("coordinators", rows, findings)


def _of_coordinator(name: str, status: Object) -> Iterator[Finding]:
    where = f"SpiderCoordinator {name}"
    if name != DEFAULT_COORDINATOR:
        yield warning(where, f"only {DEFAULT_COORDINATOR!r} is used", "delete it")
    elif not status:
        yield problem(where, "has no status yet", "is the controller running?")
    elif status.get("phase") != Phase.SYNCED:
        reason = status.get("reason") or "no reason is given"
        text = f"is {status.get('phase')}, so pods with a coordinator are refused: {reason}"
        yield problem(where, text, "")


def networks(facts: Facts) -> Section:
    """One row a SpiderMultusConfig: is its NetworkAttachmentDefinition what it ought to be?"""
    rows: Rows = []
    findings: list[Finding] = []
    cluster = _cluster(facts)
    there = {_key(obj): obj for obj in facts.of(NETWORKATTACHMENT)}
    for obj in facts.of(SPIDERMULTUSCONFIG):
        state, name = "ok", None
        try:
            wanted = attachment(read_network(obj)[0], cluster)
            name = wanted["metadata"]["name"]
            state = _state(there.get(_key(wanted)), wanted)
        except BadInput as wrong:
            state = "not usable"
            findings.append(problem(wrong.where, wrong.problem, wrong.remedy))
        if state in ("missing", "differs") and NETWORKATTACHMENT not in facts.unread:
            where = f"SpiderMultusConfig {_key(obj)}"
            text = f"its NetworkAttachmentDefinition {name} {_WORDS[state]}"
            findings.append(problem(where, text, f"the controller mends it at once: {RUNS}"))
        rows.append(
            {"NETWORK": _key(obj), "TYPE": obj["spec"].get("cniType"), "ATTACHMENT": name,
             "STATE": state}
        )  # fmt: skip
    findings += (finding for key, obj in there.items() for finding in _of_attachment(key, obj))
    return Section("networks", rows, findings)


def _of_attachment(key: str, obj: Object) -> Iterator[Finding]:
    """What is odd about a chain, whoever wrote it; the text is Multus' to complain of."""
    try:
        config = json.loads((obj.get("spec") or {}).get("config") or "{}")
        odd = list(oddities(config.get("plugins") or [config]))
    except (ValueError, AttributeError, TypeError):
        return
    for oddity in odd:
        text, _, remedy = oddity.rpartition("; ")
        yield warning(f"NetworkAttachmentDefinition {key}", text, remedy)


_WORDS = {"missing": "does not exist", "differs": "is not what it ought to be"}


def _state(actual: Object | None, wanted: Object) -> str:
    if actual is None:
        return "missing"
    return "ok" if repaired(actual, wanted) is None else "differs"


def _cluster(facts: Facts) -> CoordinatorSpec | None:
    """What networks inherit; what cannot be read is the coordinator's own problem."""
    for obj in facts.of(SPIDERCOORDINATOR):
        if obj["metadata"]["name"] == DEFAULT_COORDINATOR:
            try:
                return read(SpiderCoordinator, obj).spec
            except BadInput:
                return None
    return None


def _key(obj: Object) -> str:
    return f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"
