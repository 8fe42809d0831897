"""``spiderpoolctl ip``: what is free in pools, who holds an address, and giving it back."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from spiderpool.ctl.evidence import listed, with_api
from spiderpool.ctl.release import release, wanted
from spiderpool.ctl.table import table
from spiderpool.errors import BadInput
from spiderpool.ipam.blocks import seconds
from spiderpool.ipam.facts import node_addresses
from spiderpool.ipam.ledger import Entry, Ledger
from spiderpool.ipam.pools import Pool, grounds, point, read_pool, read_reserved
from spiderpool.ipam.ranges import Ranges
from spiderpool.ipam.tally import tally
from spiderpool.kube import resources
from spiderpool.types.address import family_of, to_int
from spiderpool.types.ipblock import SlotState

KINDS = (
    resources.SPIDERIPBLOCK,
    resources.SPIDERIPPOOL,
    resources.SPIDERRESERVEDIP,
    resources.NODE,
)
COLUMNS = ("ADDRESS", "STATE", "POOL", "POD", "NIC", "NODE", "UNTIL")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this command."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="show|find|release")
    show = verbs.add_parser("show", help="pools, or the addresses of one")
    show.add_argument("pool", nargs="?", help="only this one: who holds what, and what is free")
    find = verbs.add_parser("find", help="who holds an address, or what a pod holds")
    find.add_argument("what", help="an IP address, or namespace/name of a pod")
    free = verbs.add_parser("release", help="give back an address, or all that a pod holds")
    free.add_argument("what", help="an IP address, or namespace/name of a pod")
    free.add_argument("--force", action="store_true", help="also what is in use")
    for verb in (show, find, free):
        verb.add_argument("--json", action="store_true", help="print a JSON list")


def main(options: argparse.Namespace) -> int:
    """Prints a table; status 1 when nothing is found."""
    if options.verb == "release":
        return _release(options)
    found = listed(options.kubeconfig, KINDS)
    ledger = Ledger(found[resources.SPIDERIPBLOCK])
    if options.verb == "find":
        rows = [row_of(entry) for entry in wanted(ledger, options.what)]
    else:
        pools = list(_grounds(found, options.pool))
        now = time.time()
        if options.pool:
            rows = [row for pool, ground in pools for row in _addresses(ledger, pool, ground, now)]
        else:
            rows = [_pool_row(ledger, pool, ground, now) for pool, ground in pools]
    print(json.dumps(rows) if options.json else table(rows))
    return 0 if rows else 1


def _release(options: argparse.Namespace) -> int:
    given_back = with_api(
        options.kubeconfig, lambda client: release(client, options.what, force=options.force)
    )
    if options.json:
        print(json.dumps([row_of(entry) for entry in given_back]))
        return 0
    for entry in given_back:
        print(f"{entry.address} of {entry.slot.pod} ({entry.slot.nic}) is released")
    return 0


def row_of(entry: Entry) -> dict[str, Any]:
    """One address as a row."""
    slot = entry.slot
    values = (entry.address, str(slot.state), slot.pool, slot.pod, slot.nic, slot.node, slot.until)
    return dict(zip(COLUMNS, values, strict=True))


def _grounds(
    found: dict[resources.Resource, list[dict[str, Any]]], name: str | None
) -> Iterator[tuple[Pool, Ranges]]:
    """Each pool, or the one of that name, with what it may give; one that cannot be read is
    complained of, and does not hide the others.

    Raises:
        BadInput: there is no pool of that name.
    """
    chosen = [obj for obj in found[resources.SPIDERIPPOOL] if name in (None, _name(obj))]
    if name and not chosen:
        others = ", ".join(sorted(map(_name, found[resources.SPIDERIPPOOL]))[:10]) or "none"
        raise BadInput(f"SpiderIPPool {name}", "does not exist", f"existing: {others}")
    reserved = read_reserved(found[resources.SPIDERRESERVEDIP])
    nodes = node_addresses(found[resources.NODE])
    for obj in chosen:
        try:
            pool = read_pool(obj)
        except BadInput as problem:
            print(f"spiderpoolctl: {problem}", file=sys.stderr)
        else:
            yield pool, grounds(pool, reserved[pool.family], nodes)


def _name(obj: dict[str, Any]) -> str:
    return str(obj["metadata"]["name"])


def _pool_row(ledger: Ledger, pool: Pool, ground: Ranges, now: float) -> dict[str, Any]:
    """How many addresses a pool may give, holds and still has."""
    counts = tally(ledger, pool.name, ground, now)
    return {
        "POOL": pool.name,
        "SUBNET": pool.subnet,
        "USABLE": counts.usable,
        "HELD": len(ledger.held(pool.name)),
        "COOLING": counts.cooling,
        "ASIDE": counts.set_aside,
        "FREE": counts.free,
        "DISABLED": pool.spec.disable,
    }


def _addresses(ledger: Ledger, pool: Pool, ground: Ranges, now: float) -> list[dict[str, Any]]:
    """Who holds which address of a pool, and the ranges that are free, lowest first."""
    busy = [
        entry
        for entry in ledger.entries()
        if entry.slot.state is SlotState.HELD or seconds(entry.slot.until) > now
    ]
    mine = [entry for entry in busy if entry.slot.pool == pool.name]
    family = [point(entry.address) for entry in busy if family_of(entry.address) is pool.family]
    rows = [(to_int(entry.address), row_of(entry)) for entry in mine]
    free = ground - Ranges.of(pool.family, family)
    for (first, _), text in zip(free.intervals, free.text(), strict=True):
        rows.append((first, dict.fromkeys(COLUMNS) | {"ADDRESS": text, "STATE": "free"}))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]
