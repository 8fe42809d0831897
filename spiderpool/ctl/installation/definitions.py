"""CustomResourceDefinitions: all there, served, and of this version."""

from __future__ import annotations

from collections.abc import Iterator

from spiderpool.controller.install.definitions import definitions, is_ours
from spiderpool.controller.webhook.registration import covers
from spiderpool.ctl.finding import Finding, problem, warning
from spiderpool.ctl.installation.facts import Facts, condition
from spiderpool.ctl.installation.section import Section
from spiderpool.kube.api import Object
from spiderpool.kube.resources import CRD

INSTALL = "helm upgrade --install runs the job spiderpool-crds, which mends it"


def judge(facts: Facts) -> Section:
    """One row a definition that is needed."""
    there = {obj["metadata"]["name"]: obj for obj in facts.of(CRD)}
    wanted = definitions() if CRD not in facts.unread else ()
    rows, findings = [], []
    for one in wanted:
        name = one["metadata"]["name"]
        found = there.get(name)
        wrong = list(_wrong(name, one, found))
        versions = found["spec"].get("versions") or () if found else ()
        rows.append(
            {
                "DEFINITION": name,
                "SERVED": ",".join(v["name"] for v in versions if v.get("served")),
                "STATE": wrong[0].text if wrong else "ok",
            }
        )
        findings += wrong
    return Section("definitions", rows, findings)


def _wrong(name: str, wanted: Object, found: Object | None) -> Iterator[Finding]:
    where = f"CustomResourceDefinition {name}"
    if found is None:
        yield problem(where, "is not installed", INSTALL)
        return
    established = condition(found, "Established") or {}
    (version,) = wanted["spec"]["versions"]
    served = [v["name"] for v in found["spec"].get("versions") or () if v.get("served")]
    if established.get("status") != "True":
        reason = (condition(found, "NamesAccepted") or {}).get("message") or "no reason is given"
        yield problem(where, f"is not established: {reason}", INSTALL)
    elif version["name"] not in served:
        yield problem(where, f"version {version['name']} is not served", INSTALL)
    elif is_ours(found) and not covers(found["spec"], wanted["spec"]):
        yield warning(where, "is of another version than this spiderpoolctl", INSTALL)
