"""Captures of real packets: both directions, by the kernel's clock, through a translation."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM

import pytest
from small_network import Row, row

from harness.capture.capture import KEEP_UP_SECONDS, Capture
from harness.capture.pcapng import pcapng
from harness.capture.tap import CaptureLost
from harness.probes.clients import ask
from harness.probes.identity import carries, new_identity
from harness.probes.servers import EchoServers, ServedPort, Transport
from harness.probes.sockets import Origin
from harness.scenario.expectations import Outcome, Protocol
from harness.trace.fib import decide
from harness.trace.path import RoundTrip, first_difference, round_trips
from harness.trace.wires import Wires
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import as_route_line
from spiderpool.netlink.lookup import Question, route_get
from spiderpool.netlink.objects import Rule
from spiderpool.netlink.operations import AddRoute, AddRule
from spiderpool.testing.builders import route
from spiderpool.types.address import Address, Prefix
from spiderpool.types.names import IfName, TableID

pytestmark = pytest.mark.kernel

THERE = ["client.eth0 out", "router.left in", "router.right out", "server.eth0 in"]
BACK = ["server.eth0 out", "router.right in", "router.left out", "client.eth0 in"]


@pytest.fixture
def net() -> Iterator[Row]:
    with row() as made:
        yield made


@pytest.fixture
def capture(net: Row) -> Iterator[Capture]:
    with Capture() as opened:
        for place, namespace in net.places().items():
            opened.add(place, namespace)
        yield opened


def seen(
    net: Row, capture: Capture, protocol: Protocol, target: str, outcome: Outcome = Outcome.REPLIED
) -> tuple[RoundTrip, ...]:
    identity, port = new_identity(), 0 if protocol is Protocol.ICMP else 53

    async def scene() -> tuple[RoundTrip, ...]:
        servers = EchoServers(net.server, "server")
        await servers.open([ServedPort(Transport.UDP, 53), ServedPort(Transport.TCP, 53)])
        origin = Origin(net.client)
        with capture.recording() as recording:
            try:
                answer = await ask(protocol, origin, (Address(target), port), identity, 5)
            finally:
                servers.close()
            frames = recording.frames()
        assert answer.outcome is outcome
        sender = ("client", answer.port) if protocol is Protocol.TCP else None
        return round_trips(frames, identity, Wires(), sender)

    return asyncio.run(scene())


@pytest.mark.parametrize("target", ["10.2.0.2", "fd02::2"])
@pytest.mark.parametrize("protocol", list(Protocol))
def test_every_nic_is_seen_in_order_and_both_ways(
    net: Row, capture: Capture, protocol: Protocol, target: str
) -> None:
    trips = seen(net, capture, protocol, target)
    assert len(trips) == (2 if protocol is Protocol.TCP else 1)
    for trip in trips:
        assert [str(hop) for hop in trip.request] == THERE
        assert [str(hop) for hop in trip.reply] == BACK
        assert first_difference(trip) is None


@pytest.mark.parametrize("protocol", list(Protocol))
def test_translated_packets_are_followed(net: Row, capture: Capture, protocol: Protocol) -> None:
    """As a ClusterIP is: the target's address changes on the router, and the source too."""
    script = """
table ip t {
  chain before { type nat hook prerouting priority dstnat; ip daddr 10.9.9.9 dnat to 10.2.0.2; }
  chain after { type nat hook postrouting priority srcnat; masquerade; }
}
"""
    with net.router.entered():
        subprocess.run(["nft", "-f", "-"], input=script.encode(), check=True)
    for trip in seen(net, capture, protocol, "10.9.9.9"):
        assert [str(hop) for hop in trip.request] == THERE
        assert [str(hop) for hop in trip.reply] == BACK
        assert trip.request[0].packet.destination == "10.9.9.9"
        assert (trip.request[-1].packet.source, trip.request[-1].packet.destination) == (
            "10.2.0.1",
            "10.2.0.2",
        )


def test_a_refusal_shows_as_an_error_and_a_reset(net: Row, capture: Capture) -> None:
    (trip,) = seen(net, capture, Protocol.UDP, "10.9.0.1", Outcome.UNREACHABLE)
    assert [str(hop) for hop in trip.request] == THERE[:2]
    assert [str(hop) for hop in trip.errors] == BACK[2:]


