"""Probes and echo servers on real namespaces: every outcome, and what the server saw."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from small_network import Row, row

from harness.probes.clients import Answer, ask
from harness.probes.identity import new_identity
from harness.probes.servers import EchoServers, ServedPort, Transport
from harness.probes.sockets import Origin, ProbeImpossible
from harness.scenario.expectations import Outcome, Protocol
from spiderpool.netlink.apply import apply
from spiderpool.netlink.objects import LinkAddress, Route, RouteType
from spiderpool.netlink.operations import AddAddress, AddRoute, DeleteRoute
from spiderpool.testing.builders import route
from spiderpool.types.address import Address, InterfaceAddress, Prefix
from spiderpool.types.names import IfName

pytestmark = pytest.mark.kernel

SERVED = (ServedPort(Transport.UDP, 53), ServedPort(Transport.TCP, 53))


@pytest.fixture
def net() -> Iterator[Row]:
    with row() as made:
        yield made


def probe(
    net: Row,
    protocol: Protocol,
    target: str,
    port: int = 0,
    *,
    source: str | None = None,
    device: str | None = None,
    patience: float = 5.0,
) -> Answer:
    origin = Origin(
        net.client,
        Address(source) if source else None,
        IfName(device) if device else None,
    )

    async def scene() -> Answer:
        servers = EchoServers(net.server, "kube-system/coredns")
        await servers.open(SERVED)
        try:
            return await ask(protocol, origin, (Address(target), port), new_identity(), patience)
        finally:
            servers.close()

    return asyncio.run(scene())


@pytest.mark.parametrize("target", ["10.2.0.2", "fd02::2"])
def test_a_ping_is_answered_and_its_source_known(net: Row, target: str) -> None:
    answer = probe(net, Protocol.ICMP, target)
    assert answer.outcome is Outcome.REPLIED
    assert answer.source == ("10.1.0.2" if "." in target else "fd01::2")


@pytest.mark.parametrize("protocol", [Protocol.UDP, Protocol.TCP])
@pytest.mark.parametrize(("target", "source"), [("10.2.0.2", "10.1.0.2"), ("fd02::2", "fd01::2")])
def test_an_echo_server_says_whom_it_saw(
    net: Row, protocol: Protocol, target: str, source: str
) -> None:
    answer = probe(net, protocol, target, 53)
    assert answer.outcome is Outcome.REPLIED
    assert answer.witness is not None
    assert (answer.witness.source, answer.witness.server) == (source, "kube-system/coredns")
    assert answer.witness.port == answer.port


def test_a_second_address_answers_from_itself(net: Row) -> None:
    """Else the reply would come from the address that the route prefers, and be dropped."""
    added = LinkAddress(IfName("eth0"), InterfaceAddress("10.2.0.9/32"))
    apply(net.server, [AddAddress(added)])
    assert probe(net, Protocol.UDP, "10.2.0.9", 53).outcome is Outcome.REPLIED


def test_a_bound_source_is_the_one_seen(net: Row) -> None:
    added = LinkAddress(IfName("eth0"), InterfaceAddress("10.1.0.9/24"))
    apply(net.client, [AddAddress(added)])
    answer = probe(net, Protocol.UDP, "10.2.0.2", 53, source="10.1.0.9", device="eth0")
    assert answer.witness is not None
    assert answer.witness.source == "10.1.0.9"


@pytest.mark.parametrize("protocol", [Protocol.UDP, Protocol.TCP])
def test_a_closed_port_refuses(net: Row, protocol: Protocol) -> None:
    answer = probe(net, protocol, "10.2.0.2", 54)
    assert answer.outcome is Outcome.REFUSED


@pytest.mark.parametrize("protocol", [Protocol.ICMP, Protocol.UDP])
def test_a_router_without_a_route_says_so(net: Row, protocol: Protocol) -> None:
    port = 0 if protocol is Protocol.ICMP else 53
    answer = probe(net, protocol, "10.9.0.1", port)
    assert answer.outcome is Outcome.UNREACHABLE
    assert answer.detail == "network unreachable, says 10.1.0.1"


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (RouteType.BLACKHOLE, Outcome.NO_ROUTE),
        (RouteType.UNREACHABLE, Outcome.UNREACHABLE),
        (RouteType.PROHIBIT, Outcome.PROHIBITED),
    ],
)
@pytest.mark.parametrize("protocol", list(Protocol))
def test_the_sender_s_own_kernel_refuses(
    net: Row, protocol: Protocol, kind: RouteType, outcome: Outcome
) -> None:
    apply(net.client, [AddRoute(Route(Prefix("10.9.0.0/24"), type=kind))])
    port = 0 if protocol is Protocol.ICMP else 53
    assert probe(net, protocol, "10.9.0.1", port).outcome is outcome


def test_without_a_route_nothing_is_sent(net: Row) -> None:
    apply(net.client, [DeleteRoute(route("0.0.0.0/0", "eth0", "10.1.0.1"))])
    assert probe(net, Protocol.UDP, "10.2.0.2", 53).outcome is Outcome.NO_ROUTE


@pytest.mark.parametrize("protocol", list(Protocol))
def test_silence_is_a_timeout(net: Row, protocol: Protocol) -> None:
    """The server drops its answers: it has no route back, and says nothing about it."""
    apply(net.server, [DeleteRoute(route("0.0.0.0/0", "eth0", "10.2.0.1"))])
    port = 0 if protocol is Protocol.ICMP else 53
    answer = probe(net, protocol, "10.2.0.2", port, patience=0.05)
    assert answer.outcome is Outcome.TIMEOUT


def test_a_source_that_is_not_there_cannot_be_bound(net: Row) -> None:
    with pytest.raises(ProbeImpossible, match=r"from 10.1.0.77 by any NIC: Cannot assign"):
        probe(net, Protocol.ICMP, "10.2.0.2", source="10.1.0.77")
    with pytest.raises(ProbeImpossible, match="by net1: No such device"):
        probe(net, Protocol.ICMP, "10.2.0.2", device="net1")
