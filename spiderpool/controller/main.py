"""``spiderpool-controller``: options, signals, exit status."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from spiderpool import logs, memory, streams
from spiderpool.controller.manager import Manager
from spiderpool.controller.settings import Service, Settings, WebhookSettings
from spiderpool.errors import BadInput, SpiderpoolError
from spiderpool.metrics.http import add_options, parse_listen

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
    parse.add_argument(
        "--disable-ipv4", action="store_true", help="refuse IPv4 pools (enableIPv4: false)"
    )
    parse.add_argument(
        "--disable-ipv6", action="store_true", help="refuse IPv6 pools (enableIPv6: false)"
    )
    parse.add_argument(
        "--guard-deletion", action="store_true", help="refuse to delete pools that are in use"
    )
    _add_webhook_options(parse)
    add_options(parse)
    logs.add_options(parse)
    return parse


def _add_webhook_options(parse: argparse.ArgumentParser) -> None:
    group = parse.add_argument_group("webhook")
    group.add_argument(
        "--webhook-listen", metavar="HOST:PORT", help="check what is written; default: do not"
    )
    group.add_argument(
        "--inject-networks",
        action="store_true",
        help="give pods the networks that annotations select (podResourceInject)",
    )
    group.add_argument(
        "--webhook-service",
        metavar="NAMESPACE/NAME[:PORT]",
        help="the Service that leads here; default: the API server uses the listening address",
    )
    group.add_argument(
        "--webhook-certificates",
        type=Path,
        metavar="DIRECTORY",
        help="tls.crt, tls.key and ca.crt; default: make them, and renew them in time",
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """Raises BadInput for an option that cannot be used."""
    families = {4: not options.disable_ipv4, 6: not options.disable_ipv6}
    return Settings(
        kubeconfig=options.kubeconfig,
        namespace=options.namespace,
        identity=options.identity,
        cni_conf_dir=options.cni_conf_dir,
        families=frozenset(family for family, enabled in families.items() if enabled),
        guard_deletion=options.guard_deletion,
        inject_networks=options.inject_networks,
        webhook=_webhook_of(options),
        health=parse_listen(options.health_listen, "--health-listen"),
        metrics=parse_listen(options.metrics_listen, "--metrics-listen"),
    )


def _webhook_of(options: argparse.Namespace) -> WebhookSettings | None:
    listen = parse_listen(options.webhook_listen, "--webhook-listen")
    if listen is None:
        return None
    return WebhookSettings(
        host=listen.host,
        port=listen.port,
        service=_service_of(options.webhook_service),
        certificates=options.webhook_certificates,
    )


def _service_of(text: str | None) -> Service | None:
    if text is None:
        return None
    namespace, slash, rest = text.partition("/")
    name, _, port = rest.partition(":")
    if not (namespace and slash and name) or (port and not port.isdigit()):
        remedy = "write it like kube-system/spiderpool-controller:5722"
        raise BadInput("--webhook-service", f"{text!r} is not NAMESPACE/NAME[:PORT]", remedy)
    return Service(namespace, name, int(port or 443))


@streams.guarded("spiderpool-controller")
def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. 0: asked to stop; 1: failed or lost the lead; 2: bad input."""
    options = parser().parse_args(argv)
    logs.to_stderr("controller", options.log_format, options.log_level)
    memory.expect_much()
    try:
        return asyncio.run(_until_signal(Manager(settings_of(options))))
    except SpiderpoolError as exc:
        streams.tell("spiderpool-controller", str(exc))
        return 2


async def _until_signal(manager: Manager) -> int:
    """Run the manager; a signal cancels it, and it gives the lease back."""
    work = asyncio.ensure_future(manager.run())
    loop = asyncio.get_running_loop()
    asked: list[int] = []

    def stop(number: int) -> None:
        """Once: a second signal must not cut the tidying short."""
        if not asked:
            asked.append(number)
            work.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    try:
        await work
    except asyncio.CancelledError:
        log.info("stopped")
        return 0
    log.error("no longer the leader: stopping, so that nothing is done twice")
    return 1
