"""Why packets went where they did: for each place, the rule and the route that won."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from harness.scenario.expectations import Protocol
from harness.trace.fib import decide
from harness.trace.observe import Observation
from harness.trace.path import Hop, Leg
from harness.trace.wires import Nic, Wires
from spiderpool.errors import OperationFailed
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import as_route_line
from spiderpool.netlink.lookup import Question, route_get
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import Address, Family, family_of
from spiderpool.types.names import IfName


class Decision(NamedTuple):
    """``place`` had to decide where to send the ``what`` (a trip's request or reply).

    ``seen`` is the link by which it was seen to leave there; empty when it was not.
    """

    what: str
    place: str
    question: Question
    seen: str = ""


def decisions(
    observation: Observation, marks: Mapping[Nic, int] = MappingProxyType({})
) -> tuple[Decision, ...]:
    """What the places on the way had to decide; also the sender that sent nothing. Pure.

    ``marks`` are what replies bear to what came in by a NIC.
    """
    sending, wires = observation.sending, observation.wires
    own = Question(sending.target, _source(observation), oif=sending.device)
    first = next((trip.request[0] for trip in observation.trips if trip.request), None)
    seen = first.nic.link if first and first.nic.place == sending.place else ""
    found = [Decision("request", sending.place, own, seen)]
    for trip in observation.trips:
        mark = marks.get(trip.request[-1].nic) if trip.request else None
        found += _of_leg("request", trip.request, wires, None)
        found += _of_leg("reply", trip.reply, wires, mark)
        if trip.request and not trip.reply and not trip.request[-1].outgoing:
            found.append(_return(trip.request[-1], mark))
    return tuple(dict.fromkeys(found))


def _source(observation: Observation) -> Address | None:
    """What the lookup that sends a packet goes by, if it goes by a source.

    A socket that is bound to none gets one from a first lookup. IPv4 looks again with it
    (``ip_route_connect``), and so does every ICMP socket as it sends; other IPv6 sockets keep
    what they have found (``ip6_dst_lookup_tail``).
    """
    sending = observation.sending
    again = family_of(sending.target) is Family.V4 or sending.protocol is Protocol.ICMP
    return sending.source or (observation.answer.source if again else None)


def _of_leg(what: str, leg: Leg, wires: Wires, mark: int | None) -> Iterator[Decision]:
    """At each outgoing NIC that routing chose; a sender's own decision has no NIC before."""
    for index, hop in enumerate(leg):
        before = leg[index - 1] if index else None
        if not hop.outgoing or (before and wires.stands_on(before.nic, hop.nic)):
            continue  # frames of a link upon this one: a macvlan link's go out without a route
        forwards = before is not None and before.nic.place == hop.nic.place
        if before is None and what == "reply":
            question = Question(hop.packet.destination, hop.packet.source, mark)
            yield Decision(what, hop.nic.place, question, hop.nic.link)
        elif before is not None and forwards and hop.nic.place not in wires.switches:
            iif, source = IfName(before.nic.link), before.packet.source
            question = Question(hop.packet.destination, source, iif=iif)
            yield Decision(what, hop.nic.place, question, hop.nic.link)


def _return(arrival: Hop, mark: int | None) -> Decision:
    """Where the answer to a request that came in would go."""
    question = Question(arrival.packet.source, arrival.packet.destination, mark)
    return Decision("reply", arrival.nic.place, question)


def explain(observation: Observation, namespaces: Mapping[str, Namespace]) -> tuple[str, ...]:
    """One line a decision, read from the namespaces as they are now.

    Raises:
        OperationFailed: a namespace cannot be read.
    """
    return tuple(
        f"{decision.what}: {decision.place}: {_answer(namespaces[decision.place], decision)}"
        for decision in decisions(observation)
        if decision.place in namespaces
    )


def _answer(namespace: Namespace, decision: Decision) -> str:
    """The rule by our model, held against what the kernel says about the route."""
    question = decision.question
    modelled = decide(dump(namespace), question)
    try:
        route = route_get(
            namespace,
            question.destination,
            question.source,
            iif=question.iif,
            oif=question.oif,
            fib_match=True,
        )
    except OperationFailed as error:
        return f"{modelled or 'no rule finds a route'}; {error}"
    kernel = as_route_line(route, with_table=True)
    if modelled and modelled.route and as_route_line(modelled.route, with_table=True) == kernel:
        return f"{modelled}"
    return f"{kernel} (so says the kernel of {question})"
