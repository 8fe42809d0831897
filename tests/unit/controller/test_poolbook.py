"""The book of pools finds what a look at every pool would find."""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spiderpool.controller.admission.others import overlap
from spiderpool.controller.admission.poolbook import PoolBook
from spiderpool.ipam.pools import Pool, read_pool
from spiderpool.types.address import Prefix

BASES = {4: "10.0.0.0", 6: "fd00::"}


@st.composite
def networks(draw: st.DrawFn) -> Any:
    """Of few bits, so that they meet often."""
    family = draw(st.sampled_from([4, 6]))
    bits = 32 if family == 4 else 128
    length = bits - draw(st.integers(0, 5))
    address = int(ipaddress.ip_address(BASES[family])) + draw(st.integers(0, 63))
    return ipaddress.ip_network((address, length), strict=False)


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    network = draw(networks())
    first, last = int(network[0]), int(network[-1])
    address = type(network[0])
    items = []
    for _ in range(draw(st.integers(0, 2))):
        ends = sorted(draw(st.integers(first, last)) for _ in range(2))
        items.append("-".join(str(address(end)) for end in ends))
    return {"subnet": str(network), "ips": items}


def pool(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec}


names = st.sampled_from("abcdef")
unreadable = st.just({"subnet": "nonsense"})


@given(st.lists(st.tuples(names, specs() | unreadable | st.none()), max_size=12), specs())
def test_it_finds_what_a_look_at_each_pool_finds(
    changes: list[tuple[str, dict[str, Any] | None]], asked: dict[str, Any]
) -> None:
    book, stored = PoolBook(), dict[str, Any]()
    for name, spec in changes:
        old, new = stored.pop(name, None), pool(name, spec) if spec else None
        if new is not None:
            stored[name] = new
        if old is not None or new is not None:
            book.apply(old, new)
    good = sorted(key for key, obj in stored.items() if obj["spec"]["subnet"] != "nonsense")
    pools = [read_pool(stored[key]) for key in good]
    own = read_pool(pool("own", asked))
    assert sorted(one.name for one in book) == good
    assert all(name in book for name in stored)
    assert named(book.of(own.subnet)) == named(p for p in pools if p.subnet == own.subnet)
    assert named(book.over(own.subnet)) == named(p for p in pools if is_over(p, own.subnet))
    assert named(book.sharing(own.subnet, own.listed)) == named(
        p for p in pools if p.subnet == own.subnet and (p.listed & own.listed).intervals
    )


def named(pools: Any) -> list[str]:
    return [one.name for one in pools]


def is_over(one: Pool, subnet: Prefix) -> bool:
    return one.subnet != subnet and overlap(one.subnet, subnet)


def test_a_change_of_status_is_none() -> None:
    before = pool("a", {"subnet": "10.0.0.0/16", "ips": ["10.0.0.5"]})
    book = PoolBook([before])
    read = book.get("a")
    book.apply(before, before | {"status": {"totalIPCount": 1}})
    assert book.get("a") is read
