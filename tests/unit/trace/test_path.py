"""Frames become legs: in the order of time, by identity, without copies and repetitions."""

from __future__ import annotations

import socket
import struct

import pytest

from harness.capture.frame import Frame, Heard
from harness.probes.identity import Identity, Witness, reply, request
from harness.trace.path import first_difference, round_trips, visible
from harness.trace.wires import Nic, Wires
from spiderpool.types.address import Address

ONE, OTHER = Identity(b"0123456789abcdef"), Identity(b"fedcba9876543210")
POD, PEER = "10.233.73.210", "10.6.212.250"
SEEN = Witness(Address(POD), 4000, "peer")


def ipv4(source: str, target: str, protocol: int, payload: bytes) -> bytes:
    head = struct.pack(">BBHHHBB", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol)
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    return bytes(12) + b"\x08\x00" + head + b"\0\0" + addresses + payload


def echo(kind: int, source: str, target: str, identity: Identity = ONE) -> bytes:
    return ipv4(source, target, 1, struct.pack(">BBHHH", kind, 0, 0, 7, 1) + request(identity))


def udp(source: str, target: str, data: bytes) -> bytes:
    return ipv4(source, target, 17, struct.pack(">HHHH", 4000, 53, 8 + len(data), 0) + data)


def tcp(source: str, target: str, ports: tuple[int, int], *rest: int, data: bytes = b"") -> bytes:
    sequence, acknowledged, flags = rest
    head = struct.pack(">HHIIBBHHH", *ports, sequence, acknowledged, 0x50, flags, 0, 0, 0)
    return ipv4(source, target, 6, head + data)


def frames(*sights: tuple[str, str, bytes] | tuple[str, str, bytes, Heard]) -> list[Frame]:
    """Each sight is ``place.link``, ``out`` or ``in``, the bytes, perhaps how it was heard."""
    made = []
    for moment, (nic, way, data, *heard) in enumerate(sights):
        place, link = nic.split(".")
        kind = Heard.OUTGOING if way == "out" else heard[0] if heard else Heard.HOST
        made.append(Frame(moment, place, link, kind, data))
    return made


def names(leg: object) -> list[str]:
    return [str(hop) for hop in leg]  # type: ignore[attr-defined]


def test_an_echo_has_a_request_and_a_reply() -> None:
    asked, answered = echo(8, POD, PEER), echo(0, PEER, POD)
    (trip,) = round_trips(
        frames(
            ("pod.eth0", "out", asked),
            ("node.cali", "in", asked),
            ("node.cali", "out", answered),
            ("pod.eth0", "in", answered),
        ),
        ONE,
        Wires(),
        None,
    )
    assert names(trip.request) == ["pod.eth0 out", "node.cali in"]
    assert names(trip.reply) == ["node.cali out", "pod.eth0 in"]
    assert first_difference(trip) is None


def test_other_probes_are_not_mixed_in() -> None:
    trips = round_trips(frames(("pod.eth0", "out", echo(8, POD, PEER, OTHER))), ONE, Wires(), None)
    assert trips == ()


def test_a_reply_by_another_nic_is_found() -> None:
    asked, answered = echo(8, PEER, POD), echo(0, POD, PEER)
    (trip,) = round_trips(
        frames(
            ("peer.eth0", "out", asked),
            ("pod.eth0", "in", asked),
            ("pod.net1", "out", answered),
            ("peer.eth0", "in", answered),
        ),
        ONE,
        Wires(),
        None,
    )
    difference = first_difference(trip)
    assert difference is not None
    assert names(difference) == ["pod.eth0 out", "pod.net1 out"]


def test_a_reply_that_ends_early_differs_where_it_ends() -> None:
    asked, answered = echo(8, PEER, POD), echo(0, POD, PEER)
    (trip,) = round_trips(
        frames(
            ("peer.eth0", "out", asked),
            ("pod.eth0", "in", asked),
            ("pod.eth0", "out", answered),
        ),
        ONE,
        Wires(),
        None,
    )
    difference = first_difference(trip)
    assert difference is not None
    wanted, taken = difference
    assert str(wanted) == "peer.eth0 in"
    assert taken is None


