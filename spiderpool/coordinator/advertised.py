"""What a NIC learns from router advertisements, and how it stops listening to them. Pure.

A link is born with ``accept_ra`` 1 (kernel doc ip-sysctl): any router on the underlay then
gives the NIC addresses of which no pool knows, and main a default route that may beat the
chosen one. What counts is what the NIC was given. Who wants the addresses that routers
advertise sets ``accept_ra`` to 2 before the coordinator comes (plugin ``tuning``): then they
are the NIC's own, as the given ones are (upstream issue 5618).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from spiderpool.coordinator.facts import Facts, is_local
from spiderpool.netlink.objects import NetState, Protocol, Route
from spiderpool.netlink.operations import DeleteAddress, DeleteRoute, Operation, SetSysctl
from spiderpool.types.address import Family, network_of
from spiderpool.types.names import MAIN, IfName

_OFF, _WANTED = "0", "2"


def accept_ra(nic: IfName) -> str:
    """The setting of a NIC."""
    return f"ipv6/conf/{nic}/accept_ra"


def stop_listening(facts: Facts) -> Iterator[SetSysctl]:
    """What must hold before the NIC is up. A kernel without IPv6 has no such setting."""
    key = accept_ra(facts.nic)
    if key in facts.pod.sysctls and not _leaves_it(facts):
        yield SetSysctl(key, _OFF)


def as_given(facts: Facts) -> Facts:
    """The facts without what the NIC has learned, unless that is wanted."""
    if _leaves_it(facts):
        return facts
    pod, nic = facts.pod, facts.nic
    routes = tuple(r for r in pod.routes if r.link != nic or not is_learned(r, pod))
    addresses = tuple(one for one in pod.addresses if one.link != nic or not one.learned)
    return replace(facts, pod=replace(pod, addresses=addresses, routes=routes))


def forget(facts: Facts) -> Iterator[Operation]:
    """Take away what the NIC has learned while it listened; the kernel would keep it for as
    long as the router said."""
    if _leaves_it(facts):
        return
    for route in facts.pod.routes:
        if route.link == facts.nic and is_learned(route, facts.pod):
            yield DeleteRoute(route)
    for entry in facts.pod.addresses_of(facts.nic, Family.V6):
        if entry.learned:
            yield DeleteAddress(entry)


def is_learned(route: Route, state: NetState) -> bool:
    """Whether a router's advertisement made it: a default, or the way to an advertised
    network, which no address that was given lies in."""
    if route.protocol == Protocol.RA:
        return True
    if (route.family, route.table, route.protocol) != (Family.V6, MAIN, Protocol.KERNEL):
        return False
    if route.link is None or route.gateway is not None or is_local(route.destination):
        return False
    given = (one for one in state.addresses_of(route.link, Family.V6) if not one.learned)
    return route.destination not in {network_of(one.address) for one in given}


def _leaves_it(facts: Facts) -> bool:
    wanted = facts.pod.sysctls.get(accept_ra(facts.nic)) == _WANTED
    return wanted or not facts.config.tune_pod_routes
