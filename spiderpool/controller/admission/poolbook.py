"""All SpiderIPPools, kept so that each is held only against those that it can be in the way of."""

from __future__ import annotations

import functools
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from spiderpool.errors import BadInput
from spiderpool.ipam.pools import Pool, read_pool
from spiderpool.ipam.ranges import Ranges
from spiderpool.types.address import (
    Family,
    Prefix,
    address_of,
    family_of,
    length_of,
    network_of,
    to_int,
)
from spiderpool.types.names import PoolName

Object = dict[str, Any]


class PoolBook:
    """Follows the informer of SpiderIPPools by :meth:`apply`. Pools that cannot be read give no
    address and are in nobody's way; their names are known all the same."""

    def __init__(self, objects: Iterable[Object] = ()) -> None:
        self._pools: dict[PoolName, Pool | None] = {}
        self._shelves: dict[Prefix, _Shelf] = {}
        self._spans: list[tuple[int, int, Prefix]] = []
        self._lengths: Counter[tuple[Family, int]] = Counter()
        for obj in objects:
            self.apply(None, obj)

    def apply(self, old: Object | None, new: Object | None) -> None:
        """A change of one pool; the signature is an informer's handler."""
        if old is not None and new is not None and _rules(old) == _rules(new):
            return
        name = PoolName((new or old or {})["metadata"]["name"])
        if pool := self._pools.pop(name, None):
            self._take_out(pool)
        if new is not None:
            self._pools[name] = pool = _readable(new)
            if pool is not None:
                self._put_in(pool)

    def __contains__(self, name: str) -> bool:
        """Also of one that cannot be read."""
        return name in self._pools

    def __iter__(self) -> Iterator[Pool]:
        return (pool for pool in self._pools.values() if pool is not None)

    def get(self, name: str) -> Pool | None:
        """None for one that is not there, or cannot be read."""
        return self._pools.get(PoolName(name))

    def of(self, subnet: Prefix) -> list[Pool]:
        """The pools of exactly this network, by name."""
        shelf = self._shelves.get(subnet)
        return _by_name(shelf.pools.values()) if shelf else []

    def sharing(self, subnet: Prefix, addresses: Ranges) -> list[Pool]:
        """Those of the network that list one of ``addresses``, by name."""
        shelf = self._shelves.get(subnet)
        return _by_name(shelf.sharing(addresses)) if shelf else []

    def over(self, subnet: Prefix) -> list[Pool]:
        """The pools of other networks that share addresses with this one, by name."""
        networks = self._networks_over(subnet)
        return _by_name(pool for one in networks for pool in self._shelves[one].pools.values())

    def _networks_over(self, subnet: Prefix) -> Iterator[Prefix]:
        """Of two networks that share addresses, one lies in the other: so they begin inside this
        one, or have a shorter prefix of its address."""
        family, first, last = span(subnet)
        for at in range(bisect_left(self._spans, (first, 0, "")), len(self._spans)):
            its_first, _, other = self._spans[at]
            if its_first > last:
                break
            if other != subnet and family_of(other) is family:
                yield other
        for its_family, length in self._lengths:
            if its_family is family and length < length_of(subnet):
                other = network_of(f"{address_of(subnet)}/{length}")
                if other in self._shelves and span(other)[1] < first:
                    yield other

    def _put_in(self, pool: Pool) -> None:
        subnet = pool.subnet
        if subnet not in self._shelves:
            self._shelves[subnet] = _Shelf()
            insort(self._spans, (*span(subnet)[1:], subnet))
            self._lengths[pool.family, length_of(subnet)] += 1
        self._shelves[subnet].put_in(pool)

    def _take_out(self, pool: Pool) -> None:
        subnet, shelf = pool.subnet, self._shelves[pool.subnet]
        shelf.take_out(pool)
        if not shelf.pools:
            del self._shelves[subnet]
            del self._spans[bisect_left(self._spans, (*span(subnet)[1:], subnet))]
            self._lengths[pool.family, length_of(subnet)] -= 1
            self._lengths += Counter()  # those of which there is none go


class PoolReader:
    """Reads each version of a pool once: a cluster has thousands, and every write asks for all.

    An informer replaces its objects and never changes one, so identity tells versions apart.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Object, Pool | None]] = {}

    def __call__(self, objects: Iterable[Object]) -> list[Pool]:
        """One that cannot be read gives no address and is in nobody's way."""
        known = self._known
        self._known = {id(obj): known.get(id(obj)) or (obj, _readable(obj)) for obj in objects}
        return [pool for _, pool in self._known.values() if pool is not None]


class _Shelf:
    """The pools of one network, and all their intervals in order."""

    def __init__(self) -> None:
        self.pools: dict[PoolName, Pool] = {}
        self._intervals: list[tuple[int, int, PoolName]] = []
        self._widest = 0
        """How much the last address of any interval that ever was exceeded its first."""

    def put_in(self, pool: Pool) -> None:
        self.pools[pool.name] = pool
        for first, last in pool.listed.intervals:
            insort(self._intervals, (first, last, pool.name))
            self._widest = max(self._widest, last - first)

    def take_out(self, pool: Pool) -> None:
        del self.pools[pool.name]
        for first, last in pool.listed.intervals:
            del self._intervals[bisect_left(self._intervals, (first, last, pool.name))]

    def sharing(self, addresses: Ranges) -> Iterator[Pool]:
        """Each once."""
        found: set[PoolName] = set()
        for first, last in addresses.intervals:
            begin = bisect_left(self._intervals, (first - self._widest, 0, ""))
            for at in range(begin, len(self._intervals)):
                its_first, its_last, name = self._intervals[at]
                if its_first > last:
                    break
                if its_last >= first:
                    found.add(name)
        return (self.pools[name] for name in found)


@functools.lru_cache(maxsize=16384)
def span(prefix: str) -> tuple[Family, int, int]:
    """Family, first and last address of a network."""
    family = family_of(prefix)
    first = to_int(network_of(prefix))
    return family, first, first | ((1 << family.bits - length_of(prefix)) - 1)


def _readable(obj: Object) -> Pool | None:
    try:
        return read_pool(obj)
    except BadInput:
        return None


def _rules(obj: Object) -> tuple[object, ...]:
    """All that a :class:`Pool` is made of."""
    metadata = obj["metadata"]
    return obj.get("spec"), metadata.get("labels"), metadata.get("deletionTimestamp")


def _by_name(pools: Iterable[Pool]) -> list[Pool]:
    return sorted(pools, key=lambda pool: pool.name)
