"""Carrying out plans: the same promises on the fake and on the kernel."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from spiderpool.errors import OperationFailed
from spiderpool.netlink.apply import absent, apply, apply_all
from spiderpool.netlink.dump import dump
from spiderpool.netlink.objects import LinkKind, Rule
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    CreateLink,
    DeleteLink,
    DeleteRule,
    MarkReplies,
    Operation,
    SetNeighbour,
    SetSysctl,
    UnmarkReplies,
)
from spiderpool.netlink.selection import EACH, Selection
from spiderpool.netlink.transport import Transport
from spiderpool.testing.builders import address, direct, neighbour, pair, route, up
from spiderpool.testing.netlink import Faulting, Recording
from spiderpool.types.address import Address, Family
from spiderpool.types.names import MAIN, IfName, TableID

T100, T500, T501 = TableID(100), TableID(500), TableID(501)
NET = (
    pair("eth0", "peer0", 10),
    up("peer0"),
    AddAddress(address("eth0", "10.1.0.2/16")),
    AddAddress(address("peer0", "10.2.0.2/16")),
)
NOWHERE = AddRoute(route("10.9.0.0/16", "eth0", "10.99.0.1"))


def rules_of(transport: Transport) -> set[int]:
    return {rule.priority for rule in dump(transport).rules}


def test_a_plan_is_applied_and_says_so(transport: Transport) -> None:
    assert apply(transport, NET) == (0, 1, 2, 3)
    state = dump(transport)
    assert [entry.address for entry in state.addresses_of("eth0", Family.V4)] == ["10.1.0.2/16"]


def test_nothing_is_a_plan_too(transport: Transport) -> None:
    assert apply(transport, ()) == ()


def test_what_is_there_already_changes_nothing(transport: Transport) -> None:
    apply(transport, NET)
    plan = (
        AddRule(Rule(1000, T500)),
        AddRoute(direct("10.9.0.0/16", "eth0")),
        AddRule(Rule(1000, T500)),
        AddRoute(direct("10.9.0.0/16", "eth0")),
    )
    assert apply(transport, plan) == (0, 1)
    before = dump(transport)
    assert apply(transport, plan) == ()
    assert dump(transport) == before


def test_a_refusal_names_the_operation_and_what_was_applied(transport: Transport) -> None:
    """The rest of the batch was applied too, batches after it were not."""
    apply(transport, NET)
    plan = (
        AddRule(Rule(1, T500)),
        AddRule(Rule(1, T500)),
        NOWHERE,
        AddRule(Rule(2, T500)),
        SetSysctl("ipv4/conf/all/rp_filter", "0"),
        AddRule(Rule(3, T500)),
    )
    with pytest.raises(OperationFailed) as caught:
        apply(transport, plan)
    failure = caught.value
    assert (failure.index, failure.errno) == (2, errno.ENETUNREACH)
    assert failure.applied == (0, 3)
    assert "ip route append 10.9.0.0/16 via 10.99.0.1 dev eth0" in str(failure)
    assert rules_of(transport) >= {1, 2}
    assert 3 not in rules_of(transport)


def test_the_first_of_several_refusals_is_reported(transport: Transport) -> None:
    apply(transport, NET)
    missing = AddRoute(direct("10.9.0.0/16", "nowhere"))
    with pytest.raises(OperationFailed, match="nowhere") as caught:
        apply(transport, (missing, NOWHERE, AddRule(Rule(1, T500))))
    assert (caught.value.index, caught.value.errno) == (0, errno.ENODEV)
    assert caught.value.applied == (2,)


def test_a_link_can_be_used_by_the_plan_that_makes_it(transport: Transport) -> None:
    """Whether its index was chosen or not, and also after a link of that name was deleted."""
    bridge = CreateLink(IfName("br0"), LinkKind.BRIDGE, up=True)
    entry = AddAddress(address("br0", "10.3.0.1/16"))
    assert apply(transport, (bridge, entry)) == (0, 1)
    assert apply(transport, (DeleteLink(IfName("br0")), bridge, entry)) == (0, 1, 2)
    routes = dump(transport, Selection(families=(Family.V4,))).routes
    assert [one.link for one in routes] == ["br0"]


def test_apply_all_goes_on_after_every_failure(transport: Transport) -> None:
    apply(transport, NET)
    plan: tuple[Operation, ...] = (
        DeleteLink(IfName("nowhere")),
        SetSysctl("ipv4/conf/nowhere/rp_filter", "0"),
        DeleteRule(Rule(77, T500)),
        NOWHERE,
        DeleteLink(IfName("eth0")),
    )
    failures = apply_all(transport, plan)
    assert [failure.index for failure in failures] == [0, 1, 2, 3]
    assert [absent(failure) for failure in failures] == [True, True, True, False]
    assert dump(transport).link("eth0") is None


def test_an_address_that_is_there_is_refused(transport: Transport) -> None:
    with pytest.raises(OperationFailed) as caught:
        apply(transport, (*NET, NET[2]))
    assert (caught.value.index, caught.value.errno) == (4, errno.EEXIST)


def test_a_dump_can_be_narrowed(transport: Transport) -> None:
    apply(
        transport,
        (
            *NET,
            AddRoute(direct("10.5.0.1/32", "eth0", table=T500)),
            AddRoute(direct("10.5.0.2/32", "eth0", table=T100)),
            SetNeighbour(neighbour("eth0", "10.1.0.9")),
            SetNeighbour(neighbour("peer0", "10.2.0.9")),
            SetSysctl("ipv4/conf/all/rp_filter", "2"),
        ),
    )
    state = dump(
        transport,
        Selection(
            links=(IfName("eth0"), IfName("nowhere")),
            addresses_of=(IfName("peer0"),),
            tables=(T500, T501),
            neighbours_of=(IfName("eth0"),),
            rules=False,
            sysctls=("ipv4/conf/all/rp_filter", "ipv4/conf/nowhere/rp_filter"),
            families=(Family.V4,),
        ),
    )
    assert [link.name for link in state.links] == ["eth0"]
    assert [entry.address for entry in state.addresses] == ["10.2.0.2/16"]
    assert [one.destination for one in state.routes] == ["10.5.0.1/32"]
    assert [one.address for one in state.neighbours] == ["10.1.0.9"]
    assert state.rules == ()
    assert state.sysctls == {"ipv4/conf/all/rp_filter": "2"}


def test_a_sysctl_can_be_asked_for_of_each_link(transport: Transport) -> None:
    """Of those that the answer holds; not of the loopback."""
    plan = (SetSysctl(f"ipv4/conf/{link}/rp_filter", "2") for link in ("eth0", "peer0"))
    apply(transport, (*NET, *plan))
    key = "ipv4/conf/*/rp_filter"
    every, some = Selection(sysctls=(key,)), Selection(links=(IfName("eth0"),), sysctls=(key,))
    both = {f"ipv4/conf/{link}/rp_filter": "2" for link in ("eth0", "peer0")}
    assert dump(transport, every).sysctls == both
    assert dump(transport, some).sysctls == {"ipv4/conf/eth0/rp_filter": "2"}


def test_neighbours_can_be_asked_for_of_each_link(transport: Transport) -> None:
    entries = {"eth0": "10.1.0.9", "peer0": "10.2.0.9"}
    apply(transport, (*NET, *(SetNeighbour(neighbour(*each)) for each in entries.items())))
    one = Selection(links=(IfName("peer0"),), neighbours_of=(EACH,), families=(Family.V4,))
    assert {each.address for each in dump(transport, one).neighbours} == {"10.2.0.9"}
    both = replace(one, neighbours_of=(EACH, IfName("eth0")))
    assert {each.address for each in dump(transport, both).neighbours} == set(entries.values())


def test_a_dump_can_ask_what_decides_about_some_addresses(transport: Transport) -> None:
    """Whole tables are not read for that; IPv6 needs no link-local addresses for it either."""
    plan = (
        *NET,
        AddRoute(direct("10.5.0.1/32", "eth0", table=T500)),
        AddRoute(direct("10.5.0.0/16", "eth0", table=T500)),
        AddRoute(direct("10.9.0.0/16", "peer0")),
        AddRule(Rule(1000, T500)),
    )
    apply(transport, plan)
    index = next(link.index for link in dump(transport).links if link.name == "peer0")
    asked = ("10.5.0.1", "10.5.0.2", "10.5.0.3", "10.9.0.1", "192.0.2.1", "fd77::1")
    state = dump(
        transport,
        Selection(
            links=(IfName("eth0"),),
            link_numbers=(index, 4242),
            link_local=False,
            tables=(),
            routes_to=tuple(map(Address, asked)),
        ),
    )
    assert {link.name for link in state.links} == {"eth0", "peer0"}
    assert not any(entry.address.startswith("fe80") for entry in state.addresses)
    found = {(route.destination, route.link, route.table) for route in state.routes}
    assert found == {
        ("10.5.0.1/32", "eth0", T500),
        ("10.5.0.0/16", "eth0", T500),
        ("10.9.0.0/16", "peer0", MAIN),
    }
    assert len(state.routes) == 3


def test_an_empty_selection_shows_nothing(transport: Transport) -> None:
    apply(transport, NET)
    nothing = Selection(links=(), addresses_of=(), tables=(), neighbours_of=(), rules=False)
    state = dump(transport, nothing)
    assert (state.links, state.addresses, state.routes, state.neighbours) == ((), (), (), ())


def test_replies_are_marked_and_unmarked(transport: Transport) -> None:
    marks = Selection(links=(), addresses_of=(), tables=(), neighbours_of=(), reply_marks=True)
    plan = (MarkReplies(IfName("veth0"), 1), MarkReplies(IfName("veth0"), 1))
    assert apply(transport, (*NET, *plan)) == (0, 1, 2, 3, 4, 5)
    assert dump(transport, marks).reply_marks == ("veth0",)
    apply(transport, (UnmarkReplies(IfName("veth0"), 1),))
    assert dump(transport, marks).reply_marks == ()
    with pytest.raises(OperationFailed) as caught:
        apply(transport, (UnmarkReplies(IfName("veth0"), 1),))
    assert absent(caught.value)


def test_a_recording_holds_what_was_tried(transport: Transport) -> None:
    recording = Recording(transport)
    plan = (NOWHERE, SetSysctl("ipv4/conf/all/rp_filter", "2"), AddRule(Rule(1, T500)))
    with pytest.raises(OperationFailed):
        apply(recording, (*NET, *plan))
    assert recording.operations == (*NET, NOWHERE)


@pytest.mark.parametrize("place", range(5))
def test_a_fault_hits_the_operation_and_no_other(transport: Transport, place: int) -> None:
    rules = tuple(AddRule(Rule(number, T500)) for number in range(1, 6))
    with pytest.raises(OperationFailed) as caught:
        apply(Faulting(transport, place, errno.ENOMEM), rules)
    assert (caught.value.index, caught.value.errno) == (place, errno.ENOMEM)
    assert caught.value.applied == tuple(number for number in range(5) if number != place)
    assert rules_of(transport) & {1, 2, 3, 4, 5} == {1, 2, 3, 4, 5} - {place + 1}
