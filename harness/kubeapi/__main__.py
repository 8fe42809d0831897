"""``python -m harness.kubeapi``: a Kubernetes API on a port, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import ssl
import sys
from collections.abc import Sequence

from harness.kubeapi.bootstrap import populate
from harness.kubeapi.cluster import Cluster
from harness.kubeapi.kubeconfig import kubeconfig_text, write_private
from harness.kubeapi.options import Options, parse_options
from harness.kubeapi.server import Server
from spiderpool import streams
from spiderpool.errors import BadInput


async def _serve(options: Options) -> None:
    cluster = Cluster(options.ranges, history=options.history)
    await populate(cluster)
    server = Server(cluster, options.token)
    url = await server.start(options.host, options.port, _tls(options))
    if options.kubeconfig:
        text = kubeconfig_text(url, options.token, options.certificate)
        write_private(options.kubeconfig, text)
    if options.ready is not None:
        os.write(options.ready, f"{url}\n".encode())
        os.close(options.ready)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.stop()


def _tls(options: Options) -> ssl.SSLContext | None:
    if not options.certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.certificate, options.key)
    except (OSError, BadInput) as error:
        where = f"--tls-cert {options.certificate} --tls-key {options.key}"
        raise BadInput(where, str(error), "give PEM files that belong together") from None
    return context


@streams.guarded("kubeapi")
def main(argv: Sequence[str] | None = None) -> int:
    """0 when told to stop; 1 when a port, a file or a certificate cannot be used."""
    options = parse_options(sys.argv[1:] if argv is None else argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_serve(options))
    except (OSError, BadInput) as error:
        streams.tell("kubeapi", str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
