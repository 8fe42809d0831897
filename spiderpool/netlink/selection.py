"""What to read of a namespace; on a node, everything would grow with its pods."""

from __future__ import annotations

from dataclasses import dataclass

from spiderpool.types.address import Family
from spiderpool.types.names import IfName, TableID


@dataclass(frozen=True, slots=True)
class Selection:
    """For each kind of thing: None means all of them, an empty tuple none.

    ``tables`` None means every table but ``local``, which the kernel keeps itself.
    ``sysctls`` are keys as in :class:`spiderpool.netlink.operations.SetSysctl`; those that do
    not exist are left out of the answer.
    """

    links: tuple[IfName, ...] | None = None
    addresses_of: tuple[IfName, ...] | None = None
    tables: tuple[TableID, ...] | None = None
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
