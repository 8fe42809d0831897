"""``spiderpoolctl explain pod``: why a pod's NICs have which addresses, or get none."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from spiderpool.ctl.evidence import with_api
from spiderpool.ctl.explanation import NicReport, report
from spiderpool.ipam.facts import Pod
from spiderpool.types.names import IfName


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this command."""
    parser.add_argument("kind", choices=["pod"], help="what is explained")
    parser.add_argument("pod", metavar="NAMESPACE/NAME")
    parser.add_argument("--nic", help="only this one, like net1; default: all that the pod names")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="as if the pod held nothing: what a new one in its place would get",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list, one item a NIC")


def main(options: argparse.Namespace) -> int:
    """Prints what each pool says; status 1 when a NIC has, or would get, no address."""
    nic = IfName(options.nic) if options.nic else None
    pod, reports = with_api(
        options.kubeconfig,
        lambda client: report(client, options.pod, nic, anew=options.dry_run),
    )
    if options.json:
        print(json.dumps([as_object(each) for each in reports]))
    else:
        print("\n".join(as_text(pod, reports)))
    return 1 if any(_fails(each) for each in reports) else 0


def as_text(pod: Pod, reports: list[NicReport]) -> Iterator[str]:
    """Lines for people."""
    owner = (
        "" if pod.controller.kind == "Pod" else f", of {pod.controller.kind} {pod.controller.name}"
    )
    node = f"on node {pod.node}" if pod.node else "not scheduled yet"
    yield f"Pod {pod.key}{owner}, {node}"
    for each in reports:
        source = f" from {each.network}" if each.network else ""
        for remark in filter(None, (each.problem, each.note)):
            yield f"{each.nic}{source}: {remark}"
        for explained in each.explanations:
            choice = explained.choice
            yield f"{each.nic}{source}, IPv{choice.family.number}: chosen by {choice.where}"
            width = max(len(opinion.pool) for opinion in explained.opinions)
            for opinion in explained.opinions:
                yield f"  {opinion.pool.ljust(width)}  {opinion.text}"
            given = explained.outcome
            yield f"  => {given.address} of {given.pool}" if given else "  => no address"


def as_object(report_of_nic: NicReport) -> dict[str, Any]:
    """One NIC for programs."""
    families = []
    for explained in report_of_nic.explanations:
        given = explained.outcome
        families.append(
            {
                "family": explained.choice.family.number,
                "chosenBy": explained.choice.where,
                "pools": [{"pool": o.pool, "says": o.text} for o in explained.opinions],
                "address": given.address if given else None,
                "pool": given.pool if given else None,
            }
        )
    return {
        "nic": report_of_nic.nic,
        "network": report_of_nic.network,
        "families": families,
        "problem": report_of_nic.problem,
        "note": report_of_nic.note,
    }


def _fails(each: NicReport) -> bool:
    return bool(each.problem) or any(e.outcome is None for e in each.explanations)
