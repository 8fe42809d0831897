"""What to read of a namespace; on a node, everything would grow with its pods."""

from __future__ import annotations

from dataclasses import dataclass

from spiderpool.types.address import Address, Family
from spiderpool.types.names import IfName, TableID


@dataclass(frozen=True, slots=True)
class Selection:
    """For each kind of thing: None means all of them, an empty tuple none.

    ``link_numbers`` are links by index, besides those that ``links`` names. Without
    ``link_local``, IPv6 link-local addresses are left out; a node has one for each pod.
    ``tables`` None means every table but ``local``, which the kernel keeps itself.
    ``routes_to``: besides ``tables``, the entries that decide about packets to these.
    ``sysctls`` are keys as in :class:`spiderpool.netlink.operations.SetSysctl`; those that do
    not exist are left out of the answer.
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


EVERYTHING = Selection()
"""Links, addresses, routes, rules and neighbours of a pod."""


def rules_only(family: Family) -> Selection:
    """The policy rules of one family and nothing else."""
    return Selection(links=(), addresses_of=(), tables=(), neighbours_of=(), families=(family,))
