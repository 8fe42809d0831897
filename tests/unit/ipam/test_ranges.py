"""Interval arithmetic, against plain sets of integers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiderpool.errors import BadInput
from spiderpool.ipam.pools import grounds, read_pool, read_reserved
from spiderpool.ipam.ranges import Ranges, parse
from spiderpool.types.address import Address, Family, to_int

INTERVALS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 40)).map(lambda pair: (pair[0], sum(pair)))
)


def ranges(intervals: list[tuple[int, int]]) -> Ranges:
    return Ranges.of(Family.V4, intervals)


def members(intervals: tuple[tuple[int, int], ...] | list[tuple[int, int]]) -> set[int]:
    return {value for first, last in intervals for value in range(first, last + 1)}


@given(INTERVALS, INTERVALS)
def test_arithmetic_is_that_of_sets(one: list[tuple[int, int]], two: list[tuple[int, int]]) -> None:
    a, b = ranges(one), ranges(two)
    for result, expected in (
        (a | b, members(one) | members(two)),
        (a - b, members(one) - members(two)),
        (a & b, members(one) & members(two)),
    ):
        assert members(result.intervals) == expected
        assert result.size == len(expected)
        assert result == ranges(list(result.intervals))
        pairs = zip(result.intervals, result.intervals[1:], strict=False)
        assert all(left[1] + 1 < right[0] for left, right in pairs)


@given(INTERVALS, st.integers(0, 250), st.integers(1, 64))
def test_masks_and_membership(intervals: list[tuple[int, int]], base: int, width: int) -> None:
    mask = ranges(intervals).mask(base, width)
    for offset in range(width):
        inside = base + offset in members(intervals)
        assert bool(mask >> offset & 1) is inside
        assert (base + offset in ranges(intervals)) is inside
    assert mask >> width == 0


def test_text_is_minimal_and_sorted() -> None:
    items = ["10.6.0.20", "10.6.0.8-10.6.0.9", "10.6.0.5-10.6.0.8", "10.6.0.10"]
    assert parse(items, Family.V4, "x").text() == ("10.6.0.5-10.6.0.10", "10.6.0.20")
    assert parse(["fd00::a-fd00::f"], Family.V6, "x").text() == ("fd00::a-fd00::f",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("10.6.0.9-10.6.0.1", "start is greater than end; write 10.6.0.1-10.6.0.9"),
        ("10.6.0.x", "is not an IP or a range"),
        ("10.6.0", "is not an IP or a range"),
        ("10.6.0.1-", "is not an IP or a range"),
        ("10.6.0.0/24", "is not an IP or a range"),
        ("10.6.0.1-fd00::1", "mixes IPv4 and IPv6"),
        ("fd00::1", "is not IPv4"),
    ],
)
def test_items_that_are_none_say_so(text: str, problem: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(["10.6.0.1", text], Family.V4, "SpiderIPPool a: spec.ips")
    assert str(refused.value).startswith(f"SpiderIPPool a: spec.ips[1]: {text!r}")
    assert problem in str(refused.value)


def test_a_pool_of_2_to_the_120_addresses_costs_what_a_small_one_costs() -> None:
    spec = {
        "subnet": "fd00::/8",
        "ips": ["fd00::1-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        "excludeIPs": ["fd00::10-fd00::20"],
    }
    pool = read_pool({"metadata": {"name": "a"}, "spec": spec})
    assert pool.listed.size == 2**120 - 1 - 17
    assert pool.listed.mask(to_int("fd00::"), 32) == 0x0000_FFFE
    assert pool.listed.mask(to_int("fd00::20"), 32) == 0xFFFF_FFFE


@pytest.mark.parametrize(
    ("subnet", "ips", "gateway", "expected"),
    [
        ("10.6.0.0/24", "10.6.0.0-10.6.0.255", "10.6.0.1", ("10.6.0.2-10.6.0.254",)),
        ("10.6.0.0/31", "10.6.0.0-10.6.0.1", None, ("10.6.0.0-10.6.0.1",)),
        ("10.6.0.7/32", "10.6.0.7", None, ("10.6.0.7",)),
        ("fd00::/126", "fd00::-fd00::3", "fd00::2", ("fd00::1", "fd00::3")),
        ("fd00::/127", "fd00::-fd00::1", None, ("fd00::-fd00::1",)),
    ],
)
def test_what_no_host_may_have_is_never_given(
    subnet: str, ips: str, gateway: str | None, expected: tuple[str, ...]
) -> None:
    spec = {"subnet": subnet, "ips": [ips], "gateway": gateway}
    pool = read_pool({"metadata": {"name": "a"}, "spec": spec})
    assert grounds(pool, Ranges(pool.family), []).text() == expected


def test_reserved_and_node_addresses_are_never_given() -> None:
    spec = {"subnet": "10.6.0.0/16", "ips": ["10.6.1.0-10.6.1.9", "10.7.0.1"]}
    pool = read_pool({"metadata": {"name": "a"}, "spec": spec})
    reserved = parse(["10.6.1.4-10.6.1.5"], Family.V4, "x")
    ground = grounds(pool, reserved, [Address("10.6.1.8"), Address("fd00::1")])
    assert ground.text() == ("10.6.1.0-10.6.1.3", "10.6.1.6-10.6.1.7", "10.6.1.9")


def test_a_reserved_range_that_runs_backwards_reserves_what_lies_between() -> None:
    """It gets in where no webhook answers, and must not stop every pod of the cluster."""
    for text, first, last in (
        ("10.6.0.9-10.6.0.1", "10.6.0.1", "10.6.0.9"),
        ("::9-::1", "::1", "::9"),
    ):
        (family, ranges) = next(
            (f, r)
            for f, r in read_reserved(
                [{"metadata": {"name": "r"}, "spec": {"ips": [text]}}]
            ).items()
            if r.intervals
        )
        assert ranges == parse([f"{first}-{last}"], family, "x")
