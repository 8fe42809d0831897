"""Services reach their pods from everywhere, and the backend sees whom kube-proxy lets it see."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from page_cluster import DUAL, PageCluster

from harness.netns import isolated
from harness.nodes.kubeproxy import KubeProxy
from harness.topology.load import load
from spiderpool.kube.informer import Informers, cancel
from spiderpool.kube.resources import ENDPOINTSLICE, SERVICE
from spiderpool.testing.kube import FakeClient
from spiderpool.types.address import Family
from spiderpool.types.names import NodeName

pytestmark = pytest.mark.kernel

PORT, NODE_PORT, TARGET = 53, 30053, 5353
CLUSTER_IP = {Family.V4: "10.233.0.3", Family.V6: "fd85:ee78:d8a6:8607::1003"}
UNUSED_IP = {Family.V4: "10.233.0.4", Family.V6: "fd85:ee78:d8a6:8607::1004"}
CLIENT = {Family.V4: "10.6.212.250", Family.V6: "fd00:10:6::250"}
NODES = {
    "controller": {Family.V4: "10.6.212.131", Family.V6: "fd00:10:6::131"},
    "worker01": {Family.V4: "10.6.212.132", Family.V6: "fd00:10:6::132"},
}
PODS = [f"{node}-{number}" for node in NODES for number in range(2)]
LIMIT, PATIENCE = 10.0, 1.5
"""A refused TCP client of the node itself hears of it at its second try, a second later."""
KINDS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}


class World:
    """The page's cluster with kube-proxy on both nodes and a Service ``dns`` of one family."""

    def __init__(self, family: Family) -> None:
        self.family, self.cluster_ip = family, CLUSTER_IP[family]
        self.fabric = PageCluster(load(DUAL))
        self.api = FakeClient()
        self.proxies: list[KubeProxy] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def up(self, *backends: str, **spec: Any) -> None:
        await self.fabric.up()
        for pod in PODS:
            for kind in KINDS.values():
                self.serve(pod, kind)
        ports = [
            {"name": kind.lower(), "protocol": kind, "port": PORT, "nodePort": NODE_PORT}
            for kind in KINDS
        ]
        spec = {"type": "NodePort", "clusterIP": self.cluster_ip, "ports": ports} | spec
        await self.api.create(SERVICE, {"metadata": metadata("dns"), "spec": spec})
        await self.api.create(ENDPOINTSLICE, self.slice(*backends))
        informers = Informers(self.api)
        services, self.slices = informers.of(SERVICE), informers.of(ENDPOINTSLICE)
        await informers.synced()
        for name in NODES:
            proxy = KubeProxy(
                NodeName(name),
                self.fabric.ledger[name],
                self.fabric.topology,
                services,
                self.slices,
            )
            self.proxies.append(proxy)
            self.tasks.append(asyncio.create_task(proxy.run()))
        await self.settled()

    def slice(self, *pods: str) -> dict[str, Any]:
        return {
            "metadata": metadata("dns") | {"labels": {"kubernetes.io/service-name": "dns"}},
            "addressType": f"IPv{self.family.number}",
            "endpoints": [
                {"addresses": [self.address(pod)], "nodeName": pod.rpartition("-")[0]}
                for pod in pods
            ],
            "ports": [{"name": kind.lower(), "protocol": kind, "port": TARGET} for kind in KINDS],
        }

    def address(self, place: str) -> str:
        """A pod's or a node's."""
        if place in NODES:
            return NODES[place][self.family]
        return self.fabric.addresses[place][list(Family).index(self.family)]

    async def change(self, *pods: str) -> None:
        current = await self.api.get(ENDPOINTSLICE, "dns", "default")
        written = await self.api.update(
            ENDPOINTSLICE, current | {"endpoints": self.slice(*pods)["endpoints"]}
        )
        async with asyncio.timeout(LIMIT):
            while self.slices.get("dns", "default") != written:
                await asyncio.sleep(0.001)
        await self.settled()

    def serve(self, pod: str, kind: int) -> None:
        """Answer the pod's name and the address that it sees."""
        sock = self.fabric.ledger[pod].socket(self.family, kind)
        sock.bind(("", TARGET))
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        if kind == socket.SOCK_STREAM:
            sock.listen()

            def accept() -> None:
                connection, client = sock.accept()
                connection.sendall(f"{pod} {client[0]}".encode())
                connection.close()

            loop.add_reader(sock, accept)
        else:

            def answer() -> None:
                _, client = sock.recvfrom(64)
                sock.sendto(f"{pod} {client[0]}".encode(), client)

            loop.add_reader(sock, answer)

    async def ask(self, sender: str, address: str, port: int, kind: str = "TCP") -> tuple[str, str]:
        """Which pod answers, and the client's address as it sees it.

        Raises:
            TimeoutError: nobody does within :data:`PATIENCE`.
        """
        loop = asyncio.get_running_loop()
        with self.fabric.ledger[sender].socket(self.family, KINDS[kind]) as sock:
            sock.setblocking(False)
            await asyncio.wait_for(loop.sock_connect(sock, (address, port)), PATIENCE)
            if kind == "UDP":
                await loop.sock_sendall(sock, b"?")
            pod, _, seen = (
                (await asyncio.wait_for(loop.sock_recv(sock, 64), PATIENCE)).decode().partition(" ")
            )
            return pod, seen

    async def settled(self) -> None:
        """Until the nodes' rules say what the API says."""
        async with asyncio.timeout(LIMIT):
            for proxy in self.proxies:
                await proxy.settled.wait()

    async def backends_of(self, sender: str, count: int = 40, kind: str = "TCP") -> Counter[str]:
        asked = [await self.ask(sender, self.cluster_ip, PORT, kind) for _ in range(count)]
        return Counter(pod for pod, _ in asked)


