"""A coordinator of another make, for comparisons: our plan, rewritten, in an executable that asks
upstream's agent for its configuration."""

from __future__ import annotations

import json
import os
import pickle
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spiderpool.agent.configuration import configuration
from spiderpool.agent.coordinator_kernel import Call, read_facts
from spiderpool.coordinator.config import Config
from spiderpool.coordinator.footprint import footprint
from spiderpool.coordinator.plan import Plan, plan
from spiderpool.coordinator.removal import Departure, removal
from spiderpool.netlink.apply import apply, apply_all
from spiderpool.netlink.dump import dump
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.selection import Selection
from spiderpool.types.names import ContainerID, IfName

Rewrite = Callable[[Plan], Plan]
AGENT = "/run/spidernet/spiderpool.sock"
NOTHING = """
import json
print(json.dumps(json.load(sys.stdin).get("prevResult", {})))
"""
THE_SAME = """
from coordinator_standin import serve
serve()
"""
RULE_OF_NET1_TO_TABLE_OF_ETH0 = """
from dataclasses import replace
from coordinator_standin import serve
from spiderpool.netlink.operations import AddRule

def rewrite(made):
    return replace(made, pod=tuple(map(wrong, made.pod)))

def wrong(operation):
    if isinstance(operation, AddRule) and operation.rule.table == 100:
        return AddRule(replace(operation.rule, table=99))
    return operation

serve(rewrite)
"""
_CIDRS = ("overlayPodCIDR", "serviceCIDR")


def executable(folder: Path, text: str) -> Path:
    """A plugin whose Python text can import what lies beside this file."""
    path = folder / "coordinator"
    support = str(Path(__file__).parent)
    path.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {support!r})\n{text}")
    path.chmod(0o755)
    return path


def told() -> dict[str, Any]:
    """What upstream's agent answers about this pod."""
    words = dict(word.split("=", 1) for word in os.environ["CNI_ARGS"].split(";"))
    pod = {"podName": words["K8S_POD_NAME"], "podNamespace": words["K8S_POD_NAMESPACE"]}
    body = json.dumps(pod)
    head = f"GET /v1/coordinator/config HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as agent:
        agent.connect(AGENT)
        agent.sendall(f"{head}{body}".encode())
        answer: dict[str, Any] = json.loads(agent.makefile().read().partition("\n\n")[2])
        return answer


def serve(rewrite: Rewrite = lambda made: made) -> None:
    """Carry out one CNI call; ``rewrite`` makes the mistakes."""
    given, answer = json.load(sys.stdin), told()
    spec = {key: value for key, value in answer.items() if key not in _CIDRS and value is not None}
    status = {"phase": "Synced", **{key: answer.get(key) or [] for key in _CIDRS}}
    spec["podCIDRType"] = "cluster"
    coordinator = {"metadata": {"name": "default"}, "spec": spec, "status": status}
    config = configuration(given, coordinator, {})
    with Namespace.open(os.environ["CNI_NETNS"]) as pod, Namespace.current() as node:
        if os.environ["CNI_COMMAND"] == "ADD":
            _add(config, pod, node, rewrite)
        else:
            _delete(config, pod, node)
    print(json.dumps(given.get("prevResult") or {}))


def _add(config: Config, pod: Namespace, node: Namespace, rewrite: Rewrite) -> None:
    call = Call(_nic(), _container(), config, node_namespace=node.fd)
    with Kernel(pod) as inside, Kernel(node) as outside:
        facts = read_facts(call, inside, outside)
        made = rewrite(plan(facts))
        apply(inside, made.pod)
        apply(outside, made.node)
    _notes().write_bytes(pickle.dumps(footprint(facts, made, "")))


def _delete(config: Config, pod: Namespace, node: Namespace) -> None:
    gone = removal(
        Departure(
            node=dump(node),
            nic=_nic(),
            container=_container(),
            config=config,
            pod=dump(pod, Selection(reply_marks=True)),
            footprint=pickle.loads(_notes().read_bytes()) if _notes().exists() else None,
        )
    )
    apply_all(pod, gone.pod)
    apply_all(node, gone.node)


def _nic() -> IfName:
    return IfName(os.environ["CNI_IFNAME"])


def _container() -> ContainerID:
    return ContainerID(os.environ["CNI_CONTAINERID"])


def _notes() -> Path:
    return Path(sys.argv[0]).parent / f"{_container()[:12]}-{_nic()}"
