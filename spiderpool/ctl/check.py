"""``spiderpoolctl check``: every rule of IPAM, held against the cluster as it is."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict

from spiderpool.ctl.evidence import every, with_api
from spiderpool.ipam.invariants import Evidence, Problem, problems
from spiderpool.kube import resources
from spiderpool.kube.api import Client

BETWEEN_LOOKS = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this command."""
    parser.add_argument("--json", action="store_true", help="print problems as a JSON list")


def main(options: argparse.Namespace) -> int:
    """Prints what is wrong; status 1 when something is."""
    wrong = with_api(options.kubeconfig, lasting_problems)
    if options.json:
        print(json.dumps([asdict(problem) for problem in wrong]))
    else:
        for problem in wrong:
            print(problem)
        print(f"{len(wrong)} problems")
    return 1 if wrong else 0


async def lasting_problems(client: Client) -> list[Problem]:
    """What two looks find: between two writes of one ADD, and two lists of one look, things
    differ that are not wrong.

    Raises:
        KubeError: the API did not answer, or refused.
    """
    first = await broken_rules(client)
    if not first:
        return []
    await asyncio.sleep(BETWEEN_LOOKS)
    second = set(await broken_rules(client))
    return [problem for problem in first if problem in second]


async def broken_rules(client: Client) -> list[Problem]:
    """What is wrong with the addresses of the cluster now.

    Raises:
        KubeError: the API did not answer, or refused.
    """
    kinds = (
        resources.SPIDERIPBLOCK,
        resources.SPIDERIPPOOL,
        resources.SPIDERRESERVEDIP,
        resources.NODE,
        resources.SPIDERENDPOINT,
        resources.POD,
    )
    found = await every(client, kinds)
    blocks, pools, reserved, nodes, endpoints, pods = (found[kind] for kind in kinds)
    return problems(
        Evidence(
            blocks=blocks,
            pools=pools,
            reserved=reserved,
            nodes=nodes,
            endpoints=endpoints,
            pods=pods,
        )
    )
