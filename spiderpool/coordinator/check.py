"""Differences between what must hold for an attachment and what does, each in one sentence."""

from __future__ import annotations

from collections.abc import Iterator

from spiderpool.coordinator.facts import Facts
from spiderpool.coordinator.plan import plan
from spiderpool.netlink.lines import as_neighbour_line, as_route_line, as_rule_line
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    ChangeLink,
    CreateLink,
    DeleteAddress,
    DeleteNeighbour,
    DeleteRoute,
    DeleteRule,
    MarkReplies,
    Operation,
    SetNeighbour,
    SetSysctl,
)
from spiderpool.netlink.text import as_command
from spiderpool.types.address import InterfaceAddress


def differences(facts: Facts, expected: tuple[InterfaceAddress, ...] = ()) -> tuple[str, ...]:
    """What is not as it must be; ``expected`` are the addresses that the NIC was given.

    Raises:
        BadInput: the attachment could not even be planned now.
    """
    made = plan(facts)
    return (
        *_lost_addresses(facts, expected),
        *(f"pod: {_words(operation)}" for operation in made.pod),
        *(f"node: {_words(operation)}" for operation in made.node),
    )


def _lost_addresses(facts: Facts, expected: tuple[InterfaceAddress, ...]) -> Iterator[str]:
    present = {entry.address for entry in facts.pod.addresses_of(facts.nic)}
    for address in expected:
        if address not in present:
            yield f"pod: {facts.nic} has lost its address {address}"


def _words(operation: Operation) -> str:
    match operation:
        case AddRoute(route):
            return f"the route is missing: {as_route_line(route, with_table=True)}"
        case DeleteRoute(route):
            return f"the route must not be there: {as_route_line(route, with_table=True)}"
        case AddRule(rule):
            return f"the rule is missing: {_line(as_rule_line(rule))}"
        case DeleteRule(rule):
            return f"the rule must not be there: {_line(as_rule_line(rule))}"
        case SetNeighbour(entry):
            return f"the neighbour entry is missing: {as_neighbour_line(entry)}"
        case DeleteNeighbour(entry):
            return f"the neighbour entry must not be there: {as_neighbour_line(entry)}"
        case _:
            return _words_of_setting(operation)


def _words_of_setting(operation: Operation) -> str:
    match operation:
        case AddAddress(entry):
            return f"the address {entry.address} is missing on {entry.link}"
        case DeleteAddress(entry):
            return f"the address {entry.address} must not be on {entry.link}"
        case CreateLink(name):
            return f"the link {name} is missing"
        case ChangeLink():
            return f"the link's settings differ: {as_command(operation)}"
        case SetSysctl(key, value):
            return f"net/{key} is not {value}"
        case MarkReplies(link):
            return f"replies to what comes in by {link} are not marked"
        case _:
            return as_command(operation)


def _line(text: str) -> str:
    return text.replace("\t", " ")
