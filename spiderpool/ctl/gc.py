"""``spiderpoolctl gc``: addresses that nobody uses any more, shown or released at once."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

from spiderpool.ctl.evidence import with_api
from spiderpool.ctl.giving_back import drop_endpoints, look, write
from spiderpool.ctl.table import table
from spiderpool.ipam.reclaim import WAIT, Suspect, releases
from spiderpool.kube.api import Client

BETWEEN_LOOKS = 2.0
MOST_AT_ONCE = 80
"""As the controller's collector: more at once is more likely a fault than a leak."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--dry-run", action="store_true", help="only show what would be released")
    what.add_argument(
        "--now",
        action="store_true",
        help="release what two looks, two seconds apart, find without an owner",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def main(options: argparse.Namespace) -> int:
    """Prints the addresses, also when there are none."""
    work = collect if options.now else under_suspicion
    found = with_api(options.kubeconfig, work)
    rows = [row_of(suspect, waits=options.dry_run) for suspect in found]
    print(json.dumps(rows) if options.json else table(rows) if rows else "nothing to release")
    return 0


async def under_suspicion(client: Client) -> list[Suspect]:
    """What the controller's collector would find now."""
    return (await look(client)).suspects()


async def collect(client: Client) -> list[Suspect]:
    """Release what both looks find, the very same records, and at most so many at once."""
    first = {each.entry for each in (await look(client)).suspects()}
    if not first:
        return []
    await asyncio.sleep(BETWEEN_LOOKS)
    second = await look(client)
    ripe = [each for each in second.suspects() if each.entry in first][:MOST_AT_ONCE]
    await write(client, second.ledger, releases(second.ledger, ripe, second.around.now))
    await drop_endpoints(client, second.alive())
    return ripe


def row_of(suspect: Suspect, *, waits: bool) -> dict[str, Any]:
    """One address as a row; ``waits``: with the time that the collector lets pass."""
    slot = suspect.entry.slot
    row = {
        "ADDRESS": suspect.entry.address,
        "POOL": slot.pool,
        "POD": slot.pod,
        "NIC": slot.nic,
        "NODE": slot.node,
        "REASON": str(suspect.reason),
    }
    return row | ({"AFTER": f"{WAIT[suspect.reason]:.0f}s"} if waits else {})
