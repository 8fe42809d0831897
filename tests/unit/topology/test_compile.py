"""What a topology compiles to, without a kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.topology.compile import broadcast_of, compile_topology, mac_of, port_name
from harness.topology.load import load
from harness.topology.model import Machine, Nic
from spiderpool.netlink.objects import Route, RouteType
from spiderpool.netlink.operations import AddAddress, AddRoute, CreateLink, Operation, SetSysctl
from spiderpool.types.address import InterfaceAddress
from spiderpool.types.names import IfName

TOPOLOGY = load(Path(__file__).parents[3] / "scenarios/_topologies/page.yaml")
DESCRIPTORS = {name: 100 + place for place, name in enumerate(TOPOLOGY.namespaces)}


def operations(namespace: str) -> list[Operation]:
    steps = compile_topology(TOPOLOGY, DESCRIPTORS)
    return [
        operation for step in steps if step.namespace == namespace for operation in step.operations
    ]


def routes(namespace: str) -> list[Route]:
    return [
        operation.route for operation in operations(namespace) if isinstance(operation, AddRoute)
    ]


def test_the_same_topology_is_the_same_plan() -> None:
    assert compile_topology(TOPOLOGY, DESCRIPTORS) == compile_topology(TOPOLOGY, DESCRIPTORS)


def test_nics_are_born_in_their_machine() -> None:
    links = [o for o in operations("underlay") if isinstance(o, CreateLink)]
    born = {(link.peer.namespace, link.peer.name) for link in links if link.peer}
    assert born == {
        (DESCRIPTORS[machine.name], nic.name)
        for machine in TOPOLOGY.machines
        for nic in machine.nics
    }
    assert {link.master for link in links if link.peer} == {"lan6", "lan7"}
    assert len({link.index for link in links}) == len(links)
    first = min(link.index or 0 for link in links)
    assert first > 16, "the devices that tunnels' modules put everywhere have the first ones"
    assert not any(isinstance(o, CreateLink) for m in TOPOLOGY.machines for o in operations(m.name))


def test_settings_come_before_the_links() -> None:
    order = [step.namespace for step in compile_topology(TOPOLOGY, DESCRIPTORS)]
    assert (
        order.index("worker01")
        < order.index("underlay")
        < len(order) - 1 - order[::-1].index("worker01")
    )


def test_a_node_knows_its_gateway_and_where_pods_are() -> None:
    assert [
        (route.destination, route.gateway, route.link, route.type) for route in routes("worker01")
    ] == [
        ("0.0.0.0/0", "10.6.0.1", "ens192", RouteType.UNICAST),
        ("10.233.105.128/26", "10.6.212.131", "ens192", RouteType.UNICAST),
        ("10.233.73.192/26", None, None, RouteType.BLACKHOLE),
    ]


def test_only_routers_and_nodes_forward() -> None:
    forwarding = {
        machine.name
        for machine in TOPOLOGY.machines
        if SetSysctl("ipv4/conf/all/forwarding", "1") in operations(machine.name)
    }
    assert forwarding == {"controller", "worker01", "router"}
    assert SetSysctl("ipv4/conf/all/forwarding", "0") in operations("outside")


def test_switches_have_no_address() -> None:
    assert not any(isinstance(operation, AddAddress) for operation in operations("underlay"))


def test_macs_are_local_unicast_and_different() -> None:
    macs = {mac_of(m.name, nic.name) for m in TOPOLOGY.machines for nic in m.nics}
    assert len(macs) == sum(len(machine.nics) for machine in TOPOLOGY.machines)
    assert all(int(mac[:2], 16) & 3 == 2 for mac in macs)


@pytest.mark.parametrize("count", [1, 2])
def test_port_names_fit_and_tell_apart(count: int) -> None:
    nics = tuple(Nic(IfName(f"a-long-nic-{n}"), IfName("lan"), ()) for n in range(count))
    names = {port_name(Machine("a-machine-with-a-long-name", nics), nic) for nic in nics}
    assert len(names) == count
    assert all(len(name) <= 15 for name in names)


@pytest.mark.parametrize(
    ("address", "broadcast"),
    [
        ("10.6.212.132/16", "10.6.255.255"),
        ("10.6.0.1/30", "10.6.0.3"),
        ("10.6.0.1/31", None),
        ("10.6.0.1/32", None),
        ("fd00::1/64", None),
    ],
)
def test_broadcast(address: str, broadcast: str | None) -> None:
    assert broadcast_of(InterfaceAddress(address)) == broadcast


def test_static_routes_and_strictness() -> None:
    strict = load(Path(__file__).parents[3] / "scenarios/_topologies/strict.yaml")
    steps = compile_topology(strict, dict.fromkeys(strict.namespaces, 1))
    done = [each for step in steps if step.namespace == "router" for each in step.operations]
    assert SetSysctl("ipv4/conf/all/rp_filter", "1") in done
    assert SetSysctl("ipv4/conf/default/rp_filter", "1") in done
    assert SetSysctl("ipv4/conf/default/rp_filter", "0") in operations("router")
