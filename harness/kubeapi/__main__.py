"""``python -m harness.kubeapi``: a Kubernetes API on a port, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import ssl
import sys
from pathlib import Path

from harness.kubeapi.bootstrap import populate
from harness.kubeapi.builtin.services import ServiceRanges
from harness.kubeapi.cluster import Cluster
from harness.kubeapi.kubeconfig import kubeconfig_text, write_private
from harness.kubeapi.server import Server
from harness.kubeapi.store import KEPT_CHANGES


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m harness.kubeapi", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--kubeconfig-out", type=Path, metavar="PATH", help="written when ready")
    parser.add_argument("--ready-fd", type=int, metavar="N", help="gets the URL when ready")
    parser.add_argument("--service-cidr", default="10.233.0.0/18", metavar="CIDR[,CIDR]")
    parser.add_argument("--service-node-port-range", default="30000-32767", metavar="LOW-HIGH")
    parser.add_argument(
        "--history", type=int, default=KEPT_CHANGES, metavar="N",
        help="changes of each kind that watches may go back (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--token", default="", help="the bearer token that clients must send")
    parser.add_argument("--tls-cert", type=Path, metavar="PEM", help="serve HTTPS")
    parser.add_argument("--tls-key", type=Path, metavar="PEM")
    return parser.parse_args(argv)


async def _serve(options: argparse.Namespace) -> None:
    low, _, high = options.service_node_port_range.partition("-")
    ranges = ServiceRanges(tuple(options.service_cidr.split(",")), (int(low), int(high)))
    cluster = Cluster(ranges, history=options.history)
    await populate(cluster)
    server = Server(cluster, options.token)
    host, _, port = options.listen.rpartition(":")
    url = await server.start(host.strip("[]"), int(port), _tls(options))
    if options.kubeconfig_out:
        text = kubeconfig_text(url, options.token, options.tls_cert)
        write_private(options.kubeconfig_out, text)
    if options.ready_fd is not None:
        os.write(options.ready_fd, f"{url}\n".encode())
        os.close(options.ready_fd)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.stop()


def _tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    if not options.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.tls_cert, options.tls_key)
    return context


def main(argv: list[str] | None = None) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    asyncio.run(_serve(_arguments(sys.argv[1:] if argv is None else argv)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
