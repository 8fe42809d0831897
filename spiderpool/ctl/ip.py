"""``spiderpoolctl ip``: what is free in pools, who holds an address, and giving it back."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from spiderpool.ctl.evidence import listed, with_api
from spiderpool.ctl.release import release, wanted
from spiderpool.ctl.table import table
from spiderpool.ipam.facts import node_addresses
from spiderpool.ipam.ledger import Entry, Ledger
from spiderpool.ipam.pools import grounds, read_pool, read_reserved
from spiderpool.ipam.tally import tally
from spiderpool.kube import resources

KINDS = (
    resources.SPIDERIPBLOCK,
    resources.SPIDERIPPOOL,
    resources.SPIDERRESERVEDIP,
    resources.NODE,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this command."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="show|find|release")
    show = verbs.add_parser("show", help="pools, or the addresses of one")
    show.add_argument("pool", nargs="?", help="only this pool, address by address")
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
    elif options.pool:
        rows = [row_of(entry) for entry in ledger.in_pool(options.pool)]
    else:
        rows = pool_rows(found, ledger)
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
    return {
        "ADDRESS": entry.address,
        "STATE": str(slot.state),
        "POOL": slot.pool,
        "POD": slot.pod,
        "NIC": slot.nic,
        "NODE": slot.node,
        "UNTIL": slot.until,
    }


def pool_rows(found: dict[resources.Resource, list[dict[str, Any]]], ledger: Ledger) -> list[Any]:
    """Each pool with how many addresses it may give, holds and still has."""
    reserved = read_reserved(found[resources.SPIDERRESERVEDIP])
    nodes = node_addresses(found[resources.NODE])
    rows, now = [], time.time()
    for obj in found[resources.SPIDERIPPOOL]:
        pool = read_pool(obj)
        ground = grounds(pool, reserved[pool.family], nodes)
        counts = tally(ledger, pool.name, ground, now)
        rows.append(
            {
                "POOL": pool.name,
                "SUBNET": pool.subnet,
                "USABLE": counts.usable,
                "HELD": len(ledger.held(pool.name)),
                "COOLING": counts.cooling,
                "ASIDE": counts.set_aside,
                "FREE": counts.free,
                "DISABLED": pool.spec.disable,
            }
        )
    return rows
