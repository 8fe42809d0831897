"""What to read of a namespace; on a node, everything would grow with its pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from spiderpool.netlink.objects import Link
from spiderpool.types.address import Address, Family
from spiderpool.types.names import IfName, TableID

EACH = IfName("*")


@dataclass(frozen=True, slots=True)
class Selection:
    """For each kind of thing: None means all of them, an empty tuple none.

    ``link_numbers`` are links by index, besides those that ``links`` names. Without
    ``link_local``, IPv6 link-local addresses are left out; a node has one for each pod.
    ``tables`` None means every table but ``local``, which the kernel keeps itself.
    ``routes_to``: besides ``tables``, the entries that decide about packets to these.
    ``sysctls`` are keys as in :class:`spiderpool.netlink.operations.SetSysctl`; those that do
    not exist are left out of the answer. In these and in ``neighbours_of``, ``*`` stands for
    each link of the answer but loopback.
    """

    links: tuple[IfName, ...] | None = None
    link_numbers: tuple[int, ...] = ()
    addresses_of: tuple[IfName, ...] | None = None
    link_local: bool = True
    tables: tuple[TableID, ...] | None = None
    routes_to: tuple[Address, ...] = ()
    neighbours_of: tuple[IfName, ...] | None = None
    rules: bool = True
    reply_marks: bool = False
    sysctls: tuple[str, ...] = ()
    families: tuple[Family, ...] = (Family.V4, Family.V6)

    def keys(self, links: Iterable[Link]) -> Iterator[str]:
        """``sysctls`` when these links are the answer's."""
        names = [link.name for link in links if not link.loopback]
        for key in self.sysctls:
            yield from [key.replace("*", name) for name in names] if "*" in key else (key,)

    def neighbourhoods(self, links: Iterable[Link]) -> tuple[IfName, ...] | None:
        """``neighbours_of`` when these links are the answer's."""
        names = self.neighbours_of
        if names is None or EACH not in names:
            return names
        return tuple({*names, *(link.name for link in links if not link.loopback)} - {EACH})


EVERYTHING = Selection()
"""Links, addresses, routes, rules and neighbours of a pod."""


def rules_only(family: Family) -> Selection:
    """The policy rules of one family and nothing else."""
    return Selection(links=(), addresses_of=(), tables=(), neighbours_of=(), families=(family,))
