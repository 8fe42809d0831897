"""Sets of addresses as sorted, disjoint intervals of integers.

Nothing here ever walks through addresses, so a /64 costs what a /30 costs. netaddr reads
what users wrote; picking works on the integers alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import netaddr

from spiderpool.errors import BadInput
from spiderpool.types.address import Family, family_of, from_int, length_of, to_int

Interval = tuple[int, int]
"""First and last address, both inside."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Addresses of one family; ``intervals`` are sorted and neither touch nor overlap."""

    family: Family
    intervals: tuple[Interval, ...] = ()

    @classmethod
    def of(cls, family: Family, intervals: Iterable[Interval]) -> Ranges:
        """From intervals in any order, which may overlap; ``first`` must not exceed ``last``."""
        return cls(family, tuple(_merged(intervals)))

    @property
    def size(self) -> int:
        """How many addresses; beyond what ``len()`` can say for IPv6."""
        return sum(last - first + 1 for first, last in self.intervals)

    def __contains__(self, value: int) -> bool:
        at = bisect_right(self.intervals, (value, 1 << 128)) - 1
        return at >= 0 and value <= self.intervals[at][1]

    def __or__(self, other: Ranges) -> Ranges:
        return Ranges.of(self.family, self.intervals + other.intervals)

    def __sub__(self, other: Ranges) -> Ranges:
        return Ranges(self.family, tuple(_without(self.intervals, other.intervals)))

    def __and__(self, other: Ranges) -> Ranges:
        return self - (self - other)

    def mask(self, base: int, width: int) -> int:
        """A bitmap of ``[base, base + width)``: bit ``n`` is set when ``base + n`` is inside."""
        top, bits = base + width - 1, 0
        at = max(0, bisect_right(self.intervals, (base, 1 << 128)) - 1)
        for first, last in self.intervals[at:]:
            if first > top:
                break
            low, high = max(first, base), min(last, top)
            if low <= high:
                bits |= ((1 << (high - low + 1)) - 1) << (low - base)
        return bits

    def lowest(self, count: int) -> Ranges:
        """The ``count`` lowest addresses, or all when there are fewer."""
        taken = []
        for first, last in self.intervals:
            if count <= 0:
                break
            taken.append((first, min(last, first + count - 1)))
            count -= last - first + 1
        return Ranges(self.family, tuple(taken))

    def text(self) -> tuple[str, ...]:
        """As pools write them: ``("10.6.0.5", "10.6.0.9-10.6.0.20")``."""
        return tuple(_text(interval, self.family) for interval in self.intervals)


def parse(items: Iterable[str], family: Family, where: str) -> Ranges:
    """The addresses that ``spec.ips`` or ``spec.excludeIPs`` names.

    Raises:
        BadInput: naming ``where[index]``, for what is neither an address nor ``first-last``,
            for the other family, and for a range that runs backwards.
    """
    found = (parse_item(item, family, f"{where}[{index}]") for index, item in enumerate(items))
    return Ranges.of(family, found)


def whole(prefix: str) -> Interval:
    """First and last address of a prefix, network and broadcast address included."""
    first = to_int(prefix)
    return first, first + (1 << (family_of(prefix).bits - length_of(prefix))) - 1


def parse_item(text: str, family: Family, where: str) -> Interval:
    """One item of such a list.

    Raises:
        BadInput: naming ``where``, as :func:`parse` does.
    """
    head, dash, tail = (part.strip() for part in text.partition("-"))
    try:
        first = netaddr.IPAddress(head, flags=netaddr.INET_PTON)
        last = netaddr.IPAddress(tail, flags=netaddr.INET_PTON) if dash else first
    except (netaddr.AddrFormatError, ValueError):
        raise BadInput(
            where,
            f"{text!r} is not an IP or a range",
            "write 10.6.0.5, or 10.6.0.5-10.6.0.9 with the first and the last address",
        ) from None
    if first.version != last.version:
        raise BadInput(where, f"{text!r} mixes IPv4 and IPv6", "use one family")
    if first.version != family.number:
        raise BadInput(where, f"{text!r} is not IPv{family.number}", "use the pool's family")
    if first > last:
        raise BadInput(where, f"{text!r}: start is greater than end", f"write {last}-{first}")
    return int(first), int(last)


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _without(kept: tuple[Interval, ...], taken: tuple[Interval, ...]) -> Iterable[Interval]:
    at = 0
    for start, last in kept:
        first = start
        while at < len(taken) and taken[at][1] < first:
            at += 1
        cut = at
        while cut < len(taken) and taken[cut][0] <= last:
            if first < taken[cut][0]:
                yield first, taken[cut][0] - 1
            first = taken[cut][1] + 1
            cut += 1
        if first <= last:
            yield first, last


def _text(interval: Interval, family: Family) -> str:
    first, last = interval
    head = from_int(first, family)
    return head if first == last else f"{head}-{from_int(last, family)}"
