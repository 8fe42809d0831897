"""Requests and answers between the two roles: what is said arrives, and nothing else does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiderpool.kernel import messages
from spiderpool.kernel.codec import Malformed
from spiderpool.kernel.messages import Asked, Dump, Execute, State
from spiderpool.netlink.objects import (
    Link,
    LinkAddress,
    LinkKind,
    Neighbour,
    NetState,
    NextHop,
    Route,
    RouteType,
    Rule,
    Scope,
)
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    ChangeLink,
    CreateLink,
    DeleteLink,
    MarkReplies,
    Operation,
    Peer,
    SetNeighbour,
    SetSysctl,
)
from spiderpool.netlink.selection import EVERYTHING, Selection
from spiderpool.types.address import Address, Family, InterfaceAddress, Prefix
from spiderpool.types.names import IfName, TableID

NET1, V6 = IfName("net1"), Address("fd00::1")
PLAN: tuple[Operation, ...] = (
    CreateLink(
        *(IfName("bond0"), LinkKind.BOND),
        bond=(("mode", 1), ("primary", "eth1"), ("arp_ip_target", (Address("10.6.0.1"),))),
    ),
    CreateLink(
        NET1, LinkKind.MACVLAN, parent=IfName("ens192"), namespace=7, mac="0a:00:00:00:00:01"
    ),
    CreateLink(IfName("veth0"), LinkKind.VETH, peer=Peer(IfName("cali0"), 9, mtu=1430)),
    ChangeLink(NET1, up=False),
    DeleteLink(NET1),
    AddAddress(LinkAddress(NET1, InterfaceAddress("10.6.212.1/16"), Scope.LINK)),
    AddRoute(
        Route(
            *(Prefix("::/0"), None, None, TableID(100)),
            type=RouteType.UNREACHABLE,
            nexthops=(NextHop(NET1, V6, 256),),
        )
    ),
    AddRule(Rule(32760, TableID(100), Family.V6, Prefix("fd00::1/128"), mark=1, mask=1)),
    SetNeighbour(Neighbour(NET1, V6, "0a:00:00:00:00:01")),
    SetSysctl("ipv4/conf/eth0.10/rp_filter", "0"),
    MarkReplies(IfName("veth0"), 1),
)
STATE = NetState(
    links=(Link(NET1, 3, LinkKind.MACVLAN, "0a:00:00:00:00:01"), Link(IfName("tun0"), 4)),
    routes=(Route(Prefix("10.6.0.0/16"), NET1, protocol=186),),
    rules=(Rule(0, TableID(255)),),
    sysctls={"ipv4/conf/all/rp_filter": "2"},
    reply_marks=(NET1,),
)


def again(asked: Asked) -> Asked:
    return messages.decode_asked(messages.encode_asked(asked))


def test_every_operation_arrives_as_it_was() -> None:
    request = Execute(PLAN, until_refused=True)
    assert again(Asked(1, request)) == Asked(1, request)


def test_a_selection_arrives_as_it_was() -> None:
    for selection in (EVERYTHING, Selection(links=(), tables=(TableID(500),), routes_to=(V6,))):
        assert again(Asked(0, Dump(selection))).request == Dump(selection)


def test_a_state_arrives_as_it_was() -> None:
    answer = State(STATE, cookie=(1 << 64) - 1)
    found = messages.decode_answer(messages.encode_answer(answer))
    assert found == answer
    assert isinstance(found, State)
    assert found.state.links[0].kind is LinkKind.MACVLAN
    assert found.state.routes[0].type is RouteType.UNICAST


def test_a_name_that_is_no_text_arrives_too() -> None:
    """The kernel takes any bytes, and a pod may name its links."""
    odd = NetState(links=(Link(IfName("\udcff\udcfe"), 3),))
    answer = State(odd, 1)
    assert messages.decode_answer(messages.encode_answer(answer)) == answer
    assert again(Asked(0, Dump(Selection(links=(odd.links[0].name,))))).request == Dump(
        Selection(links=(odd.links[0].name,))
    )


def test_descriptors_travel_beside_the_plan() -> None:
    sent, descriptors = messages.without_descriptors(PLAN)
    assert descriptors == (7, 9)
    here = messages.with_descriptors(sent, (70, 90))
    made = [operation for operation in here if isinstance(operation, CreateLink)]
    assert made[1].namespace == 70
    assert made[2].peer is not None
    assert made[2].peer.namespace == 90
    with pytest.raises(Malformed, match="descriptor 1 did not come along"):
        messages.with_descriptors(sent, (70,))


def changed(path: tuple[int | str, ...], value: Any) -> bytes:
    """A request whose part at ``path`` is another one."""
    request = json.loads(messages.encode_asked(Asked(0, Execute(PLAN, until_refused=True))))
    place = request
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(request).encode()


PLAN_AT = ("request", 1, "plan")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("inside",), -1, "inside: -1 is no number"),
        (("request", 0), "Reboot", "request: .* is none of Dump, Execute"),
        (("request", 1, "until_refused"), 1, "until_refused: 1 is neither true nor false"),
        ((*PLAN_AT, 3, 0), "Run", r"plan\.3: .* is none of CreateLink"),
        ((*PLAN_AT, 4, 1), {"name": "net1", "force": True}, "4.DeleteLink: .* is no DeleteLink"),
        ((*PLAN_AT, 4, 1, "name"), "../x", "DeleteLink.name: '../x' is no name of a link"),
        ((*PLAN_AT, 4, 1, "name"), "n" * 16, "is no name of a link"),
        ((*PLAN_AT, 1, 1, "mac"), "0a:00", None),
        ((*PLAN_AT, 1, 1, "mac"), "0a:0", "mac: '0a:0' is no MAC address"),
        ((*PLAN_AT, 1, 1, "kind"), "tun", "kind: 'tun' is no LinkKind"),
        ((*PLAN_AT, 0, 1, "bond", 0, 0), "no", "bond.0: 'no' is no option of a bond"),
        ((*PLAN_AT, 5, 1, "address", "address"), "10.6.0.1/33", "address.address: .* no IP addr"),
        ((*PLAN_AT, 8, 1, "neighbour", "address"), "fd00:0::1", "no IP address in canonical form"),
        ((*PLAN_AT, 7, 1, "rule", "table"), 1 << 32, "rule.table: 4294967296 is no number"),
        ((*PLAN_AT, 7, 1, "rule", "family"), True, "rule.family: True is no Family"),
        ((*PLAN_AT, 9, 1, "value"), "x" * 5000, "value: .* is no text of up to 4096"),
    ],
)
def test_what_is_not_as_it_should_be_is_named(
    path: tuple[int | str, ...], value: Any, words: str | None
) -> None:
    if words is None:
        messages.decode_asked(changed(path, value))
        return
    with pytest.raises(Malformed, match=words):
        messages.decode_asked(changed(path, value))


@given(st.binary(max_size=200))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        messages.decode_asked(data)
