"""A node and a pod of the page as real namespaces, and calls of the coordinator's handler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spiderpool.agent.coordinator import CoordinatorHandler
from spiderpool.cni.request import Attachment, CniRequest
from spiderpool.cni.result import result_from_json
from spiderpool.ipam.conflicts import Fate
from spiderpool.kernel.in_process import InProcess
from spiderpool.kernel.role import KernelRole
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import as_lines
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkKind, NetState
from spiderpool.netlink.operations import AddAddress, AddRoute, CreateLink, Peer
from spiderpool.netlink.selection import Selection
from spiderpool.testing.builders import address, direct, route, up
from spiderpool.testing.namespaces import new_namespace
from spiderpool.types.address import Address
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import ContainerID, IfName

CONTAINER = ContainerID("7a9f3c5d1e2b4a6c8d0e")
CALI = IfName("cali1f2e3d4c5b6")
STATUS = {
    "phase": "Synced",
    "overlayPodCIDR": ["10.233.64.0/18", "fd85::1:0/112"],
    "serviceCIDR": ["10.233.0.0/18", "fd85::1000/116"],
}


@dataclass
class FixedSources:
    """:class:`spiderpool.agent.coordinator.Sources` without an API."""

    spec: dict[str, Any] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    probed: bool = False
    aside: list[Address] = field(default_factory=list)

    def coordinator(self) -> Mapping[str, Any] | None:
        spec = {"podCIDRType": "cluster", **self.spec}
        return {"metadata": {"name": "default"}, "spec": spec, "status": STATUS}

    def node_addresses(self) -> tuple[Address, ...]:
        return (Address("10.6.212.132"), Address("fd00:10:6::132"))

    async def pod(self, request: CniRequest) -> Mapping[str, Any] | None:
        metadata = {"name": "nginx", "uid": "u", "annotations": self.annotations}
        return {"metadata": metadata | self.metadata, "spec": {"nodeName": "worker01"}}

    async def settle_conflict(self, request: CniRequest, address: Address) -> Fate:
        self.aside.append(address)
        return Fate.SET_ASIDE

    def is_probed(self, request: CniRequest) -> bool:
        return self.probed


@dataclass
class AttachedPod:
    """``outside`` is the underlay's router and every other host on it."""

    node: Namespace
    pod: Namespace
    outside: Namespace
    handler: CoordinatorHandler
    sources: FixedSources

    def calico(self) -> None:
        """eth0 as Calico makes it, dual stack."""
        peer = Peer(CALI, self.node.fd, "ee:ee:ee:ee:ee:ee")
        apply(
            self.pod,
            [
                CreateLink(
                    IfName("eth0"), LinkKind.VETH, mac="a2:99:9d:04:01:80", mtu=1430, peer=peer
                ),
                up("eth0"),
            ],
        )
        apply(
            self.node,
            [
                up(CALI),
                AddRoute(direct("10.233.73.210/32", CALI)),
                AddRoute(route("fd85::1:eb84/128", CALI)),
            ],
        )
        apply(
            self.pod,
            [
                AddAddress(address("eth0", "10.233.73.210/32")),
                AddAddress(address("eth0", "fd85::1:eb84/128")),
                AddRoute(direct("169.254.1.1/32", "eth0")),
                AddRoute(route("0.0.0.0/0", "eth0", "169.254.1.1")),
                AddRoute(route("::/0", "eth0", "fe80::ecee:eeff:feee:eeee")),
            ],
        )

    def macvlan(self, nic: str, number: int) -> None:
        """A NIC on ens192 with addresses of both families and their default routes."""
        link = CreateLink(
            IfName(nic),
            LinkKind.MACVLAN,
            parent=IfName("ens192"),
            namespace=self.pod.fd,
            mac=f"2a:1e:a1:db:2a:{number % 256:02x}",
        )
        apply(self.node, [link])
        apply(
            self.pod,
            [
                up(nic),
                AddAddress(address(nic, f"10.6.212.{number}/16")),
                AddAddress(address(nic, f"fd00:10:6::{number}/64")),
                AddRoute(route("0.0.0.0/0", nic, "10.6.0.1")),
                AddRoute(route("::/0", nic, "fd00:10:6::1")),
            ],
        )

    async def call(
        self, command: CniCommand, nic: str, number: int = 145, **more: Any
    ) -> dict[str, Any]:
        """One call of the handler; ``more`` are fields of the request and of its config."""
        given = {
            "interfaces": [{"name": nic, "mac": "2a:1e:a1:db:2a:95", "sandbox": "/run/x"}],
            "ips": [{"address": f"10.6.212.{number}/16", "gateway": "10.6.0.1", "interface": 0}],
        }
        valid: frozenset[Attachment] = more.pop("valid", frozenset())
        pod = self.pod if more.pop("with_pod", True) else None
        request = CniRequest(
            command=command,
            plugin="coordinator",
            container_id=CONTAINER,
            netns="/run/x",
            ifname=IfName(nic),
            config={"name": "macvlan-ens192", **more},
            prev_result=result_from_json(given),
            valid_attachments=valid,
        )
        return await self.handler.handle(request, self.node, pod)

    def states(self) -> tuple[NetState, NetState]:
        """Everything that both namespaces hold."""
        keys = tuple(f"ipv4/conf/{name}/rp_filter" for name in ("all", "eth0", "net1"))
        return (
            dump(self.pod, Selection(reply_marks=True, sysctls=keys)),
            dump(self.node, Selection(reply_marks=True)),
        )

    def lasting(self) -> tuple[set[str], set[str]]:
        """The same as lines, without what the kernel makes when it likes."""
        pod, node = (set(as_lines(state)) for state in self.states())
        return {each for each in pod if _lasts(each)}, {each for each in node if _lasts(each)}


def _lasts(line: str) -> bool:
    return "fe80" not in line and "REACHABLE" not in line


@contextmanager
def attached_pod(state: Path, kernel: KernelRole | None = None) -> Iterator[AttachedPod]:
    """The node's uplink and the router behind it; the pod is empty yet."""
    with new_namespace() as node, new_namespace() as pod, new_namespace() as outside:
        peer = Peer(IfName("lan"), outside.fd)
        apply(
            node,
            [
                up("lo"),
                CreateLink(IfName("ens192"), LinkKind.VETH, peer=peer),
                up("ens192"),
                AddAddress(address("ens192", "10.6.212.132/16")),
                AddAddress(address("ens192", "fd00:10:6::132/64")),
                AddRoute(route("0.0.0.0/0", "ens192", "10.6.0.1")),
            ],
        )
        apply(
            outside,
            [
                up("lo"),
                up("lan"),
                AddAddress(address("lan", "10.6.0.1/16")),
                AddAddress(address("lan", "fd00:10:6::1/64")),
            ],
        )
        apply(pod, [up("lo")])
        sources = FixedSources()
        handler = CoordinatorHandler(sources, state, kernel or InProcess())
        yield AttachedPod(node, pod, outside, handler, sources)
