"""``spiderpool-controller``: options, signals, exit status."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from spiderpool.controller.manager import Manager, Settings
from spiderpool.errors import SpiderpoolError

log = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parse = argparse.ArgumentParser(
        prog="spiderpool-controller",
        description="Keeps Spiderpool's objects in step with the cluster.",
    )
    parse.add_argument("--kubeconfig", help="default: the pod's service account")
    parse.add_argument(
        "--namespace",
        default=os.environ.get("POD_NAMESPACE", "kube-system"),
        help="where the Lease of the leader lies (default: %(default)s)",
    )
    parse.add_argument(
        "--identity",
        default=f"{os.uname().nodename}_{os.getpid()}",
        help="name of this candidate in the Lease (default: %(default)s)",
    )
    parse.add_argument(
        "--cni-conf-dir",
        type=Path,
        help="the node's CNI configurations, for podCIDRType auto; without it, traces of "
        "Calico and Cilium in the API decide",
    )
    parse.add_argument("--verbose", action="store_true", help="log more")
    return parse


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. 0: asked to stop; 1: failed or lost the lead; 2: bad input."""
    options = parser().parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    settings = Settings(
        kubeconfig=options.kubeconfig,
        namespace=options.namespace,
        identity=options.identity,
        cni_conf_dir=options.cni_conf_dir,
    )
    try:
        return asyncio.run(_until_signal(Manager(settings)))
    except SpiderpoolError as exc:
        print(f"spiderpool-controller: {exc}", file=sys.stderr)
        return 2


async def _until_signal(manager: Manager) -> int:
    """Run the manager; a signal cancels it, and it gives the lease back."""
    work = asyncio.ensure_future(manager.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        log.info("stopped")
        return 0
    log.error("no longer the leader: stopping, so that nothing is done twice")
    return 1
