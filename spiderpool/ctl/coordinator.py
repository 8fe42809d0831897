"""``spiderpoolctl coordinator``: the plan for one NIC of a pod on this node, without doing it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import yaml

from spiderpool.agent.configuration import DEFAULT_ROUTE_NIC, configuration
from spiderpool.agent.coordinator_kernel import Call, read_facts
from spiderpool.agent.coordinator_sources import internal_addresses
from spiderpool.coordinator.plan import Plan, plan
from spiderpool.ctl.evidence import listed
from spiderpool.errors import BadInput
from spiderpool.kube.resources import NODE, SPIDERCOORDINATOR
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.text import as_command
from spiderpool.types.address import Address
from spiderpool.types.names import ContainerID, IfName


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this command. Run it in the node's network namespace, as root."""
    parser.add_argument("--netns", required=True, help="the pod's, like /proc/PID/ns/net")
    parser.add_argument("--nic", required=True, help="the NIC that is attached, like net1")
    parser.add_argument("--container", default="0" * 64, help="id of the pod's sandbox")
    parser.add_argument("--node", help="name of this node; default: addresses of its own links")
    parser.add_argument("--entry", type=Path, help="JSON file: the coordinator's chain entry")
    parser.add_argument("--coordinator", type=Path, help="YAML file instead of asking the API")
    parser.add_argument("--default-route-nic", help="as the pod's annotation would say")
    parser.add_argument("--json", action="store_true", help="print the plan as a JSON object")


def main(options: argparse.Namespace) -> int:
    """Prints the plan as commands; an attached NIC that is as it should be has an empty one."""
    annotations = (
        {DEFAULT_ROUTE_NIC: options.default_route_nic} if options.default_route_nic else {}
    )
    coordinator, addresses = _cluster(options)
    config = configuration(_entry(options.entry), coordinator, annotations)
    with Namespace.current() as own, Namespace.open(options.netns) as pod:
        call = Call(
            IfName(options.nic),
            ContainerID(options.container),
            config,
            node_addresses=addresses,
            node_namespace=own.fd,
        )
        with Kernel(own) as node, Kernel(pod) as inside:
            made = plan(read_facts(call, inside, node))
    print(json.dumps(as_object(made), indent=2) if options.json else as_text(made))
    return 0


def _entry(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        entry = json.loads(path.read_text())
    except ValueError as error:
        raise BadInput(str(path), f"is no JSON: {error}") from None
    if not isinstance(entry, dict):
        raise BadInput(str(path), "is no JSON object", 'write it like {"mode": "overlay"}')
    return entry


def _cluster(options: argparse.Namespace) -> tuple[dict[str, Any] | None, tuple[Address, ...]]:
    """The SpiderCoordinator, and the node's addresses when its name is given."""
    if options.coordinator is not None:
        try:
            obj = yaml.safe_load(options.coordinator.read_text())
        except yaml.YAMLError as error:
            raise BadInput(str(options.coordinator), f"is no YAML: {error}") from None
        if not isinstance(obj, dict):
            raise BadInput(str(options.coordinator), "is no SpiderCoordinator")
        return obj, ()
    found = listed(options.kubeconfig, (SPIDERCOORDINATOR, NODE))
    named = (c for c in found[SPIDERCOORDINATOR] if c["metadata"]["name"] == "default")
    nodes = (node for node in found[NODE] if node["metadata"]["name"] == options.node)
    return next(named, None), internal_addresses(next(nodes, None))


def as_object(made: Plan) -> dict[str, Any]:
    """The plan with its operations as commands."""
    return {
        "pod": [as_command(operation) for operation in made.pod],
        "node": [as_command(operation) for operation in made.node],
        "mac": made.mac,
        "warnings": list(made.warnings),
    }


def as_text(made: Plan) -> str:
    """The plan for people, ready to be pasted into two shells."""
    parts = [f"# {warning}" for warning in made.warnings]
    for title, operations in (("in the pod", made.pod), ("on the node", made.node)):
        parts.append(f"# {title}" + ("" if operations else ": nothing to do"))
        parts += [as_command(operation) for operation in operations]
    return "\n".join(parts)
