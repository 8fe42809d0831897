"""What each pool says to the NICs of a pod, one NIC after another, as Multus attaches them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import orjson

from spiderpool.agent.ipam_subnets import SubnetRules
from spiderpool.ctl.snapshot import View, view
from spiderpool.errors import BadInput, NoAddress, NotFound, SpiderpoolError
from spiderpool.ipam.attachments import attachment_of, nics_of
from spiderpool.ipam.blocks import key_of, new_object
from spiderpool.ipam.explain import Books, Explanation, Opinion, explain
from spiderpool.ipam.facts import Pod, why_dead
from spiderpool.ipam.holders import holder_of
from spiderpool.ipam.netconf import IpamConf, read_conf
from spiderpool.ipam.selection import Choice, choices, of_families, wanted
from spiderpool.ipam.standing import standing, with_standing
from spiderpool.kube.api import Client
from spiderpool.kube.resources import NETWORKATTACHMENT
from spiderpool.types.codec import encode
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


async def report(
    client: Client, name: str, nic: IfName | None, *, anew: bool
) -> tuple[Pod, list[NicReport]]:
    """The pod ``namespace/name`` and its NICs, or the one that is named. ``anew``: as if it
    held nothing.

    Raises:
        BadInput: there is no such pod, or it says nothing that can be read about its NICs.
        KubeError: the API did not answer, or refused.
    """
    namespace, _, own_name = name.partition("/")
    if not (namespace and own_name):
        raise BadInput(name, "is no pod", "write it like default/nginx-0")
    known = await view(client)
    pod = known.sources.pod(namespace, own_name)
    if pod is None:
        raise BadInput(f"Pod {name}", "does not exist")
    nics = await _nics(client, known, pod, nic)
    if anew:
        pod = replace(pod, uid=PodUID(""))
    reports = [await _nic(client, known, pod, each) for each in nics]
    return pod, [each for each in reports if nic in (None, each.nic)]


async def _nics(client: Client, known: View, pod: Pod, asked: IfName | None) -> list[IfName]:
    """The NICs of the annotation, and what holds addresses; with eth0 where it is ours. Of one
    that is asked for, also those before it: they are served first."""
    named = nics_of(pod)
    if named is None and asked:
        return [asked]
    if named is None:
        raise BadInput(
            f"Pod {pod.key}", "its networks annotation is unclear", "name a NIC by --nic"
        )
    held = {entry.slot.nic for entry in known.sources.ledger.of_pod(pod.uid) if entry.slot.nic}
    first, *others = named
    primary = [first] if first in held or await _serves(client, known, pod, first) else []
    found = [*primary, *others, *sorted(held - set(named))] or [first]
    if asked is None:
        return found
    return [*found[: found.index(asked)], asked] if asked in found else [asked]


async def _serves(client: Client, known: View, pod: Pod, nic: IfName) -> bool:
    """Whether the network of ``nic`` is known to take its addresses from us."""
    network = attachment_of(pod, nic, known.sources.cluster_network)
    try:
        return network is not None and await _conf(client, network) is not None
    except BadInput:
        return False


async def _nic(client: Client, known: View, pod: Pod, nic: IfName) -> NicReport:
    network = attachment_of(pod, nic, known.sources.cluster_network) or ""
    try:
        if reason := why_dead(pod):
            raise BadInput(f"Pod {pod.key}", f"gets no addresses: {reason}")
        conf = await _conf(client, network)
        if conf is None:
            where = f"NetworkAttachmentDefinition {network}"
            raise BadInput(where, "does not use spiderpool for addresses")
        note = ONLY_ON_THE_NODE if conf.match_master else ""
        return NicReport(nic, network, await _explained(client, known, pod, nic, conf), note=note)
    except SpiderpoolError as problem:
        return NicReport(nic, network, problem=str(problem))


async def _conf(client: Client, network: str) -> IpamConf | None:
    """What the network's definition says of IPAM, nothing where Multus reads a file; None where
    another gives the addresses."""
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
    plugins = config.get("plugins") if isinstance(config, dict) else None
    for plugin in (config, *(plugins if isinstance(plugins, list) else ())):
        ipam = plugin.get("ipam") if isinstance(plugin, dict) else None
        if isinstance(ipam, dict) and ipam.get("type") == "spiderpool":
            return read_conf(plugin)
    return None


async def _explained(
    client: Client, known: View, pod: Pod, nic: IfName, conf: IpamConf
) -> tuple[Explanation, ...]:
    sources, holder = known.sources, _holder(known, pod, nic)
    books = Books(
        ledger=sources.ledger, pools=sources.pools, ground=sources.ground, now=time.time()
    )
    kept = standing(holder, sources.ledger, sources.pools)
    try:
        asked = with_standing(await _asked(client, known, pod, nic, conf), kept)
    except (BadInput, NoAddress):
        if not kept:
            raise
        asked = kept
    explained = tuple(explain(choice, pod, holder, books) for choice in asked)
    _suppose(known, holder, (each.outcome for each in explained))
    return explained


async def _asked(
    client: Client, known: View, pod: Pod, nic: IfName, conf: IpamConf
) -> tuple[Choice, ...]:
    """What the rules say to the NIC."""
    sources, subnets = known.sources, SubnetRules(client, known.sources, known.families)
    app = await subnets.application(pod)
    situation = sources.situation(pod, nic, conf, app)
    rule = subnets.rule_now(app, pod, nic) if app else wanted(situation, sources.pools)
    if rule is None:
        raise BadInput(f"Pod {pod.key}", f"there is no pool yet for {nic} out of its subnets")
    return choices(situation, of_families(rule, known.families), sources.pools)


def _suppose(known: View, holder: Slot, given: Iterable[Opinion | None]) -> None:
    """That the NIC has what it is given: what the next NIC asks is asked after that."""
    for opinion in given:
        if opinion is None or opinion.address is None:
            continue
        key, before = key_of(opinion.address), known.sources.ledger.slot(opinion.address)
        generation = (before.generation if before else 0) + 1
        slot = replace(holder, generation=generation, pool=opinion.pool)
        block = known.sources.caches.blocks.get(key.name) or new_object(key, ())
        slots = {**block["spec"]["slots"], opinion.address: encode(slot)}
        supposed = block | {"spec": block["spec"] | {"slots": slots}}
        known.sources.caches.blocks.observe(supposed)


def _holder(known: View, pod: Pod, nic: IfName) -> Slot:
    """The record that the NIC has, else the one that it would get."""
    for entry in known.sources.ledger.of_pod(pod.uid):
        if entry.slot.nic == nic and entry.slot.state is SlotState.HELD:
            return entry.slot
    return holder_of(pod, nic, node=pod.node)