def test_translated_addresses_keep_the_identity() -> None:
    (trip,) = round_trips(
        frames(
            ("pod.eth0", "out", udp(POD, "10.233.0.3", request(ONE))),
            ("dns.eth0", "in", udp("10.6.212.132", "10.233.105.131", request(ONE))),
            ("dns.eth0", "out", udp("10.233.105.131", "10.6.212.132", reply(ONE, SEEN))),
            ("pod.eth0", "in", udp("10.233.0.3", POD, reply(ONE, SEEN))),
        ),
        ONE,
        Wires(),
        None,
    )
    assert trip.request[-1].packet.source == "10.6.212.132"
    assert first_difference(trip) is None


def test_an_icmp_error_is_neither_request_nor_reply() -> None:
    quoted = struct.pack(">BBHHH", 3, 1, 0, 0, 0) + udp(POD, PEER, request(ONE))[14:]
    (trip,) = round_trips(
        frames(
            ("pod.eth0", "out", udp(POD, PEER, request(ONE))),
            ("pod.eth0", "in", ipv4("10.6.0.1", POD, 1, quoted)),
        ),
        ONE,
        Wires(),
        None,
    )
    assert (names(trip.request), names(trip.reply)) == (["pod.eth0 out"], [])
    assert names(trip.errors) == ["pod.eth0 in"]


def test_a_tcp_handshake_is_found_by_its_sequence_number() -> None:
    """Translation changes addresses and ports, but not sequence numbers."""
    syn = tcp(POD, "10.233.0.3", (4000, 53), 77, 0, 0x02)
    translated = tcp("10.6.212.132", "10.233.105.131", (61000, 53), 77, 0, 0x02)
    stranger = tcp("10.1.1.1", "10.233.105.131", (1, 53), 78, 0, 0x02)
    syn_ack = tcp("10.233.105.131", "10.6.212.132", (53, 61000), 99, 78, 0x12)
    data = tcp(POD, "10.233.0.3", (4000, 53), 78, 100, 0x18, data=request(ONE))
    handshake, exchange = round_trips(
        frames(
            ("pod.eth0", "out", syn),
            ("dns.eth0", "in", translated),
            ("dns.eth0", "in", stranger),
            ("dns.eth0", "out", syn_ack),
            ("pod.eth0", "out", data),
        ),
        ONE,
        Wires(),
        ("pod", 4000),
    )
    assert names(handshake.request) == ["pod.eth0 out", "dns.eth0 in"]
    assert names(handshake.reply) == ["dns.eth0 out"]
    assert names(exchange.request) == ["pod.eth0 out"]


def test_a_packet_sent_again_is_another_attempt() -> None:
    asked = echo(8, POD, PEER)
    (trip,) = round_trips(
        frames(
            ("pod.eth0", "out", asked),
            ("node.cali", "in", asked),
            ("pod.eth0", "out", asked),
            ("node.cali", "in", asked),
        ),
        ONE,
        Wires(),
        None,
    )
    assert names(trip.request) == ["pod.eth0 out", "node.cali in"]


def test_a_loop_is_not_taken_for_an_attempt() -> None:
    asked = echo(8, POD, PEER)
    (trip,) = round_trips(
        frames(
            ("pod.eth0", "out", asked),
            ("node.cali", "in", asked),
            ("node.ens192", "out", asked),
            ("node.ens192", "in", asked),
            ("node.ens192", "out", asked),
        ),
        ONE,
        Wires(),
        None,
    )
    assert len(trip.request) == 5


CABLES = {
    Nic("switch", "one"): Nic("one", "ens192"),
    Nic("switch", "two"): Nic("two", "ens192"),
    Nic("switch", "client"): Nic("client", "eth0"),
}
FLOODED = Wires(
    peers=CABLES | {far: near for near, far in CABLES.items()},
    parents={Nic("pod", "net1"): Nic("one", "ens192")},
    carriers=frozenset(Nic("switch", port) for port in ("one", "two", "client")),
)


