"""The agent's command line."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spiderpool import logs
from spiderpool.errors import BadInput
from spiderpool.metrics.http import Listen, add_options, parse_listen
from spiderpool.types.address import Family
from spiderpool.types.names import NodeName

_NAME = r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
"""Of an object (RFC 1123, section 2.1: a subdomain)."""


@dataclass(frozen=True, slots=True)
class Options:
    """What it says; ``namespace`` and ``cluster_network`` are for ``multusName`` of pools."""

    socket: Path
    node: NodeName
    kubeconfig: str | None
    state_dir: Path
    netns: str | None
    kernel_socket: Path | None = None
    families: frozenset[Family] = frozenset(Family)
    cluster_network: str = ""
    namespace: str = "kube-system"
    health: Listen | None = None
    metrics: Listen | None = None
    log_format: logs.LogFormat | None = None
    log_level: str = "info"

    @property
    def intents(self) -> Path:
        return self.state_dir / "intents"

    @property
    def footprints(self) -> Path:
        return self.state_dir / "footprints"

    @property
    def devices(self) -> Path:
        return self.state_dir / "devices"


def parse(arguments: Sequence[str] | None = None) -> Options:
    """The options; exits with usage when one is unknown or missing.

    Raises:
        BadInput: one cannot be used.
    """
    parser = argparse.ArgumentParser(prog="spiderpool-agent", description=__doc__)
    parser.add_argument("--socket", type=Path, default="/var/run/spidernet/spiderpool.sock")
    parser.add_argument("--node", required=True, help="name of the Node that this one is")
    parser.add_argument("--kubeconfig", help="default: $KUBECONFIG, or the pod's service account")
    parser.add_argument("--state-dir", type=Path, default="/var/lib/spidernet")
    parser.add_argument(
        "--netns", help="path of the node's network namespace; default: this process' own"
    )
    parser.add_argument(
        "--kernel-socket",
        type=Path,
        metavar="PATH",
        help="of python -m spiderpool.kernel, which then does what needs capabilities"
        " (default: this process does)",
    )
    _add_cluster_options(parser)
    add_options(parser)
    logs.add_options(parser)
    given = parser.parse_args(arguments)
    return Options(
        socket=given.socket,
        node=NodeName(_named("--node", given.node, "name of this Node, like worker1")),
        kubeconfig=given.kubeconfig,
        state_dir=given.state_dir,
        netns=given.netns,
        kernel_socket=given.kernel_socket,
        families=_families(given),
        cluster_network=_network(given.cluster_network),
        namespace=_named("--namespace", given.namespace, "name of a Namespace, like kube-system"),
        health=parse_listen(given.health_listen, "--health-listen"),
        metrics=parse_listen(given.metrics_listen, "--metrics-listen"),
        log_format=given.log_format,
        log_level=given.log_level,
    )


def _add_cluster_options(parser: argparse.ArgumentParser) -> None:
    for number in (4, 6):
        parser.add_argument(
            f"--disable-ipv{number}",
            action="store_true",
            help=f"give no IPv{number} addresses (enableIPv{number}: false)",
        )
    parser.add_argument(
        "--cluster-network",
        metavar="NAMESPACE/NAME",
        default=os.environ.get("MULTUS_CLUSTER_NETWORK", ""),
        help="the network that Multus gives eth0 of pods that name none; for multusName of pools",
    )
    parser.add_argument(
        "--namespace",
        default=os.environ.get("POD_NAMESPACE", "kube-system"),
        help="of networks that a pool's multusName gives without one (default: %(default)s)",
    )


def _named(option: str, text: str, meaning: str) -> str:
    if not re.fullmatch(_NAME, text):
        problem = f"{text!r} is no name that an object can have"
        raise BadInput(option, problem, f"give the {meaning}")
    return text


def _network(text: str) -> str:
    if text and not re.fullmatch(rf"({_NAME}/)?{_NAME}", text):
        remedy = "write it like kube-system/calico"
        raise BadInput("--cluster-network", f"{text!r} is not NAMESPACE/NAME", remedy)
    return text


def _families(given: argparse.Namespace) -> frozenset[Family]:
    disabled = {Family.V4: given.disable_ipv4, Family.V6: given.disable_ipv6}
    enabled = frozenset(family for family, is_off in disabled.items() if not is_off)
    if not enabled:
        raise BadInput("--disable-ipv4, --disable-ipv6", "no address is left to give", "drop one")
    return enabled
