"""``python -m harness.nodes.control``: controllers and scheduler of one cluster."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys

from harness.nodes.control.plane import run_control_plane
from spiderpool.errors import SpiderpoolError
from spiderpool.kube.client import connect


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m harness.nodes.control", description=__doc__)
    parser.add_argument("--kubeconfig", required=True, metavar="PATH")
    parser.add_argument("--ready-fd", type=int, metavar="N", help="gets a line when ready")
    return parser.parse_args(argv)


async def _run(options: argparse.Namespace) -> None:
    client = connect(options.kubeconfig)

    def ready() -> None:
        if options.ready_fd is not None:
            os.write(options.ready_fd, b"ready\n")
            os.close(options.ready_fd)

    work = asyncio.ensure_future(run_control_plane(client, ready))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        return
    finally:
        await client.close()


def main(argv: list[str] | None = None) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_run(_arguments(sys.argv[1:] if argv is None else argv)))
    except SpiderpoolError as exc:
        print(f"control plane: {exc}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