def test_a_recording_has_what_came_after_its_beginning(net: Row, capture: Capture) -> None:
    with capture.recording() as longer:
        seen(net, capture, Protocol.ICMP, "10.2.0.2")
        with capture.recording() as later:
            pass
        assert later.frames() == ()
        assert {frame.place for frame in longer.frames()} == {"client", "router", "server"}


def test_places_come_and_go_and_what_was_heard_stays(net: Row, capture: Capture) -> None:
    capture.remove("router")
    capture.remove("router")
    with pytest.raises(ValueError, match="server is heard already"):
        capture.add("server", net.server)
    with capture.recording() as recording:
        seen(net, capture, Protocol.ICMP, "10.2.0.2")
        capture.remove("server")
        seen(net, capture, Protocol.ICMP, "10.2.0.2")
    assert {frame.place for frame in recording.frames()} == {"client", "server"}
    assert capture.places == ("client",)


def test_lost_frames_are_not_passed_over_in_silence(net: Row, capture: Capture) -> None:
    with capture.recording() as recording, net.client.socket(AF_INET, SOCK_DGRAM) as sender:
        for _ in range(10_000):  # more than a buffer keeps
            sender.sendto(b"", ("10.1.0.1", 9))
        with pytest.raises(CaptureLost, match="client lost"):
            recording.frames()
    seen(net, capture, Protocol.ICMP, "10.2.0.2")


def test_a_long_recording_keeps_up_with_more_than_a_buffer_keeps(
    net: Row, capture: Capture
) -> None:
    bursts, size = 12, 1000  # together more than in the test before

    async def scene() -> int:
        with capture.recording() as recording, net.client.socket(AF_INET, SOCK_DGRAM) as sender:
            keeping_up = asyncio.create_task(recording.keep_up())
            for _ in range(bursts):
                for _ in range(size):
                    sender.sendto(b"", ("10.1.0.1", 9))
                await asyncio.sleep(2 * KEEP_UP_SECONDS)
            keeping_up.cancel()
            sent = [f for f in recording.frames() if f.place == "client" and f.outgoing]
            return len(sent)

    assert asyncio.run(scene()) >= bursts * size


def test_a_capture_file_is_read_by_others(net: Row, capture: Capture, tmp_path: Path) -> None:
    identity = new_identity()
    with capture.recording() as recording:
        asyncio.run(ask(Protocol.ICMP, Origin(net.client), (Address("10.2.0.2"), 0), identity, 5))
        frames = recording.frames()
    file = tmp_path / "capture.pcapng"
    file.write_bytes(b"".join(pcapng(frames, "a comment")))
    assert packets_in(file) == [frame.data for frame in frames]
    assert sum(carries(identity, data) for data in packets_in(file)) == len(THERE + BACK)


def packets_in(file: Path) -> list[bytes]:
    """As scapy reads them."""
    from scapy.utils import RawPcapNgReader

    with RawPcapNgReader(str(file)) as reader:
        return [data for data, _ in reader]


@pytest.mark.parametrize(
    ("destination", "source", "priority"),
    [("10.2.0.2", None, 32766), ("10.2.0.2", "10.1.0.2", 100), ("10.5.1.1", "10.1.0.2", 100)],
)
def test_the_kernel_agrees_with_the_model(
    net: Row, destination: str, source: str | None, priority: int
) -> None:
    table = TableID(7)
    apply(
        net.client,
        [
            AddRule(Rule(100, table, source=Prefix("10.1.0.2/32"))),
            AddRoute(route("0.0.0.0/0", "eth0", "10.1.0.1", table=table)),
            AddRoute(route("10.5.0.0/16", "eth0", "10.1.0.1", table=table)),
        ],
    )
    question = Question(Address(destination), Address(source) if source else None)
    decision = decide(dump(net.client), question)
    assert decision is not None and decision.route is not None
    assert decision.rule.priority == priority
    kernel = route_get(net.client, question.destination, question.source, fib_match=True)
    assert as_route_line(kernel, with_table=True) == as_route_line(decision.route, with_table=True)
    assert kernel.link == IfName("eth0")