def test_what_a_switch_sends_to_all_ports_is_followed_to_its_target_only() -> None:
    asked = echo(8, PEER, "10.6.212.145")
    (trip,) = round_trips(
        frames(
            ("client.eth0", "out", asked),
            ("switch.client", "in", asked, Heard.OTHER_HOST),
            ("switch.one", "out", asked),
            ("switch.two", "out", asked),
            ("one.ens192", "in", asked, Heard.OTHER_HOST),
            ("pod.net1", "in", asked),
            ("two.ens192", "in", asked, Heard.OTHER_HOST),
        ),
        ONE,
        FLOODED,
        None,
    )
    assert names(trip.request) == [
        "client.eth0 out",
        "switch.client in",
        "switch.one out",
        "one.ens192 in",
        "pod.net1 in",
    ]
    assert [str(nic) for nic in visible(trip.request, FLOODED)] == [
        "client.eth0",
        "one.ens192",
        "pod.net1",
    ]


BOND = Nic("node", "bond0")
BONDED = Wires(
    parents={Nic("pod", "net1"): BOND},
    bonds={Nic("node", "eth1"): BOND, Nic("node", "eth2"): BOND},
)


@pytest.mark.parametrize("heard", [Heard.OTHER_HOST, Heard.HOST])
@pytest.mark.parametrize(
    "way",
    [
        ("node.eth1", "node.eth2", "node.bond0", "pod.net1"),
        ("node.eth2", "node.bond0", "pod.net1", "node.eth1"),
    ],
)
def test_of_the_copies_that_a_bond_gets_the_one_counts_that_it_takes(
    way: tuple[str, ...], heard: Heard
) -> None:
    """Its members have one MAC, so what is for the node itself is for both."""
    asked = echo(8, PEER, POD)
    kinds = [Heard.HOST if nic == "pod.net1" else heard for nic in way]
    sights = [(nic, "in", asked, kind) for nic, kind in zip(way, kinds, strict=True)]
    (trip,) = round_trips(frames(("peer.eth0", "out", asked), *sights), ONE, BONDED, None)
    taken = ["peer.eth0 out", "node.eth2 in", "node.bond0 in", "pod.net1 in"]
    assert names(trip.request) == taken


def test_a_copy_ends_where_nobody_upon_a_bond_wants_it() -> None:
    asked = echo(8, PEER, POD)
    (trip,) = round_trips(
        frames(
            ("peer.eth0", "out", asked),
            ("other.eth0", "in", asked),
            ("node.eth1", "in", asked, Heard.OTHER_HOST),
            ("node.bond0", "in", asked, Heard.OTHER_HOST),
            ("node.eth2", "in", asked, Heard.OTHER_HOST),
        ),
        ONE,
        BONDED,
        None,
    )
    assert names(trip.request) == ["peer.eth0 out", "other.eth0 in"]


def test_macvlan_links_of_one_parent_talk_past_it() -> None:
    asked, answered = echo(8, POD, PEER), echo(0, PEER, POD)
    parent = Nic("node", "ens192")
    parents = {Nic("pod", "net1"): parent, Nic("peer", "net1"): parent}
    (trip,) = round_trips(
        frames(
            ("pod.net1", "out", asked),
            ("node.ens192", "in", asked),
            ("peer.net1", "in", asked),
            ("peer.net1", "out", answered),
            ("node.ens192", "in", answered),
            ("pod.net1", "in", answered),
        ),
        ONE,
        Wires(parents=parents),
        None,
    )
    assert names(trip.request) == ["pod.net1 out", "peer.net1 in"]
    assert first_difference(trip) is None


def test_a_parent_that_receives_is_on_the_way() -> None:
    asked = echo(8, PEER, POD)
    (trip,) = round_trips(
        frames(
            ("peer.eth0", "out", asked),
            ("node.ens192", "in", asked),
            ("pod.net1", "in", asked),
        ),
        ONE,
        Wires(parents={Nic("pod", "net1"): Nic("node", "ens192")}),
        None,
    )
    assert names(trip.request) == ["peer.eth0 out", "node.ens192 in", "pod.net1 in"]
