"""What answers probes: on the node without an address, on the LAN by the node where it must."""

from __future__ import annotations

from harness.diff.farends import on_lan
from harness.diff.probes import CLIENT, OUTSIDE
from harness.golden.recorded import Pair
from spiderpool.netlink.objects import Link, LinkKind, NetState
from spiderpool.netlink.text import as_command
from spiderpool.testing.builders import address, route
from spiderpool.types.address import Family
from spiderpool.types.names import IfName

NODE = NetState(
    links=(Link(IfName("ens192"), 2, LinkKind.VETH),),
    addresses=(address("ens192", "10.6.212.132/16"),),
    routes=(route("0.0.0.0/0", "ens192", "10.6.0.1"),),
)
POD = NetState(
    addresses=(address("eth0", "10.233.73.210/32"), address("net1", "10.6.212.145/16")),
)


def commands(lan: NetState, node: NetState = NODE) -> list[str]:
    return [as_command(operation) for operation in on_lan(Pair(POD, node), lan, Family)]


def test_addresses_on_no_lan_are_reached_by_the_node() -> None:
    said = commands(NetState())
    assert any("10.233.73.210/32 via 10.6.212.132 dev n2" in text for text in said)
    assert not any("10.6.212.145" in text for text in said)


def test_a_client_knows_nothing_but_the_node() -> None:
    said = commands(NetState())
    rule = next(text for text in said if "rule" in text)
    assert f"from {CLIENT[Family.V4]}" in rule and "iif lo" in rule
    assert any("via 10.6.212.132 dev n2 table 100" in text for text in said)


def test_the_gateway_of_the_node_is_there_once() -> None:
    assert any("10.6.0.1/16" in text for text in commands(NetState()))
    held = NetState(addresses=(address("n2", "10.6.0.1/16"),))
    assert not any("10.6.0.1/16" in text for text in commands(held))


def test_without_an_uplink_there_are_hosts_and_nothing_else() -> None:
    said = commands(NetState(), NetState())
    assert not any("via" in text for text in said)
    assert all(any(host in text for text in said) for host in OUTSIDE.values())
