"""``spiderpoolctl sysdump``: everything that is needed to judge a fault from afar, in one file.

No Secret is read, and what looks like a token, a password or a private key is hidden. Exit
status: 0 all is in it, 1 something is not; stderr and the archive's index say what.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from spiderpool.ctl import doctor, status
from spiderpool.ctl.dump.archive import Archive
from spiderpool.ctl.dump.collect import collect
from spiderpool.ctl.dump.redaction import scrubbed
from spiderpool.ctl.evidence import with_api
from spiderpool.ctl.installation.facts import look
from spiderpool.ctl.node.cni import BIN
from spiderpool.ctl.node.files import Root
from spiderpool.ctl.node.reading import STATE
from spiderpool.errors import BadInput, KubeError, SpiderpoolError
from spiderpool.kube.api import Client

MEBIBYTE = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this command."""
    parser.add_argument("--output", required=True, type=Path, metavar="FILE.tar.gz")
    parser.add_argument(
        "--seconds", type=float, default=120.0, help="for the cluster (default: %(default)s)"
    )
    parser.add_argument(
        "--mebibytes", type=int, default=128, help="before compression (default: %(default)s)"
    )
    parser.add_argument(
        "--root", type=Path, default=Path("/"), help="where the node's / is, when run on a node"
    )
    parser.add_argument("--node", default=os.uname().nodename, help="name of the Node that it is")


def main(options: argparse.Namespace) -> int:
    """Writes the archive; status 1 when it is not complete."""
    if not options.output.parent.is_dir():
        raise BadInput(f"--output {options.output}", "its folder does not exist")
    archive = Archive(options.mebibytes * MEBIBYTE)
    with_api(options.kubeconfig, lambda client: _of_cluster(client, archive, options.seconds))
    _of_node(options, archive)
    made = datetime.now(UTC).isoformat(timespec="seconds")
    size = archive.write(options.output, created=made, spiderpoolctl=version("spiderpool"))
    for what, why in sorted(archive.failures):
        print(f"spiderpoolctl: {what} is not in it: {why}", file=sys.stderr)
    print(f"{options.output}: {len(archive.files)} files, {size / 1024:.0f} KiB")
    return 1 if archive.failures else 0


async def _of_cluster(client: Client, archive: Archive, seconds: float) -> None:
    await collect(client, archive, seconds)
    try:
        async with asyncio.timeout(seconds):
            facts = await look(client)
    except (KubeError, TimeoutError) as error:
        archive.fail("status", str(error) or f"not known within {seconds:.0f} s")
        return
    answer = json.dumps(status.as_object(facts, *status.judged(facts)), indent=1)
    archive.add("status.json", "spiderpoolctl status --json", scrubbed(answer).encode())


def _of_node(options: argparse.Namespace, archive: Archive) -> None:
    """Where there is no node, there is nothing to examine."""
    root = Root(options.root)
    if not (root.exists(STATE) or root.exists(f"{BIN}/spiderpool")):
        return
    try:
        findings = doctor.examine(options.root, options.node, (), options.kubeconfig)
    except (SpiderpoolError, OSError) as error:
        archive.fail("doctor", str(error))
        return
    answer = json.dumps([asdict(finding) for finding in findings], indent=1)
    archive.add("node/doctor.json", "spiderpoolctl doctor --json", scrubbed(answer).encode())
