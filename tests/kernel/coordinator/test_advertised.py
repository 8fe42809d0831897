"""A router on the underlay speaks while a NIC is attached, on real namespaces."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attached_pod import AttachedPod, attached_pod

from harness.probes.advertising import advertise
from harness.probes.sockets import ProbeImpossible
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lookup import route_get
from spiderpool.netlink.objects import NetState, Protocol
from spiderpool.netlink.operations import SetSysctl
from spiderpool.netlink.selection import Selection
from spiderpool.types.address import Address, Family, Prefix
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import IfName

pytestmark = pytest.mark.kernel

ADD, DEL = CniCommand.ADD, CniCommand.DEL
NET1, LAN = IfName("net1"), IfName("lan")
KEY = "ipv6/conf/net1/accept_ra"
PREFIX = Prefix("fd00:99::/64")
OUTSIDE = Address("fd00:77::1")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AttachedPod]:
    """Addresses are usable at once, so that link-local ones are there when a router speaks."""
    with attached_pod(tmp_path) as made:
        apply(made.pod, [SetSysctl("ipv6/conf/default/accept_dad", "0")])
        made.calico()
        made.macvlan("net1", 145)
        yield made


def state_of(world: AttachedPod) -> NetState:
    return dump(world.pod, Selection(sysctls=(KEY,)))


def learned(state: NetState) -> bool:
    return any(entry.learned for entry in state.addresses_of(NET1, Family.V6)) and any(
        route.protocol == Protocol.RA for route in state.routes
    )


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "does not happen"
        time.sleep(0.01)


def advertised(world: AttachedPod) -> bool:
    """Whether the router has spoken: not before it has found out that its address is its own."""
    try:
        advertise(world.outside, LAN, PREFIX)
    except ProbeImpossible:
        return False
    return True


def test_what_net1_has_learned_goes_and_it_learns_no_more(world: AttachedPod) -> None:
    until(lambda: advertised(world) and learned(state_of(world)))
    assert route_get(world.pod, OUTSIDE).link == NET1, "the advertised default wins"
    asyncio.run(world.call(ADD, "net1", mode="overlay"))
    assert not learned(state_of(world))
    assert state_of(world).sysctls[KEY] == "0"
    assert route_get(world.pod, OUTSIDE).link == "eth0"
    networks = {r.destination for r in dump(world.pod).routes if r.link == NET1}
    assert "fd00:10:6::/64" in networks
    assert PREFIX not in networks

    witness(world)
    assert not learned(state_of(world))
    asyncio.run(world.call(DEL, "net1"))
    assert state_of(world).sysctls[KEY] == "1"


def witness(world: AttachedPod) -> None:
    """Another NIC on the same wire, for which nothing was done, hears the same router."""
    world.macvlan("net2", 146)

    def heard() -> bool:
        return advertised(world) and any(
            entry.learned for entry in dump(world.pod).addresses_of(IfName("net2"), Family.V6)
        )

    until(heard)


def test_who_asks_for_it_keeps_what_it_learns(world: AttachedPod) -> None:
    apply(world.pod, [SetSysctl(KEY, "2")])
    until(lambda: advertised(world) and learned(state_of(world)))
    asyncio.run(world.call(ADD, "net1", mode="overlay"))
    state = state_of(world)
    assert state.sysctls[KEY] == "2"
    (slaac,) = {e.address for e in state.addresses_of(NET1, Family.V6) if e.learned}
    sources = {rule.source for rule in state.rules if rule.priority == 32760}
    assert f"{slaac.partition('/')[0]}/128" in sources
