"""``spiderpoolctl doctor``: what of a node stands in the way of pods' NICs, and how to mend it.

Run it on the node, as root; in a container, with the node's files below ``--root``. Exit
status: 0 nothing stands in the way, 1 something does, 2 it could not be looked at.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from spiderpool.ctl.evidence import with_api
from spiderpool.ctl.finding import Finding, as_lines, problem, status_of, warning
from spiderpool.ctl.node import agent, cluster, cni, kernel, managers, nics, sysctls
from spiderpool.ctl.node.cluster import ClusterView, read_cluster
from spiderpool.ctl.node.facts import NodeFacts
from spiderpool.ctl.node.files import Root
from spiderpool.ctl.node.reading import links, read_node
from spiderpool.errors import BadInput, KubeError

CHECKS: tuple[Callable[[NodeFacts], Iterable[Finding]], ...] = (
    kernel.check,
    sysctls.check,
    managers.check,
    nics.check,
    cni.check,
    agent.check,
)
BY_KUBECONFIG = "name a kubeconfig that may read it by --kubeconfig"
USUAL_PODS = 110
"""kubelet's own limit, unless it is set."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this command."""
    parser.add_argument(
        "--root", type=Path, default=Path("/"), help="where the node's / is (default: /)"
    )
    parser.add_argument("--node", default=os.uname().nodename, help="name of the Node that it is")
    parser.add_argument(
        "--nic",
        action="append",
        default=[],
        help="a NIC that pods' NICs are made on; default: masters of the cluster's networks, "
        "else those of default routes",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def main(options: argparse.Namespace) -> int:
    """Prints what was looked at; status 1 when there is a problem."""
    findings = examine(options.root, options.node, tuple(options.nic), options.kubeconfig)
    if options.json:
        listed = [asdict(finding) for finding in findings]
        print(json.dumps({"healthy": status_of(findings) == 0, "findings": listed}))
    else:
        print("\n".join(as_lines(findings)))
    return status_of(findings)


def examine(
    root: Path, node: str, parents: tuple[str, ...], kubeconfig: str | None
) -> list[Finding]:
    """All findings; of the cluster only when a way to it is named."""
    place = Root(root)
    named = kubeconfig or os.environ.get("KUBECONFIG") or os.environ.get("KUBERNETES_SERVICE_HOST")
    view: ClusterView | None = None
    unclear: list[Finding] = []
    if named:
        try:
            view = with_api(kubeconfig, lambda client: read_cluster(client, node))
        except BadInput as error:
            unclear = [problem(error.where, error.problem, error.remedy)]
        except KubeError as error:
            unclear = [warning("the cluster", f"cannot be asked: {error}", BY_KUBECONFIG)]
    facts = read_node(place, parents or _masters_here(view, place), _pods(view))
    about = unclear or _of_cluster(view, facts)
    return [*(f for check in CHECKS for f in check(facts)), *about]


def _masters_here(view: ClusterView | None, place: Root) -> tuple[str, ...]:
    here = links(place)
    named = (nic for nics in (view.masters.values() if view else ()) for nic in nics)
    return tuple(dict.fromkeys(nic for nic in named if nic in here))


def _pods(view: ClusterView | None) -> int:
    return (view.pods if view else 0) or USUAL_PODS


def _of_cluster(view: ClusterView | None, facts: NodeFacts) -> Iterator[Finding]:
    if view is not None:
        yield from cluster.check(view, facts)
        return
    text = "is not looked at: CIDRs, overlaps and masters of networks are not judged"
    yield warning("the cluster", text, BY_KUBECONFIG)
