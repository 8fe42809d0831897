"""The command line of the embedded API server."""

from __future__ import annotations

import argparse
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.kubeapi.builtin.services import ServiceRanges
from harness.kubeapi.store import KEPT_CHANGES


@dataclass(frozen=True, slots=True)
class Options:
    """``certificate`` and ``key`` are given together or not at all."""

    host: str
    port: int
    ranges: ServiceRanges
    history: int
    token: str
    kubeconfig: Path | None
    ready: int | None
    certificate: Path | None
    key: Path | None


def parse_options(argv: Sequence[str]) -> Options:
    """Exits with status 2 and one line that says what is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.kubeapi",
        description="A Kubernetes API on a port, until it is told to stop.",
    )
    add = parser.add_argument
    add("--listen", type=_endpoint, default="127.0.0.1:0", metavar="HOST:PORT")
    add("--kubeconfig-out", type=Path, metavar="PATH", help="written when ready")
    add("--ready-fd", type=int, metavar="N", help="gets the URL when ready")
    add("--service-cidr", type=_networks, default="10.233.0.0/18", metavar="CIDR[,CIDR]")
    add("--service-node-port-range", type=_ports, default="30000-32767", metavar="LOW-HIGH")
    add("--history", type=_positive, default=KEPT_CHANGES, metavar="N",
        help="changes of each kind that watches may go back (default: %(default)s)")  # fmt: skip
    add("--token", default="", help="the bearer token that clients must send")
    add("--tls-cert", type=Path, metavar="PEM", help="serve HTTPS with this certificate")
    add("--tls-key", type=Path, metavar="PEM")
    given = parser.parse_args(argv)
    if bool(given.tls_cert) is not bool(given.tls_key):
        parser.error("--tls-cert and --tls-key go together")
    host, port = given.listen
    return Options(
        host,
        port,
        ServiceRanges(given.service_cidr, given.service_node_port_range),
        given.history,
        given.token,
        given.kubeconfig_out,
        given.ready_fd,
        given.tls_cert,
        given.tls_key,
    )


def _endpoint(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, like 127.0.0.1:0")
    return host.strip("[]"), int(port)


def _networks(text: str) -> tuple[str, ...]:
    try:
        networks = [ipaddress.ip_network(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}, write it like 10.233.0.0/18") from None
    if len({network.version for network in networks}) != len(networks):
        raise argparse.ArgumentTypeError(f"{text!r} has two CIDRs of one family")
    return tuple(map(str, networks))


def _ports(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    if not (low.isdigit() and high.isdigit() and 0 < int(low) <= int(high) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no range of ports, like 30000-32767")
    return int(low), int(high)


def _positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number")
    return int(text)
