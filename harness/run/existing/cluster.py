"""A cluster that is there, with the means by which a run sees into its machines and pods."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from harness.nodes.sandboxes import Serve
from harness.run.existing.demands import lacking
from harness.run.existing.endpoints import left_out
from harness.run.existing.inventory import Inventory
from harness.run.existing.marker import proxies_have_followed
from harness.run.existing.ownership import Creations
from harness.run.existing.pods import Pods
from harness.run.kubectl import Kubectl, KubectlFailed
from harness.run.problems import CannotRun, PartEnded
from harness.run.writes import Write
from harness.scenario.model import Name, PodName
from harness.topology.model import Topology
from spiderpool.ctl.installation.facts import LABELS
from spiderpool.errors import BadInput, NamespaceGone, NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.client import connect
from spiderpool.kube.resources import ENDPOINTSLICE, NODE, POD, SERVICE, SPIDERCOORDINATOR
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.selection import Selection
from spiderpool.types.address import Family

SETTLE_SECONDS = 60.0
_ASK_SECONDS = 0.05
_NICS = Selection(tables=(), neighbours_of=(), rules=False)


class ExistingCluster:
    """A :class:`harness.run.cluster.Cluster`.

    ``folder`` is for files of the run; ``names`` are the scenario's: only pods that they mean
    are looked into.
    """

    def __init__(
        self,
        inventory: Inventory,
        topology: Topology,
        names: Mapping[str, Name],
        folder: Path,
        kubeconfig: Path,
    ) -> None:
        self._inventory, self._topology = inventory, topology
        self._pod_names = [each for each in names.values() if isinstance(each, PodName)]
        self.kubeconfig = kubeconfig
        self.kubectl = Kubectl(kubeconfig, folder)
        self.timings: Mapping[str, float] = {}
        self._creations = Creations(self.kubectl)
        self._client: Client | None = None
        self._machines: dict[str, Namespace] = {}
        self._pods: Pods | None = None
        self._followed: object = None

    async def start(self, serve: Serve) -> None:
        """Find its machines, and see that they are those of the topology.

        Raises:
            CannotRun: they are not.
            BadInput: the inventory or the kubeconfig cannot be used.
        """
        self._client = connect(str(self.kubeconfig))
        await self._check_default_namespace()
        paths = {name: entry.netns for name, entry in self._inventory.nodes.items()}
        for name, path in (paths | dict(self._inventory.places)).items():
            self._machines[name] = self._open(name, path)
        nodes = [node["metadata"]["name"] for node in (await self.client.list(NODE))["items"]]
        states = {name: dump(namespace, _NICS) for name, namespace in self._machines.items()}
        if missing := "; ".join(lacking(self._topology, states, nodes)):
            raise CannotRun(f"the cluster is not what the scenario's topology says: {missing}")
        self._pods = Pods(self.client, self._inventory.nodes, self._pod_names, serve)

    def _open(self, name: str, path: Path) -> Namespace:
        try:
            return Namespace.open(str(path))
        except NamespaceGone as error:
            where = f"{self._inventory.file}: {name}"
            raise BadInput(where, str(error), "give the path of a network namespace") from None

    async def _check_default_namespace(self) -> None:
        """Manifests and tables that name no namespace mean the one called default."""
        path = "jsonpath={.contexts[0].context.namespace}"
        found = await self.kubectl.run("config", "view", "--minify", "-o", path)
        if found not in ("", "default"):
            raise BadInput(
                f"{self.kubeconfig}: the current context's namespace",
                f"is {found!r}",
                "use a context whose namespace is default",
            )

    async def stop(self) -> None:
        """Let go of all namespaces, then delete what the run has made.

        Raises:
            LeftBehind: some of it stays.
        """
        if self._pods is not None:
            self._pods.close()
        for namespace in self._machines.values():
            namespace.close()
        self._machines.clear()
        try:
            await self._creations.remove()
        finally:
            if self._client is not None:
                await self._client.close()

    @property
    def client(self) -> Client:
        assert self._client is not None
        return self._client

    @property
    def places(self) -> Mapping[str, Namespace]:
        return {**self._machines, **(self._pods.places if self._pods else {})}

    @property
    def machines(self) -> tuple[str, ...]:
        return tuple(machine.name for machine in self._topology.machines)

    async def install_spiderpool(self) -> None:
        """It must be there."""
        try:
            await self.client.list(SPIDERCOORDINATOR)
        except NotFound:
            words = "the cluster has no Spiderpool: its API knows no SpiderCoordinator; install it"
            raise PartEnded(words) from None

    async def write(self, step: Write) -> None:
        await self._creations.write(step)

    async def settle(self) -> None:
        assert self._pods is not None
        pods = await self._pods.refresh()
        await self._until_led_to(pods)
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                await self._follow()
        except TimeoutError:
            words = f"a node's service proxy does not follow within {SETTLE_SECONDS:g} s"
            raise PartEnded(words) from None

    async def _until_led_to(self, pods: list[Object]) -> None:
        """Services are written before the EndpointSlices that a controller makes for them."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while problem := next(left_out(pods, *await self._services()), ""):
            if time.monotonic() > deadline:
                raise PartEnded(f"after {SETTLE_SECONDS:g} s {problem}")
            await asyncio.sleep(_ASK_SECONDS)

    async def _services(self) -> tuple[list[Object], list[Object]]:
        services, slices = await asyncio.gather(
            self.client.list(SERVICE), self.client.list(ENDPOINTSLICE)
        )
        return services["items"], slices["items"]

    async def _follow(self) -> None:
        """Only when a Service has changed since the last time."""
        versions = [
            sorted((each["metadata"]["uid"], each["metadata"]["resourceVersion"]) for each in kind)
            for kind in await self._services()
        ]
        if versions != self._followed:
            nodes = {name: self._machines[name] for name in self._inventory.nodes}
            first = self._topology.nodes[0]
            answers_at = first.address(Family.V4) or first.address(Family.V6)
            assert answers_at is not None  # a node has an address
            await proxies_have_followed(self.client, nodes, answers_at)
            self._followed = versions

    def check(self) -> None:
        """Its parts are others' business."""

    async def logs(self) -> Mapping[str, bytes]:
        """Of Spiderpool's own pods."""
        pods = (await self.client.list(POD, label_selector=LABELS))["items"]
        names = [(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in pods]
        return {name: await self._log(namespace, name) for namespace, name in names}

    async def _log(self, namespace: str, pod: str) -> bytes:
        try:
            text = await self.kubectl.run("logs", pod, "-n", namespace, "--all-containers")
        except KubectlFailed as error:
            text = f"# {error}\n"
        return text.encode()
