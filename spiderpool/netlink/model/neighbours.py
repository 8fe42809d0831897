"""Neighbour tables (net/core/neighbour.c)."""

from __future__ import annotations

import errno
from collections.abc import Collection
from dataclasses import replace

from spiderpool.netlink.model.refusal import Refusal
from spiderpool.netlink.objects import Neighbour, NetState
from spiderpool.types.address import Family


def put(state: NetState, entry: Neighbour) -> NetState:
    """Add, or replace the entry of the same link and address."""
    if state.link(entry.link) is None:
        raise Refusal(errno.ENODEV)
    if entry.proxy:
        entry = replace(entry, mac="", permanent=True)
    others = tuple(one for one in state.neighbours if _key(one) != _key(entry))
    return replace(state, neighbours=(*others, entry))


def delete(state: NetState, entry: Neighbour) -> NetState:
    if state.link(entry.link) is None:
        raise Refusal(errno.ENODEV)
    others = tuple(one for one in state.neighbours if _key(one) != _key(entry))
    if len(others) == len(state.neighbours):
        raise Refusal(errno.ENOENT)
    return replace(state, neighbours=others)


def forget(
    state: NetState, links: Collection[str], families: Collection[Family] = tuple(Family)
) -> NetState:
    """The tables of links that went down, away, or changed their MAC are emptied."""
    others = tuple(
        entry
        for entry in state.neighbours
        if entry.link not in links or entry.family not in families
    )
    return replace(state, neighbours=others)


def _key(entry: Neighbour) -> tuple[str, str, bool]:
    return entry.link, entry.address, entry.proxy
