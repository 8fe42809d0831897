"""``spiderpoolctl check``: every rule of IPAM, held against the cluster as it is."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from spiderpool.ctl.evidence import listed
from spiderpool.ipam.invariants import Evidence, problems
from spiderpool.kube import resources


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this command."""
    parser.add_argument("--json", action="store_true", help="print problems as a JSON list")


def main(options: argparse.Namespace) -> int:
    """Prints what is wrong; status 1 when something is."""
    kinds = (
        resources.SPIDERIPBLOCK,
        resources.SPIDERIPPOOL,
        resources.SPIDERRESERVEDIP,
        resources.NODE,
        resources.SPIDERENDPOINT,
        resources.POD,
    )
    found = listed(options.kubeconfig, kinds)
    blocks, pools, reserved, nodes, endpoints, pods = (found[kind] for kind in kinds)
    wrong = problems(
        Evidence(
            blocks=blocks,
            pools=pools,
            reserved=reserved,
            nodes=nodes,
            endpoints=endpoints,
            pods=pods,
        )
    )
    if options.json:
        print(json.dumps([asdict(problem) for problem in wrong]))
    else:
        for problem in wrong:
            print(problem)
        print(f"{len(wrong)} problems in {len(blocks)} blocks and {len(pools)} pools")
    return 1 if wrong else 0
