"""Pools, subnets and endpoints: what is left to give, and what is given to nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from spiderpool.ctl.finding import Finding, problem, warning
from spiderpool.ctl.installation.facts import Facts
from spiderpool.ctl.installation.section import Rows, Section
from spiderpool.errors import BadInput
from spiderpool.ipam.endpoints import is_outdated
from spiderpool.ipam.facts import node_addresses, why_dead
from spiderpool.ipam.ledger import Ledger
from spiderpool.ipam.pools import Pool, grounds, read_pool, read_reserved
from spiderpool.ipam.ranges import Ranges
from spiderpool.ipam.reclaim import suspects
from spiderpool.ipam.surroundings import surroundings
from spiderpool.ipam.tally import Tally, tally
from spiderpool.kube import resources
from spiderpool.types.address import Family

MOST_NAMED = 3


@dataclass(slots=True)
class _Totals:
    """The pools of one family together."""

    pools: int = 0
    disabled: int = 0
    exhausted: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, pool: Pool, counts: Tally) -> None:
        self.pools += 1
        if pool.spec.disable:
            self.disabled += 1
            return
        self.exhausted += counts.usable > 0 and counts.free <= 0
        self.counts.update(
            USABLE=counts.usable, HELD=counts.held, COOLING=counts.cooling,
            ASIDE=counts.set_aside, FREE=counts.free,
        )  # fmt: skip


def pools(facts: Facts) -> Section:
    """One row a family; addresses of disabled pools do not count."""
    findings: list[Finding] = []
    totals = {family: _Totals() for family in Family}
    ledger = Ledger(facts.of(resources.SPIDERIPBLOCK))
    nodes = node_addresses(facts.of(resources.NODE))
    reserved = _reserved(facts, findings)
    for obj in facts.of(resources.SPIDERIPPOOL):
        try:
            pool = read_pool(obj)
        except BadInput as wrong:
            findings.append(problem(wrong.where, wrong.problem, wrong.remedy))
            continue
        ground = grounds(pool, reserved[pool.family], nodes)
        counts = tally(ledger, pool.name, ground, facts.now)
        totals[pool.family].add(pool, counts)
        findings += _of_pool(pool, counts)
    rows: Rows = [
        {"FAMILY": f"IPv{family.number}", "POOLS": each.pools, "DISABLED": each.disabled,
         "EXHAUSTED": each.exhausted, **{k: each.counts[k] for k in _COLUMNS}}
        for family, each in totals.items()
    ]  # fmt: skip
    return Section("pools", rows, findings)


_COLUMNS = ("USABLE", "HELD", "COOLING", "ASIDE", "FREE")


def _reserved(facts: Facts, findings: list[Finding]) -> dict[Family, Ranges]:
    try:
        return dict(read_reserved(facts.of(resources.SPIDERRESERVEDIP)))
    except BadInput as wrong:
        findings.append(problem(wrong.where, wrong.problem, wrong.remedy))
        return {family: Ranges(family) for family in Family}


def _of_pool(pool: Pool, counts: Tally) -> Iterable[Finding]:
    where = f"SpiderIPPool {pool.name}"
    if pool.spec.disable:
        return
    if counts.usable == 0:
        yield warning(where, "has no address that it may give", "add ranges to spec.ips")
    elif counts.free <= 0:
        text = f"is exhausted: all {counts.usable} addresses are in use"
        yield problem(where, text, "add ranges to spec.ips, or name a further pool")


def subnets(facts: Facts) -> Section:
    """One row a subnet, by its status."""
    rows: Rows = []
    findings: list[Finding] = []
    for obj in facts.of(resources.SPIDERSUBNET):
        name, status = obj["metadata"]["name"], obj.get("status") or {}
        where = f"SpiderSubnet {name}"
        total = int(status.get("totalIPCount") or 0)
        used = int(status.get("allocatedIPCount") or 0)
        rows.append(
            {"SUBNET": name, "NETWORK": obj["spec"].get("subnet"), "TOTAL": total,
             "IN-POOLS": used, "FREE": total - used}
        )  # fmt: skip
        if "totalIPCount" not in status:
            findings.append(warning(where, "has no status", "see the controller's log"))
        elif total <= used:
            text = f"all {total} addresses are in pools: automatic pools cannot grow"
            findings.append(warning(where, text, "add ranges to spec.ips"))
    return Section("subnets", rows, findings)


def holders(facts: Facts) -> Section:
    """Endpoints and addresses that no pod stands for any more."""
    needed = (resources.POD, resources.NODE, resources.STATEFULSET, *_OF_ADDRESSES)
    if any(kind in facts.unread for kind in needed):
        return Section("endpoints", [], [])
    ledger = Ledger(facts.of(resources.SPIDERIPBLOCK))
    around = surroundings(
        pods=facts.of(resources.POD),
        nodes=facts.of(resources.NODE),
        statefulsets=facts.of(resources.STATEFULSET),
        machines=facts.machines,
        now=facts.now,
    )
    alive = {pod.uid for pod in around.pods.values() if not why_dead(pod)}
    endpoints = facts.of(resources.SPIDERENDPOINT)
    lost = [
        f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"
        for obj in endpoints
        if is_outdated(obj, alive, ledger)
    ]
    unused = [suspect.entry.address for suspect in suspects(ledger.entries(), around)]
    findings = []
    remedy = "the controller sees to them within two minutes; spiderpoolctl gc --now does at once"
    if lost:
        text = f"{len(lost)} without a pod: {_some(lost)}"
        findings.append(warning("SpiderEndpoints", text, remedy))
    if unused:
        text = f"{len(unused)} held by nobody: {_some(unused)}"
        findings.append(warning("addresses", text, remedy))
    row = {"ENDPOINTS": len(endpoints), "WITHOUT-POD": len(lost), "UNUSED-ADDRESSES": len(unused)}
    return Section("endpoints", [row], findings)


_OF_ADDRESSES = (resources.SPIDERIPBLOCK, resources.SPIDERENDPOINT)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
    return ", ".join(listed[:MOST_NAMED]) + more
