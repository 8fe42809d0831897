"""``spiderpoolctl ip``: pools with what is free in them, and who holds an address."""

from __future__ import annotations

import argparse
import json
from typing import Any

from spiderpool.ctl.evidence import listed
from spiderpool.errors import BadInput
from spiderpool.ipam.facts import node_addresses
from spiderpool.ipam.ledger import Entry, Ledger
from spiderpool.ipam.pools import grounds, read_pool, read_reserved
from spiderpool.kube import resources
from spiderpool.types.address import parse_address

KINDS = (
    resources.SPIDERIPBLOCK,
    resources.SPIDERIPPOOL,
    resources.SPIDERRESERVEDIP,
    resources.NODE,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this command."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="show|find")
    show = verbs.add_parser("show", help="pools, or the addresses of one")
    show.add_argument("pool", nargs="?", help="only this pool, address by address")
    find = verbs.add_parser("find", help="who holds an address, or what a pod holds")
    find.add_argument("what", help="an IP address, or namespace/name of a pod")
    for verb in (show, find):
        verb.add_argument("--json", action="store_true", help="print a JSON list")


def main(options: argparse.Namespace) -> int:
    """Prints a table; status 1 when nothing is found."""
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


def wanted(ledger: Ledger, what: str) -> list[Entry]:
    """What an address or a pod's name leads to.

    Raises:
        BadInput: it is neither.
    """
    if "/" in what:
        return ledger.named(what)
    try:
        address = parse_address(what, "spiderpoolctl ip find")
    except BadInput:
        remedy = "give an IP address or namespace/name"
        raise BadInput(
            "spiderpoolctl ip find", f"{what!r} is no address and no pod", remedy
        ) from None
    slot = ledger.slot(address)
    return [Entry(address, slot)] if slot is not None and slot.state is not None else []


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
    rows = []
    for obj in found[resources.SPIDERIPPOOL]:
        pool = read_pool(obj)
        ground = grounds(pool, reserved[pool.family], nodes)
        taken = ledger.in_pool(pool.name)
        rows.append(
            {
                "POOL": pool.name,
                "SUBNET": pool.subnet,
                "USABLE": ground.size,
                "HELD": len(ledger.held(pool.name)),
                "FREE": ground.size - len(taken),
                "DISABLED": pool.spec.disable,
            }
        )
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as aligned columns; nothing found says so."""
    if not rows:
        return "nothing found"
    cells = [list(rows[0])]
    cells += [["" if value is None else str(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)