def metadata(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": "default"}


async def a_pod_keeps_its_address(world: World) -> None:
    await world.up("worker01-1")
    for kind in KINDS:
        for pod in ("controller-0", "worker01-0"):
            expected = ("worker01-1", world.address(pod))
            assert await world.ask(pod, world.cluster_ip, PORT, kind) == expected


async def a_node_is_masqueraded(world: World) -> None:
    await world.up("worker01-1")
    for kind in KINDS:
        for node in NODES:
            expected = ("worker01-1", world.address(node))
            assert await world.ask(node, world.cluster_ip, PORT, kind) == expected


async def a_pod_reaches_itself(world: World) -> None:
    await world.up("worker01-1")
    pod, seen = await world.ask("worker01-1", world.cluster_ip, PORT)
    assert (pod, seen) == ("worker01-1", world.address("worker01"))


async def node_ports_work_on_every_node_and_hide_the_client(world: World) -> None:
    await world.up("worker01-1")
    for kind in KINDS:
        for address in map(world.address, NODES):
            answer = await world.ask("client", address, NODE_PORT, kind)
            assert answer == ("worker01-1", address)


async def local_node_ports_show_the_client(world: World) -> None:
    await world.up("worker01-1", externalTrafficPolicy="Local")
    for kind in KINDS:
        answer = await world.ask("client", world.address("worker01"), NODE_PORT, kind)
        assert answer == ("worker01-1", CLIENT[world.family])
        with pytest.raises(TimeoutError):  # a load balancer is to notice
            await world.ask("client", world.address("controller"), NODE_PORT, kind)


async def local_node_ports_lead_pods_and_the_node_anywhere(world: World) -> None:
    await world.up("worker01-1", externalTrafficPolicy="Local")
    for kind in KINDS:
        for sender, seen in (("controller-0", "controller-0"), ("controller", "controller")):
            answer = await world.ask(sender, world.address("controller"), NODE_PORT, kind)
            assert answer == ("worker01-1", world.address(seen))


async def what_only_other_nodes_serve_is_silent(world: World) -> None:
    await world.up("worker01-1", internalTrafficPolicy="Local")
    for kind in KINDS:
        assert (await world.ask("worker01-0", world.cluster_ip, PORT, kind))[0] == "worker01-1"
        with pytest.raises(TimeoutError):
            await world.ask("controller-0", world.cluster_ip, PORT, kind)
    await world.change("worker01-1", "controller-1")
    assert (await world.ask("controller-0", world.cluster_ip, PORT))[0] == "controller-1"


async def addresses_of_no_service_are_silent(world: World) -> None:
    await world.up("worker01-1")
    with pytest.raises(TimeoutError):
        await world.ask("controller-0", UNUSED_IP[world.family], PORT)
    assert (await world.ask("controller-0", world.cluster_ip, PORT))[0] == "worker01-1"


async def clients_stay_with_their_backends(world: World) -> None:
    await world.up(*PODS, sessionAffinity="ClientIP")
    for kind in KINDS:
        chosen = [await world.backends_of(sender, 10, kind) for sender in PODS]
        assert [len(each) for each in chosen] == [1, 1, 1, 1]
        assert len({pod for each in chosen for pod in each}) > 1, "not all with the same"
        asked = [
            await world.ask("client", world.address("worker01"), NODE_PORT, kind) for _ in range(10)
        ]
        assert len(set(asked)) == 1
    await world.change("worker01-1")
    assert set(await world.backends_of("controller-1", 5)) == {"worker01-1"}


async def every_backend_is_chosen(world: World) -> None:
    await world.up("controller-0", "worker01-0", "worker01-1")
    chosen = await world.backends_of("controller-1", 60)
    assert set(chosen) == {"controller-0", "worker01-0", "worker01-1"}


async def changes_are_followed(world: World) -> None:
    await world.up("controller-0", "worker01-0")
    await world.change("worker01-1")
    assert set(await world.backends_of("controller-1", 10)) == {"worker01-1"}
    await world.change()
    with pytest.raises(ConnectionRefusedError):
        await world.ask("controller-1", world.cluster_ip, PORT, "UDP")
    await world.change("controller-0", "worker01-0")
    assert set(await world.backends_of("controller-1")) == {"controller-0", "worker01-0"}


async def a_kept_socket_follows_its_service(world: World) -> None:
    """As resolvers do: one UDP socket, whose port the kernel knows as one connection."""
    await world.up("controller-0")
    loop = asyncio.get_running_loop()
    with world.fabric.ledger["controller-1"].socket(world.family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((world.cluster_ip, PORT))

        async def answerer() -> str:
            await loop.sock_sendall(sock, b"?")
            return (await asyncio.wait_for(loop.sock_recv(sock, 64), 2)).decode().split()[0]

        assert await answerer() == "controller-0"
        await world.change("worker01-1")
        assert await answerer() == "worker01-1"
        await world.change()
        with pytest.raises(ConnectionRefusedError):
            await answerer()
        await world.change("worker01-0")
        assert await answerer() == "worker01-0"


async def without_endpoints_it_refuses(world: World) -> None:
    await world.up()
    refused = (ConnectionRefusedError, PermissionError)  # EPERM: rejected before it was sent
    for sender in ("controller-0", "controller"):
        for kind in KINDS:
            with pytest.raises(refused):
                await world.ask(sender, world.cluster_ip, PORT, kind)
    await world.change("worker01-1")
    assert (await world.ask("controller-0", world.cluster_ip, PORT))[0] == "worker01-1"


async def unknown_ports_of_a_service_refuse(world: World) -> None:
    await world.up("worker01-1")
    with pytest.raises(ConnectionRefusedError):
        await world.ask("controller-0", world.cluster_ip, PORT + 1)


Case = Callable[[World], Awaitable[None]]


@pytest.mark.parametrize(
    "case",
    [
        a_pod_keeps_its_address,
        a_node_is_masqueraded,
        a_pod_reaches_itself,
        node_ports_work_on_every_node_and_hide_the_client,
        local_node_ports_show_the_client,
        local_node_ports_lead_pods_and_the_node_anywhere,
        what_only_other_nodes_serve_is_silent,
        addresses_of_no_service_are_silent,
        clients_stay_with_their_backends,
        every_backend_is_chosen,
        changes_are_followed,
        a_kept_socket_follows_its_service,
        without_endpoints_it_refuses,
        unknown_ports_of_a_service_refuse,
    ],
    ids=lambda function: function.__name__,
)
@pytest.mark.parametrize("family", Family, ids=lambda family: f"IPv{family.number}")
def test_service(case: Case, family: Family) -> None:
    isolated.call(carry_out, case, family)


def carry_out(case: Case, family: Family) -> None:
    async def body() -> None:
        world = World(family)
        try:
            await case(world)
        finally:
            await cancel(world.tasks)

    asyncio.run(body())
