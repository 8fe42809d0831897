"""Which decisions a way contains: one for the sender, one for each place that forwards."""

from __future__ import annotations

from harness.capture.packet import Packet
from harness.probes.clients import Answer
from harness.scenario.expectations import Outcome, Protocol
from harness.trace.explain import Decision, decisions
from harness.trace.observe import Observation, Sending
from harness.trace.path import Hop, Leg, RoundTrip
from harness.trace.wires import Nic, Wires
from spiderpool.netlink.lookup import Question
from spiderpool.types.address import Address, Family
from spiderpool.types.names import IfName

POD, PEER, NODE = Address("10.233.73.210"), Address("10.7.212.101"), Address("10.6.212.132")
NET1 = Nic("pod", "net1")
WIRES = Wires(parents={NET1: Nic("node", "ens192")}, switches=frozenset({"switch"}))
ASKED = Decision("request", "pod", Question(PEER))


def leg(*crossings: tuple[str, Address, Address]) -> Leg:
    hops = []
    for crossing, source, target in crossings:
        place, _, link = crossing[:-1].partition(".")
        packet = Packet(Family.V4, source, target, 1, icmp_type=8)
        hops.append(Hop(Nic(place, link), crossing[-1] == ">", packet))
    return tuple(hops)


def decided(*trips: RoundTrip, device: str | None = None) -> tuple[Decision, ...]:
    oif = IfName(device) if device else None
    sending = Sending(Protocol.ICMP, "pod", PEER, device=oif)
    return decisions(Observation(sending, Answer(Outcome.TIMEOUT), trips, WIRES))


def test_the_sender_decides_even_when_nothing_was_sent() -> None:
    assert decided() == (ASKED,)
    (bound,) = decided(device="net1")
    assert bound.question == Question(PEER, oif=IfName("net1"))


def test_the_source_that_a_first_lookup_chose_decides_with_the_second() -> None:
    v6, own = Address("2001:db8::1"), Address("fd00:10:6::2e5")
    for protocol, target, source, again in (
        (Protocol.TCP, PEER, POD, True),
        (Protocol.ICMP, v6, own, True),
        (Protocol.TCP, v6, own, False),
    ):
        answer = Answer(Outcome.REPLIED, source=source)
        seen = Observation(Sending(protocol, "pod", target), answer, (), WIRES)
        (decision,) = decisions(seen)
        assert decision.question == Question(target, source if again else None)


def test_forwarding_is_asked_with_the_addresses_between_the_translations() -> None:
    """Routing comes after the target's translation and before the source's."""
    there = leg(
        ("pod.eth0>", POD, PEER),
        ("node.cali<", POD, PEER),
        ("node.ens192>", NODE, PEER),
        ("switch.one<", NODE, PEER),
        ("switch.two>", NODE, PEER),
    )
    back = leg(("peer.eth0>", PEER, NODE), ("node.ens192<", PEER, NODE), ("node.cali>", PEER, POD))
    assert decided(RoundTrip("data", there, back)) == (
        ASKED._replace(seen="eth0"),
        Decision("request", "node", Question(PEER, POD, iif=IfName("cali")), "ens192"),
        Decision("reply", "peer", Question(NODE, PEER), "eth0"),
        Decision("reply", "node", Question(POD, PEER, iif=IfName("ens192")), "cali"),
    )


def test_a_macvlan_link_uses_its_parent_without_a_decision() -> None:
    there = leg(("pod.net1>", POD, PEER), ("node.ens192>", POD, PEER))
    assert decided(RoundTrip("data", there, ())) == (ASKED._replace(seen="net1"),)


def test_a_request_that_found_no_answer_asks_for_the_way_back() -> None:
    there = leg(("pod.eth0>", POD, PEER), ("peer.eth0<", POD, PEER))
    assert decided(RoundTrip("data", there, ())) == (
        ASKED._replace(seen="eth0"),
        Decision("reply", "peer", Question(POD, PEER)),
    )


def test_the_answer_to_what_came_in_by_a_marking_nic_bears_its_mark() -> None:
    there = leg(("node.cali>", NODE, POD), ("pod.veth0<", NODE, POD))
    back = leg(("pod.veth0>", POD, NODE), ("node.cali<", POD, NODE))
    sending = Sending(Protocol.ICMP, "node", POD)
    for reply, seen in ((back, "veth0"), ((), "")):
        trip = RoundTrip("data", there, reply)
        seen_of_it = Observation(sending, Answer(Outcome.TIMEOUT), (trip,), WIRES)
        *_, answer = decisions(seen_of_it, {Nic("pod", "veth0"): 1})
        assert answer == Decision("reply", "pod", Question(NODE, POD, mark=1), seen)
