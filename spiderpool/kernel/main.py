"""The kernel role as a process: serves one user on a unix socket, ends on SIGTERM."""

from __future__ import annotations

import argparse
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from spiderpool import logs, streams
from spiderpool.errors import SpiderpoolError
from spiderpool.kernel.server import Server
from spiderpool.netlink.namespace import leave_network

log = logging.getLogger(__name__)

END = {signal.SIGTERM, signal.SIGINT}
PATIENCE_SECONDS = 20.0
"""Longer than the agent takes to end; it is told at the same time, and still has calls to do."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="spiderpool-kernel", description=__doc__)
    made.add_argument("--socket", type=Path, default="/var/run/spiderpool-kernel/kernel.sock")
    made.add_argument(
        "--peer-uid",
        type=int,
        default=os.getuid(),
        help="the user that the agent runs as; nobody else is served (default: this one)",
    )
    logs.add_options(made)
    return made


def serve(path: Path, peer: int) -> None:
    """Until SIGTERM or SIGINT, in a network namespace of its own, which has no network.

    Raises:
        NamespaceGone: CAP_SYS_ADMIN is missing.
        BadInput: ``path`` cannot be listened on.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, END)
    leave_network()
    server = Server(path, peer)
    server.start()
    log.info("serving user %d on %s", peer, path)
    signal.sigwait(END)
    server.stop(PATIENCE_SECONDS)
    log.info("ended")


@streams.guarded("spiderpool-kernel")
def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; what goes wrong at the start is one line on stderr."""
    options = parser().parse_args(arguments)
    logs.to_stderr("kernel", options.log_format, options.log_level)
    try:
        serve(options.socket, options.peer_uid)
    except SpiderpoolError as error:
        streams.tell("spiderpool-kernel", str(error))
        return 1
    return 0
