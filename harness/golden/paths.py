"""Which NIC packets would take, as the kernel decides it for each end state."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.golden.recorded import Case, Pair
from spiderpool.coordinator.facts import node_addresses, usable_addresses
from spiderpool.errors import OperationFailed
from spiderpool.netlink.lines import as_route_line
from spiderpool.netlink.lookup import Question, ask_all
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import Route
from spiderpool.netlink.transport import Kernel
from spiderpool.types.address import Address, Family, address_of, family_of, from_int, to_int
from spiderpool.types.names import IfName

_REPLY_MARK = 1
_OUTSIDE = {Family.V4: Address("192.0.2.1"), Family.V6: Address("2001:db8::1")}
"""RFC 5737 and RFC 3849: hosts that nobody is connected to."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A packet; ``place`` is the namespace that decides, ``pod`` or ``node``."""

    name: str
    place: str
    question: Question


@dataclass(frozen=True, slots=True)
class Way:
    """``nic``: the link that the packet leaves by, or why it does not leave; ``route``: the
    entry of a table that decided."""

    nic: str
    route: str = ""

    def __str__(self) -> str:
        return f"{self.nic} ({self.route})" if self.route else self.nic


def probes_of(case: Case, state: Pair) -> tuple[Probe, ...]:
    """node -> pod, pod -> node, LAN -> pod (its replies), pod -> service, pod -> pods and
    pod -> outside, for each address that the pod has."""
    return tuple(probe for family in Family for probe in _probes(case, state, family))


def _probes(case: Case, state: Pair, family: Family) -> Iterator[Probe]:
    sources = {
        nic: addresses[0]
        for nic in case.nics
        if (addresses := usable_addresses(state.pod, nic, family))
    }
    for nic, address in sources.items():
        yield Probe(f"node -> pod {nic} {address}", "node", Question(address))
        if (uplink := _uplink(state, family)) is not None:
            forwarded = Question(address, _OUTSIDE[family], iif=uplink)
            yield Probe(f"lan, by the node -> pod {nic} {address}", "node", forwarded)
    for name, target in _targets(case, state, family):
        if sources:
            yield Probe(f"pod -> {name} {target}", "pod", Question(target))
        for nic, address in sources.items():
            bound = Question(target, address)
            yield Probe(f"pod {nic} -> {name} {target}", "pod", bound)
            marked = Question(target, address, mark=_REPLY_MARK)
            yield Probe(f"pod {nic}, marked -> {name} {target}", "pod", marked)


def _targets(case: Case, state: Pair, family: Family) -> Iterator[tuple[str, Address]]:
    yield from (("node", address) for address in node_addresses(state.node, family)[:1])
    for name, key in (("service", "serviceCIDR"), ("other pods", "overlayPodCIDR")):
        for cidr in case.coordinator["status"][key]:
            if family_of(cidr) is family:
                yield name, from_int(to_int(address_of(cidr)) + 3, family)
    gateways = dict.fromkeys(
        ip["gateway"]
        for add in case.adds
        for ip in (add.netconf.get("prevResult") or {}).get("ips") or ()
        if ip.get("gateway") and family_of(ip["gateway"]) is family
    )
    yield from (("lan", Address(gateway)) for gateway in gateways)
    yield "outside", _OUTSIDE[family]


def _uplink(state: Pair, family: Family) -> IfName | None:
    """The link of the node's default route."""
    defaults = (r for r in state.node.routes if r.is_default and r.family is family)
    return next((route.link for route in defaults if route.link), None)


def ways(probes: tuple[Probe, ...], namespaces: Mapping[str, Namespace]) -> dict[str, Way]:
    """By the probes' names."""
    found: dict[str, Way] = {}
    for place, namespace in namespaces.items():
        asked = [probe for probe in probes if probe.place == place]
        questions = [probe.question for probe in asked]
        with Kernel(namespace) as kernel:
            taken = ask_all(kernel, questions)
            entries = ask_all(kernel, questions, fib_match=True)
        for probe, way, entry in zip(asked, taken, entries, strict=True):
            found[probe.name] = _way(way, entry)
    return found


def _way(taken: Route | OperationFailed, entry: Route | OperationFailed) -> Way:
    if isinstance(taken, OperationFailed):
        return Way(f"nowhere: {os.strerror(taken.errno)}")
    line = as_route_line(entry) if isinstance(entry, Route) else ""
    return Way(taken.link or taken.type.name.lower(), line)
