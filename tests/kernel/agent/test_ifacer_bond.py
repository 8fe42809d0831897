"""A pod upon a bond that ifacer made: by which member its packets go, and by which when that fails.

::

    pod net1 ── node bond0.7 ── bond0 ┬ eth1 ── lan1 ┐
                                      └ eth2 ── lan2 ┴ switch ── far eth0 ── eth0.7
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from real_node import until

from harness.capture.capture import Capture
from harness.netns.process import run
from harness.scenario.expectations import Outcome, Protocol
from harness.trace.observe import Sending, observe, read_wires
from harness.trace.path import first_difference, visible
from spiderpool.agent.ifacer import IfacerHandler
from spiderpool.cni.request import CniRequest
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkKind
from spiderpool.netlink.operations import AddAddress, ChangeLink, CreateLink, Peer, SetSysctl
from spiderpool.testing.builders import address, up
from spiderpool.testing.namespaces import new_namespace
from spiderpool.types.address import Address
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import ContainerID, IfName

pytestmark = [pytest.mark.kernel, pytest.mark.link("bond"), pytest.mark.link("vlan")]

CONFIG = {
    "name": "bonded",
    "interfaces": ["eth1", "eth2"],
    "bond": {"name": "bond0", "mode": 1, "options": "miimon=50;primary=eth2"},
    "vlanID": 7,
}
STILL = SetSysctl("ipv6/conf/default/disable_ipv6", "1")
NET1, BOND_VLAN = IfName("net1"), IfName("bond0.7")

Places = dict[str, Namespace]


@pytest.fixture
def places() -> Iterator[Places]:
    with ExitStack() as stack:
        names = ("switch", "node", "pod", "far")
        made = {name: stack.enter_context(new_namespace()) for name in names}
        for namespace in made.values():
            apply(namespace, [STILL])
        ends = (("lan1", "node", "eth1"), ("lan2", "node", "eth2"), ("far", "far", "eth0"))
        switch, ports = IfName("switch"), [_port(port, made[to], nic) for port, to, nic in ends]
        apply(made["switch"], [CreateLink(switch, LinkKind.BRIDGE, up=True), *ports])
        tagged = CreateLink(IfName("eth0.7"), LinkKind.VLAN, parent=IfName("eth0"), vlan=7, up=True)
        apply(made["far"], [up("eth0"), tagged, AddAddress(address("eth0.7", "10.7.0.9/24"))])
        yield made


def _port(name: str, namespace: Namespace, nic: str) -> CreateLink:
    peer = Peer(IfName(nic), namespace=namespace.fd)
    return CreateLink(IfName(name), LinkKind.VETH, up=True, master=IfName("switch"), peer=peer)


@pytest.fixture
def call(places: Places, tmp_path: Path) -> Callable[[CniCommand], None]:
    """ifacer, as the pod's runtime calls it."""
    handler = IfacerHandler(tmp_path, Kernel)

    def carry_out(command: CniCommand) -> None:
        made = CniRequest(command, "ifacer", ContainerID("a"), "/ns", NET1, config=CONFIG)
        asyncio.run(handler.handle(made, places["node"], None))

    return carry_out


def bond(node: Namespace) -> dict[str, Any]:
    """What the driver says of the bond, by ip(8)."""
    command = ["/usr/bin/env", "ip", "-json", "-details", "link", "show", "dev", "bond0"]
    done = asyncio.run(run(command, node, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}))
    (shown,) = json.loads(done.stdout)
    data: dict[str, Any] = shown["linkinfo"]["info_data"]
    return data


def way_to_the_far_end(places: Places) -> list[str]:
    """The NICs that a ping of the pod passes, each tagged frame with its VLAN."""
    sending = Sending(Protocol.ICMP, "pod", Address("10.7.0.9"))
    with Capture() as capture:
        for name, namespace in places.items():
            capture.add(name, namespace)
        outer = {"pod": "node", "node": "switch", "far": "switch"}
        wires = read_wires(places, outer, "switch")
        seen = asyncio.run(observe(sending, places, capture, wires))
    assert seen.answer.outcome is Outcome.REPLIED, seen.answer
    (trip,) = seen.trips
    assert first_difference(trip) is None
    between = [hop for hop in (*trip.request, *trip.reply) if hop.nic.place == "switch"]
    assert {hop.vlan for hop in between} == {7}
    return [str(nic) for nic in visible(trip.request, wires)]


def test_traffic_goes_by_the_primary_and_when_it_fails_by_the_other(
    places: Places, call: Callable[[CniCommand], None]
) -> None:
    node = places["node"]
    before = dump(node).links
    call(CniCommand.ADD)
    until(lambda: bond(node).get("active_slave") == "eth2")
    nic = CreateLink(NET1, LinkKind.MACVLAN, parent=BOND_VLAN, namespace=places["pod"].fd)
    apply(node, [nic])
    apply(places["pod"], [up("net1"), AddAddress(address("net1", "10.7.0.2/24"))])
    upper, lower = ["pod.net1", "node.bond0.7", "node.bond0"], ["far.eth0", "far.eth0.7"]
    assert way_to_the_far_end(places) == [*upper, "node.eth2", *lower]
    apply(places["switch"], [ChangeLink(IfName("lan2"), up=False)])
    until(lambda: bond(node).get("active_slave") == "eth1")
    assert way_to_the_far_end(places) == [*upper, "node.eth1", *lower]
    call(CniCommand.CHECK)
    apply(places["switch"], [up("lan2")])
    until(lambda: bond(node).get("active_slave") == "eth2")
    assert way_to_the_far_end(places) == [*upper, "node.eth2", *lower]
    call(CniCommand.DEL)
    assert dump(node).links == before


def test_a_reboot_is_made_good_with_the_same_settings(
    places: Places, call: Callable[[CniCommand], None], tmp_path: Path
) -> None:
    """The node's namespace is a new one, as its kernel's memory would be; the state is kept."""
    call(CniCommand.ADD)
    before = bond(places["node"])
    with new_namespace() as rebooted:
        apply(rebooted, [STILL, *(_wire(nic) for nic in ("eth1", "eth2"))])
        asyncio.run(IfacerHandler(tmp_path, Kernel).restore(rebooted))
        found = dump(rebooted).link(BOND_VLAN)
        assert found is not None
        assert (found.kind, found.vlan, found.up) == (LinkKind.VLAN, 7, True)
        volatile = ("active_slave", "ad_info")
        after = bond(rebooted)
        assert {k: v for k, v in after.items() if k not in volatile} == {
            k: v for k, v in before.items() if k not in volatile
        }
        assert (after["mode"], after["miimon"], after["primary"]) == ("active-backup", 50, "eth2")


def _wire(nic: str) -> CreateLink:
    return CreateLink(IfName(nic), LinkKind.VETH, up=True, peer=Peer(IfName(f"{nic}-far")))
