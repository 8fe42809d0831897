"""Ways there and back: each deviation fails, and says by which NIC."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.capture.packet import Packet
from harness.expect.judge import judge
from harness.expect.names import Names, NicFacts, PodFacts
from harness.expect.paths import Contrast
from harness.expect.verdict import Verdict, failed, passed
from harness.probes.clients import Answer
from harness.probes.identity import Witness
from harness.scenario.document import Where
from harness.scenario.expectations import Blocked, Outcome, Probe, Protocol, Reaches
from harness.scenario.reference import parse_reference
from harness.trace.observe import Observation, Sending
from harness.trace.path import Hop, RoundTrip
from harness.trace.wires import Nic, Wires
from spiderpool.netlink.objects import NetState
from spiderpool.types.address import Address, Family, InterfaceAddress

POD, NODE, DNS = "10.233.73.210", "10.6.212.132", "10.233.105.131"
FACTS = {
    "default/nginx-x": {"eth0": f"{POD}/32", "net1": "10.6.212.145/16"},
    "worker01": {"ens192": f"{NODE}/16"},
    "kube-system/dns-x": {"eth0": f"{DNS}/32"},
}
NAMES = Names(
    pods={
        "web": PodFacts("default/nginx-x", "nginx-x", "worker01"),
        "dns": PodFacts("kube-system/dns-x", "dns-x", "controller"),
    },
    services={"kube-dns": (Address("10.233.0.3"),)},
    nics={
        place: {nic: NicFacts((InterfaceAddress(text),), "") for nic, text in nics.items()}
        for place, nics in FACTS.items()
    },
)
CALI = Nic("worker01", "cali1")
WIRES = Wires(carriers=frozenset({CALI}))
WHERE = Where("s.yaml", 3)


def leg(text: str, source: str = POD, target: str = DNS) -> tuple[Hop, ...]:
    """``web.eth0> worker01.cali1< ...``: > goes out, < comes in."""
    places = {"web": "default/nginx-x", "dns": "kube-system/dns-x"}
    packet = Packet(Family.V4, Address(source), Address(target), 17, (4000, 53))
    hops = []
    for word in text.split():
        place, _, link = word[:-1].partition(".")
        hops.append(Hop(Nic(places.get(place, place), link), word[-1] == ">", packet))
    return tuple(hops)


THERE = "web.eth0> worker01.cali1< worker01.ens192> dns.eth0<"
BACK = "dns.eth0> worker01.ens192< worker01.cali1> web.eth0<"
REPLIED = Answer(Outcome.REPLIED, witness=Witness(Address(POD), 4000, "dns"))
TRIP = RoundTrip("data", leg(THERE), leg(BACK, DNS, POD))


def seen(*trips: RoundTrip, answer: Answer = REPLIED) -> Observation:
    sending = Sending(Protocol.UDP, "default/nginx-x", Address(DNS), 53)
    return Observation(sending, answer, trips, WIRES)


def probe(target: str = "dns.eth0") -> Probe:
    ref = parse_reference
    return Probe(Protocol.UDP, ref("web", "f"), ref(target, "f"), 53, None, 4)


def reaches(
    *path: str,
    leaves: str | None = None,
    arrives: tuple[str, ...] = (),
    source: str | None = None,
    target: str = "dns.eth0",
    vlan: int | None = None,
) -> Reaches:
    def ref(text: str | None) -> Any:
        return parse_reference(text, "f") if text else None

    return Reaches(
        "dns",
        WHERE,
        None,
        probe(target),
        tuple(map(ref, path)),
        ref(leaves),
        tuple(map(ref, arrives)),
        ref(source),
        vlan,
    )


GOOD = reaches("web.eth0", "worker01.ens192", "dns.eth0", source="web.eth0")


def sentence(expectation: Reaches, observation: Observation) -> str:
    verdict = judge(expectation, observation, NAMES)
    assert not verdict.ok
    return verdict.sentence


def test_a_way_as_expected() -> None:
    verdict = judge(GOOD, seen(TRIP), NAMES)
    assert verdict == Verdict(
        "dns",
        "s.yaml:3",
        True,
        "dns: udp web -> dns.eth0 port 53, by web.eth0 -> worker01.ens192 -> dns.eth0 and back",
    )
    assert judge(reaches(leaves="web.eth0"), seen(TRIP), NAMES).ok
    either = reaches(leaves="web.eth0", arrives=("web.net1", "dns.eth0"), target="kube-dns")
    assert judge(either, seen(TRIP), NAMES).ok


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        (reaches("web.net1"), "the request leaves by web.eth0, expected web.net1"),
        (reaches(leaves="web.net1"), "the request leaves by web.eth0, expected web.net1"),
        (
            reaches("web.eth0", "dns.eth0"),
            "the request goes by web.eth0 -> worker01.ens192 -> dns.eth0, "
            "expected web.eth0 -> dns.eth0",
        ),
        (
            reaches(leaves="web.eth0", arrives=("web.net1", "web.node.ens192")),
            "the request arrives at dns.eth0, expected web.net1 or worker01.ens192",
        ),
        (
            reaches(leaves="web.eth0", source="web.node.ens192"),
            f"the target sees {POD}, expected {NODE} (web.node.ens192)",
        ),
        (reaches(leaves="web.eth0", target="web.net1"), "ends at dns.eth0, not in web"),
        (reaches(leaves="web.net7"), "web has no NIC net7; it has eth0, net1"),
    ],
)
def test_another_way_than_expected(expectation: Reaches, words: str) -> None:
    assert words in sentence(expectation, seen(TRIP))


@pytest.mark.parametrize(
    ("back", "words"),
    [
        (
            "dns.net1> worker01.ens192< worker01.cali1> web.eth0<",
            "the data's reply leaves by dns.net1, but the request came in by dns.eth0",
        ),
        (
            "dns.eth0> worker01.ens192< web.net1<",
            "the data's reply passes web.net1, but the request worker01.cali1",
        ),
        ("dns.eth0> worker01.ens192<", "reply is not seen at worker01.cali1, by which"),
        (f"{BACK} web.lo>", "reply goes on to web.lo, where the request had not begun"),
        ("", "no packet of the data's reply was seen"),
    ],
)
def test_an_answer_by_another_way_fails(back: str, words: str) -> None:
    trip = replace(TRIP, reply=leg(back, DNS, POD))
    assert words in sentence(GOOD, seen(trip))


def test_each_exchange_of_a_connection_counts() -> None:
    handshake = RoundTrip("handshake", TRIP.request, leg("dns.net1> web.eth0<"))
    assert "the handshake's reply leaves by dns.net1" in sentence(GOOD, seen(handshake, TRIP))


def test_an_answer_without_packets_proves_nothing() -> None:
    assert "no packet of it was seen" in sentence(GOOD, seen())
    assert "no packet of the data's request" in sentence(GOOD, seen(replace(TRIP, request=())))


def test_the_servers_word_must_agree_with_its_nic() -> None:
    witness = Witness(Address(NODE), 4000, "dns-x")
    answer = Answer(Outcome.REPLIED, witness=witness)
    assert f"dns-x saw {NODE}, its NIC {POD}" in sentence(GOOD, seen(TRIP, answer=answer))


def test_an_unanswered_probe_says_how_far_it_came() -> None:
    timeout = Answer(Outcome.TIMEOUT, "nothing came back in 4 s")
    lost = replace(TRIP, reply=leg("dns.eth0> worker01.ens192<", DNS, POD))
    assert sentence(GOOD, seen(lost, answer=timeout)) == (
        "dns (s.yaml:3): udp web -> dns.eth0 port 53 was not answered: timeout "
        "(nothing came back in 4 s); the data's reply was last seen coming in by worker01.ens192"
    )
    unheard = sentence(GOOD, seen(replace(TRIP, reply=()), answer=timeout))
    assert unheard.endswith("the data's request was last seen coming in by dns.eth0")
    no_route = Answer(Outcome.NO_ROUTE)
    assert sentence(GOOD, seen(answer=no_route)).endswith(
        "no-route; no packet of it was seen anywhere"
    )


def test_seen_lines_show_every_crossing_with_its_addresses() -> None:
    verdict = judge(reaches("web.net1"), seen(TRIP), NAMES)
    assert verdict.expected == ("path web.net1", "the reply by the same way")
    assert verdict.seen[:3] == (
        "outcome replied",
        f"data request: web.eth0 out, {POD} port 4000 -> {DNS} port 53",
        f"data request: worker01.cali1 in, {POD} port 4000 -> {DNS} port 53",
    )
    assert len(verdict.seen) == 1 + 4 + 4


BLOCKED = Blocked("no", WHERE, None, probe(), (Outcome.TIMEOUT, Outcome.REFUSED), "dns")


def test_a_blocked_probe_needs_its_outcome_and_its_control() -> None:
    works, broken = passed(GOOD, "answered"), failed(GOOD, "not answered")
    timeout = seen(answer=Answer(Outcome.TIMEOUT))
    verdict = judge(BLOCKED, Contrast(timeout, works), NAMES)
    assert verdict.ok
    assert verdict.sentence == ("no: udp web -> dns.eth0 port 53 is timeout, while dns is answered")
    verdict = judge(BLOCKED, Contrast(timeout, broken), NAMES)
    assert not verdict.ok
    assert "proves nothing, as its control fails: dns (s.yaml:3): not answered" in verdict.sentence
    verdict = judge(BLOCKED, Contrast(seen(TRIP), works), NAMES)
    assert not verdict.ok
    assert verdict.sentence.endswith("port 53 ended replied, expected timeout or refused")


def test_a_blocked_probe_may_have_to_set_out_by_a_nic() -> None:
    lost = RoundTrip("data", leg("web.eth0> worker01.cali1<"), ())
    timeout = Answer(Outcome.TIMEOUT)
    works = passed(GOOD, "answered")
    by_eth0 = replace(BLOCKED, leaves=parse_reference("web.eth0", "f"))
    by_net1 = replace(BLOCKED, leaves=parse_reference("web.net1", "f"))
    assert judge(by_eth0, Contrast(seen(lost, answer=timeout), works), NAMES).ok
    verdict = judge(by_net1, Contrast(seen(lost, answer=timeout), works), NAMES)
    assert verdict.sentence.endswith("the request leaves by web.eth0, expected web.net1")
    verdict = judge(by_eth0, Contrast(seen(answer=timeout), works), NAMES)
    assert verdict.sentence.endswith("the request is not seen anywhere, expected web.eth0")


def test_an_observation_of_another_kind_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="NetState says nothing about Reaches"):
        judge(GOOD, NetState(), NAMES)


def between_machines(request: int | None, reply: int | None) -> Observation:
    """The same, and how it passed the switch."""
    port = Nic("underlay", "worker01")
    there, back = TRIP.request, TRIP.reply
    trip = replace(
        TRIP,
        request=(*there, replace(there[0], nic=port, vlan=request)),
        reply=(replace(back[0], nic=port, vlan=reply, outgoing=not there[0].outgoing), *back),
    )
    wires = replace(WIRES, carriers=WIRES.carriers | {port}, switches=frozenset({"underlay"}))
    return replace(seen(trip), wires=wires)


def tag_problem(wanted: int | None, observation: Observation) -> str:
    found = judge(reaches(leaves="web.eth0", vlan=wanted), observation, NAMES)
    return found.sentence.partition("port 53: ")[2]


@pytest.mark.parametrize(
    ("wanted", "request_tag", "reply_tag", "problem"),
    [
        (100, 100, None, "underlay.worker01 in is untagged, expected of VLAN 100"),
        (100, 7, 100, "underlay.worker01 out is of VLAN 7, expected of VLAN 100"),
        (None, None, 7, "underlay.worker01 in is of VLAN 7, expected untagged"),
    ],
)
def test_every_frame_between_machines_has_the_tag(
    wanted: int | None, request_tag: int | None, reply_tag: int | None, problem: str
) -> None:
    assert problem in tag_problem(wanted, between_machines(request_tag, reply_tag))


def test_a_tag_that_nothing_could_show_is_no_success() -> None:
    assert "VLAN 100 could be seen" in tag_problem(100, seen(TRIP))
