"""Big batches, many refusals, odd names, tables that change under a dump."""

from __future__ import annotations

import errno
import threading
from collections.abc import Sequence

import pytest

from spiderpool.errors import OperationFailed
from spiderpool.netlink.apply import apply, apply_all
from spiderpool.netlink.dump import dump
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkKind, Route
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    CreateLink,
    DeleteLink,
    DeleteRoute,
    Operation,
)
from spiderpool.netlink.selection import Selection
from spiderpool.testing.builders import address, direct, pair, route
from spiderpool.types.address import Family
from spiderpool.types.names import IfName, TableID

pytestmark = pytest.mark.kernel

T500 = TableID(500)
MAIN_OF_V4 = Selection(links=(), addresses_of=(), neighbours_of=(), rules=False,
                       families=(Family.V4,))  # fmt: skip


def many(count: int, table: int = 254) -> list[Route]:
    return [
        direct(f"10.{i // 250}.{i % 250}.0/24", "eth0", table=TableID(table)) for i in range(count)
    ]


def test_a_thousand_routes(netns: Namespace) -> None:
    plan: Sequence[Operation] = [pair("eth0", "peer0", 10), *map(AddRoute, many(1000))]
    with Kernel(netns) as kernel:
        assert apply(kernel, plan) == tuple(range(1001))
        assert set(dump(kernel, MAIN_OF_V4).routes) == set(many(1000))
        assert apply(kernel, plan[1:]) == ()


def test_a_thousand_refusals(netns: Namespace) -> None:
    """Each is answered: none of the kernel's errors is lost in a full buffer."""
    refused = [AddRoute(route(f"10.9.{i % 250}.0/24", "eth0", "1.1.1.1")) for i in range(1000)]
    with Kernel(netns) as kernel:
        apply(kernel, (pair("eth0", "peer0", 10),))
        failures = apply_all(kernel, refused)
    assert [failure.index for failure in failures] == list(range(1000))
    assert {failure.errno for failure in failures} == {errno.ENETUNREACH}
    assert failures[0].detail == "Nexthop has invalid gateway"


def test_a_dump_of_one_table_does_not_grow_with_others(netns: Namespace) -> None:
    with Kernel(netns) as kernel:
        apply(kernel, (pair("eth0", "peer0", 10), *map(AddRoute, many(500))))
        apply(kernel, [AddRoute(one) for one in many(2, 500)])
        only = Selection(links=(), addresses_of=(), neighbours_of=(), rules=False, tables=(T500,))
        assert set(dump(kernel, only).routes) == set(many(2, 500))


def test_a_name_that_is_no_utf8(netns: Namespace) -> None:
    name = IfName(b"caf\xe9".decode(errors="surrogateescape"))
    with Kernel(netns) as kernel:
        apply(kernel, (CreateLink(name, LinkKind.BRIDGE, up=True),
                       AddAddress(address(name, "10.3.0.1/16"))))  # fmt: skip
        assert [entry.address for entry in dump(kernel).addresses_of(name, Family.V4)] == [
            "10.3.0.1/16"
        ]
        apply(kernel, (DeleteLink(name),))


def test_a_name_that_is_too_long(netns: Namespace) -> None:
    with pytest.raises(OperationFailed) as caught:
        apply(netns, (CreateLink(IfName("a" * 16), LinkKind.BRIDGE),))
    assert caught.value.errno == errno.ERANGE


def test_dumps_while_routes_come_and_go(netns: Namespace) -> None:
    """What does not change is always whole, whatever else changes meanwhile."""
    fixed, passing = many(400), many(40, 500)
    finished = threading.Event()
    with Kernel(netns) as kernel, Kernel(netns) as other:
        apply(kernel, (pair("eth0", "peer0", 10), *map(AddRoute, fixed)))

        def churn() -> None:
            while not finished.is_set():
                apply(other, [AddRoute(one) for one in passing])
                apply(other, [DeleteRoute(one) for one in passing])

        thread = threading.Thread(target=churn)
        thread.start()
        try:
            for _ in range(20):
                assert set(fixed) <= set(dump(kernel, MAIN_OF_V4).routes)
        finally:
            finished.set()
            thread.join()
