"""``spiderpoolctl explain pod``: why a pod's NICs have which addresses, or get none."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from spiderpool.agent.ipam_sources import Sources
from spiderpool.agent.ipam_subnets import SubnetRules
from spiderpool.ctl.evidence import with_api
from spiderpool.ctl.snapshot import sources
from spiderpool.errors import BadInput, NotFound, SpiderpoolError
from spiderpool.ipam.attachments import attachment_of, nics_of
from spiderpool.ipam.explain import Books, Explanation, explain
from spiderpool.ipam.facts import Pod, why_dead
from spiderpool.ipam.holders import holder_of
from spiderpool.ipam.netconf import IpamConf, read_conf
from spiderpool.ipam.selection import choices, wanted
from spiderpool.kube.api import Client
from spiderpool.kube.resources import NETWORKATTACHMENT
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import IfName, PodUID

ONLY_ON_THE_NODE = "match_master_subnet is not judged: only the node knows the NIC's networks"


@dataclass(frozen=True, slots=True)
class NicReport:
    """One NIC: what its families' pools say, or why there is nothing to ask."""

    nic: IfName
    network: str
    explanations: tuple[Explanation, ...] = ()
    problem: str = ""
    note: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this command."""
    parser.add_argument("kind", choices=["pod"], help="what is explained")
    parser.add_argument("pod", metavar="NAMESPACE/NAME")
    parser.add_argument("--nic", help="only this one, like net1; default: all that the pod names")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="as if the pod held nothing: what a new one in its place would get",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list, one item a NIC")


def main(options: argparse.Namespace) -> int:
    """Prints what each pool says; status 1 when a NIC has, or would get, no address."""
    pod, reports = with_api(options.kubeconfig, lambda client: report(client, options))
    if options.json:
        print(json.dumps([as_object(each) for each in reports]))
    else:
        print("\n".join(as_text(pod, reports)))
    return 1 if any(_fails(each) for each in reports) else 0


async def report(client: Client, options: argparse.Namespace) -> tuple[Pod, list[NicReport]]:
    """The pod and its NICs.

    Raises:
        BadInput: there is no such pod, or it says nothing that can be read about its NICs.
        KubeError: the API did not answer, or refused.
    """
    namespace, _, name = options.pod.partition("/")
    if not (namespace and name):
        raise BadInput(options.pod, "is no pod", "write it like default/nginx-0")
    known = await sources(client)
    pod = known.pod(namespace, name)
    if pod is None:
        raise BadInput(f"Pod {options.pod}", "does not exist")
    nics = [IfName(options.nic)] if options.nic else _nics(pod, known)
    if options.dry_run:
        pod = replace(pod, uid=PodUID(""))
    return pod, [await _nic(client, known, pod, nic) for nic in nics]


def _nics(pod: Pod, known: Sources) -> list[IfName]:
    """The NICs of the annotation, and what holds addresses; eth0 when that is nothing."""
    named = nics_of(pod)
    if named is None:
        raise BadInput(
            f"Pod {pod.key}", "its networks annotation is unclear", "name a NIC by --nic"
        )
    held = {entry.slot.nic for entry in known.ledger.of_pod(pod.uid) if entry.slot.nic}
    wanted_nics = [nic for nic in named if nic != named[0] or nic in held]
    wanted_nics += sorted(held - set(wanted_nics))
    return wanted_nics or [named[0]]


async def _nic(client: Client, known: Sources, pod: Pod, nic: IfName) -> NicReport:
    network = attachment_of(pod, nic, known.cluster_network) or ""
    try:
        if reason := why_dead(pod):
            raise BadInput(f"Pod {pod.key}", f"gets no addresses: {reason}")
        conf = await _conf(client, network)
        note = ONLY_ON_THE_NODE if conf.match_master else ""
        return NicReport(nic, network, await _explained(client, known, pod, nic, conf), note=note)
    except SpiderpoolError as problem:
        return NicReport(nic, network, problem=str(problem))


async def _conf(client: Client, network: str) -> IpamConf:
    """What the network's definition says of IPAM; nothing where Multus reads a file."""
    if not network:
        return IpamConf({})
    namespace, _, name = network.partition("/")
    where = f"NetworkAttachmentDefinition {network}"
    try:
        found = await client.get(NETWORKATTACHMENT, name, namespace)
    except NotFound:
        raise BadInput(where, "does not exist") from None
    text = (found.get("spec") or {}).get("config")
    if not text:
        return IpamConf({})
    try:
        config = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"{where}: spec.config", f"is no JSON: {error}") from None
    for plugin in (config, *(config.get("plugins") or ())):
        if (plugin.get("ipam") or {}).get("type") == "spiderpool":
            return read_conf(plugin)
    raise BadInput(where, "does not use spiderpool for addresses")


async def _explained(
    client: Client, known: Sources, pod: Pod, nic: IfName, conf: IpamConf
) -> tuple[Explanation, ...]:
    subnets = SubnetRules(client, known)
    app = await subnets.application(pod)
    situation = known.situation(pod, nic, conf, app)
    rule = subnets.rule_now(app, pod, nic) if app else wanted(situation, known.pools)
    if rule is None:
        raise BadInput(f"Pod {pod.key}", f"there is no pool yet for {nic} out of its subnets")
    books = Books(ledger=known.ledger, pools=known.pools, ground=known.ground, now=time.time())
    holder = _holder(known, pod, nic)
    asked = choices(situation, rule, known.pools)
    return tuple(explain(choice, pod, holder, books) for choice in asked)


def _holder(known: Sources, pod: Pod, nic: IfName) -> Slot:
    """The record that the NIC has, else the one that it would get."""
    for entry in known.ledger.of_pod(pod.uid):
        if entry.slot.nic == nic and entry.slot.state is SlotState.HELD:
            return entry.slot
    return holder_of(pod, nic, node=pod.node)


def as_text(pod: Pod, reports: list[NicReport]) -> Iterator[str]:
    """Lines for people."""
    owner = (
        "" if pod.controller.kind == "Pod" else f", of {pod.controller.kind} {pod.controller.name}"
    )
    node = f"on node {pod.node}" if pod.node else "not scheduled yet"
    yield f"Pod {pod.key}{owner}, {node}"
    for each in reports:
        source = f" from {each.network}" if each.network else ""
        for remark in filter(None, (each.problem, each.note)):
            yield f"{each.nic}{source}: {remark}"
        for explained in each.explanations:
            choice = explained.choice
            yield f"{each.nic}{source}, IPv{choice.family.number}: chosen by {choice.where}"
            width = max(len(opinion.pool) for opinion in explained.opinions)
            for opinion in explained.opinions:
                yield f"  {opinion.pool.ljust(width)}  {opinion.text}"
            given = explained.outcome
            yield f"  => {given.address} of {given.pool}" if given else "  => no address"


def as_object(report_of_nic: NicReport) -> dict[str, Any]:
    """One NIC for programs."""
    families = []
    for explained in report_of_nic.explanations:
        given = explained.outcome
        families.append(
            {
                "family": explained.choice.family.number,
                "chosenBy": explained.choice.where,
                "pools": [{"pool": o.pool, "says": o.text} for o in explained.opinions],
                "address": given.address if given else None,
                "pool": given.pool if given else None,
            }
        )
    return {
        "nic": report_of_nic.nic,
        "network": report_of_nic.network,
        "families": families,
        "problem": report_of_nic.problem,
        "note": report_of_nic.note,
    }


def _fails(each: NicReport) -> bool:
    return bool(each.problem) or any(e.outcome is None for e in each.explanations)
