"""Pods of the page's cluster, each with a NIC that waits for the coordinator."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fabric import PAGE, Plan, build_ours
from harness.netns.ledger import Ledger
from harness.topology.load import load
from spiderpool.agent.configuration import configuration
from spiderpool.agent.coordinator import CoordinatorHandler
from spiderpool.agent.coordinator_kernel import Call
from spiderpool.agent.wire import RawRequest
from spiderpool.cni.request import CniRequest, parse_request
from spiderpool.ipam.conflicts import Fate
from spiderpool.kernel.in_process import InProcess
from spiderpool.kernel.remote import Remote
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkKind, NetState, Scope
from spiderpool.netlink.operations import AddAddress, AddRoute, CreateLink
from spiderpool.testing.builders import address, route, up
from spiderpool.types.address import Address
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import IfName

NODE, UPLINK, GATEWAY = "worker01", "ens192", "10.6.0.1"
NODE_ADDRESS = Address("10.6.212.132")
COORDINATOR: Mapping[str, Any] = {
    "metadata": {"name": "default"},
    "spec": {"podCIDRType": "cluster"},
    "status": {
        "phase": "Synced",
        "overlayPodCIDR": ["10.233.64.0/18"],
        "serviceCIDR": ["10.233.0.0/18"],
    },
}


class PageSources:
    """What the page's API says, without asking it."""

    def coordinator(self) -> Mapping[str, Any]:
        return COORDINATOR

    def node_addresses(self) -> tuple[Address, ...]:
        return (NODE_ADDRESS,)

    async def pod(self, request: CniRequest) -> Mapping[str, Any]:
        return {"metadata": {"name": "nginx", "uid": "u1"}, "spec": {"nodeName": NODE}}

    async def settle_conflict(self, request: CniRequest, address: Address) -> Fate:
        raise NotImplementedError

    def is_probed(self, request: CniRequest) -> bool:
        return False


@dataclass(frozen=True)
class Attachment:
    """A NIC of a pod, as macvlan has made it, and how the coordinator is called for it."""

    node: Namespace
    pod: Namespace
    nic: IfName
    mode: str
    host: str
    handler: CoordinatorHandler
    split: CoordinatorHandler
    """The same, whose kernel role is another process."""

    def raw(self, command: CniCommand) -> RawRequest:
        """What the plugin sends to the agent."""
        env = {
            "CNI_COMMAND": str(command),
            "CNI_CONTAINERID": f"c0ffee{self.nic}",
            "CNI_NETNS": "/var/run/netns/x",
            "CNI_IFNAME": self.nic,
            "SPIDERPOOL_PLUGIN": "coordinator",
        }
        result = {
            "interfaces": [{"name": self.nic, "sandbox": "/var/run/netns/x"}],
            "ips": [{"address": f"{self.host}/16", "gateway": GATEWAY, "interface": 0}],
        }
        config = {"cniVersion": "1.0.0", "name": "macvlan-ens192", "mode": self.mode}
        return RawRequest(env, json.dumps(config | {"prevResult": result}).encode())

    async def handle(self, command: CniCommand, *, split: bool = False) -> None:
        """A call of the warm handler, without the socket."""
        raw = self.raw(command)
        handler = self.split if split else self.handler
        await handler.handle(parse_request(raw.env, raw.stdin), self.node, self.pod)

    def call(self) -> Call:
        """What the handler makes of an ADD before it reads the namespaces."""
        raw = self.raw(CniCommand.ADD)
        request = parse_request(raw.env, raw.stdin)
        return Call(
            nic=self.nic,
            container=request.container_id,
            config=configuration(request.config, COORDINATOR, {}),
            node_addresses=(NODE_ADDRESS,),
            node_namespace=self.node.fd,
        )

    def holds(self) -> tuple[frozenset[str], ...]:
        """Links, routes and rules, the pod's and the node's, without the kernel's own."""
        return (*_things(dump(self.pod)), *_things(dump(self.node)))

    def make_nic(self, number: int) -> None:
        """A macvlan link with the address and the default route of its network."""
        link = CreateLink(
            self.nic,
            LinkKind.MACVLAN,
            parent=IfName(UPLINK),
            namespace=self.pod.fd,
            mac=f"2a:1e:a1:db:2a:{number:02x}",
        )
        apply(self.node, [link])
        address_, default = f"{self.host}/16", route("0.0.0.0/0", self.nic, GATEWAY)
        apply(self.pod, [up(self.nic), AddAddress(address(self.nic, address_)), AddRoute(default)])


def _things(state: NetState) -> Iterator[frozenset[str]]:
    yield frozenset(link.name for link in state.links)
    yield frozenset(str(one) for one in state.routes if "fe80" not in one.destination)
    yield frozenset(str(one) for one in state.rules)
    yield frozenset(str(one) for one in state.addresses if one.scope is not Scope.LINK)


@contextmanager
def attachments(
    state: Path, kernel_socket: Path, pods_a_node: int
) -> Iterator[tuple[Attachment, Attachment]]:
    """net1 beside Calico's eth0, and eth0 alone, on a node of ``pods_a_node`` Calico pods.

    Must run in a sandbox.
    """
    plan, ledger = Plan(load(PAGE), pods_a_node), Ledger()
    with ledger:
        build_ours(plan, ledger)
        alone = ledger.create("alone")
        apply(alone, [up("lo")])
        node, beside = ledger[NODE], ledger[f"{NODE}-0"]
        roles = InProcess(), Remote(kernel_socket)
        both = tuple(CoordinatorHandler(PageSources(), state, role) for role in roles)
        overlay = Attachment(node, beside, IfName("net1"), "overlay", "10.6.212.145", *both)
        underlay = Attachment(node, alone, IfName("eth0"), "underlay", "10.6.212.146", *both)
        overlay.make_nic(145)
        underlay.make_nic(146)
        yield overlay, underlay
