"""Random plans end in the same errnos and states in the model and in the kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spiderpool.netlink.objects import Route, Rule
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    DeleteAddress,
    DeleteLink,
    DeleteNeighbour,
    DeleteRoute,
    DeleteRule,
    Operation,
    SetNeighbour,
)
from spiderpool.testing.builders import address, direct, down, neighbour, pair, route, up
from spiderpool.types.address import Prefix
from spiderpool.types.names import IfName, TableID

pytestmark = pytest.mark.kernel

LINKS = ("eth0", "net1", "peer0")
NET = (pair("eth0", "peer0", 10), up("peer0"), pair("net1", "peer1", 20), up("peer1"))

links = st.sampled_from(LINKS)
tables = st.sampled_from([TableID(254), TableID(100)])
addresses = st.builds(
    address,
    links,
    st.sampled_from(
        ["10.1.0.2/16", "10.1.0.3/16", "10.6.0.2/16", "10.6.0.2/32", "fd01::2/64", "fd06::2/64"]
    ),
)
gateways = st.sampled_from(["10.1.0.1", "10.6.0.1"])
sources = st.sampled_from([None, "10.1.0.2", "10.6.0.2"])


def routes_ipv4() -> st.SearchStrategy[Route]:
    near = st.builds(
        lambda destination, link, src, table: direct(destination, link, src, table=table),
        st.sampled_from(["10.6.0.0/16", "10.9.0.9/32"]),
        links,
        sources,
        tables,
    )
    far = st.builds(
        lambda destination, link, via, src, table, metric: route(
            destination, link, via, src, table=table, metric=metric
        ),
        st.sampled_from(["0.0.0.0/0", "10.9.0.0/16"]),
        links,
        gateways,
        sources,
        tables,
        st.sampled_from([0, 7]),
    )
    return near | far


def routes_ipv6() -> st.SearchStrategy[Route]:
    return st.builds(
        lambda destination, link, via, table, metric: route(
            destination, link, via, table=table, metric=metric
        ),
        st.sampled_from(["::/0", "fd09::/16"]),
        links,
        st.sampled_from([None, "fd01::1", "fd06::1"]),
        tables,
        st.sampled_from([0, 7]),
    )


rules = st.builds(
    lambda priority, source: Rule(priority, TableID(100), source=source),
    st.integers(1, 2),
    st.sampled_from([None, Prefix("10.6.0.2/32")]),
)
neighbours = st.builds(neighbour, links, st.sampled_from(["10.1.0.1", "fd01::1"]))
operations: st.SearchStrategy[Operation] = st.one_of(
    addresses.map(AddAddress),
    addresses.map(AddAddress),
    addresses.map(DeleteAddress),
    (routes_ipv4() | routes_ipv6()).map(AddRoute),
    (routes_ipv4() | routes_ipv6()).map(AddRoute),
    (routes_ipv4() | routes_ipv6()).map(DeleteRoute),
    rules.map(AddRule),
    rules.map(DeleteRule),
    neighbours.map(SetNeighbour),
    neighbours.map(DeleteNeighbour),
    links.map(down),
    links.map(up),
    links.map(lambda name: DeleteLink(IfName(name))),
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(plan=st.lists(operations, min_size=5, max_size=20))
def test_random_plans(
    plan: list[Operation], agree: Callable[[Sequence[Operation]], list[int]]
) -> None:
    agree((*NET, *plan))
