"""kubelet on one node: pods that the API says are there are there, and no others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from harness.nodes import podstatus
from harness.nodes.networks import STATUS, Connected, status_text
from harness.nodes.reasons import Reason
from harness.nodes.sandboxes import Sandboxes
from harness.topology.model import Machine
from spiderpool.errors import AlreadyExists, Conflict, KubeError, NotFound, SpiderpoolError
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.backoff import Backoff
from spiderpool.kube.events import EventRecorder, Subject
from spiderpool.kube.informer import cancel
from spiderpool.kube.resources import NODE, POD
from spiderpool.types.address import address_of

log = logging.getLogger(__name__)


class Kubelet:
    """``pods`` holds the pods of this node only; each pod has a task of its own."""

    def __init__(
        self, client: Client, machine: Machine, pods: Informer, sandboxes: Sandboxes
    ) -> None:
        self._client, self._machine, self._pods = client, machine, pods
        self._sandboxes = sandboxes
        self._events = EventRecorder(client, "kubelet", machine.name)
        self._workers: dict[str, _Worker] = {}

    async def run(self) -> None:
        """Register the node, then follow its pods until cancelled."""
        await self._register()
        recorder = asyncio.create_task(self._events.run())
        self._pods.subscribe(self._on_pod)
        try:
            await asyncio.Event().wait()
        finally:
            await cancel([recorder, *(worker.task for worker in self._workers.values())])

    async def _register(self) -> None:
        node = podstatus.node_object(self._machine)
        try:
            await self._client.create(NODE, node)
        except AlreadyExists:
            log.info("node %s is registered already", self._machine.name)
        status = {"status": podstatus.node_status(self._machine, podstatus.timestamp())}
        await self._client.patch(NODE, self._machine.name, status, subresource="status")

    def _on_pod(self, old: Object | None, new: Object | None) -> None:
        pod = new or old
        assert pod is not None
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if worker is None:
            if new is None:
                return
            worker = self._workers[uid] = _Worker(self, pod, self._former(pod))
            worker.task.add_done_callback(lambda _: self._workers.pop(uid, None))
        worker.tell(pod, gone=new is None)

    def _former(self, pod: Object) -> asyncio.Task[None] | None:
        """The task of the last pod of that name: two never run at once (StatefulSets)."""
        same = [worker.task for worker in self._workers.values() if worker.name == name_of(pod)]
        return same[-1] if same else None

    async def start_pod(self, pod: Object) -> None:
        """Connect a pod and say so. Raises SpiderpoolError with nothing left behind."""
        connected: Sequence[Connected] = ()
        if not pod["spec"].get("hostNetwork"):
            connected = await self._sandboxes.make(pod)
        host = str(address_of(self._machine.nics[0].addresses[0]))
        addresses = [
            str(address_of(ip.address)) for item in connected[:1] for ip in item.result.ips
        ]
        status = podstatus.running_status(pod, host, addresses, podstatus.timestamp())
        name, body = pod["metadata"]["name"], {"status": status}
        if connected:
            body["metadata"] = {"annotations": {STATUS: status_text(connected)}}
        try:
            await self._client.patch(
                POD, name, body, pod["metadata"]["namespace"], subresource="status"
            )
        except KubeError:
            await self._sandboxes.remove(pod)
            raise
        if (codes := podstatus.exit_codes(pod)) is not None:
            await self._end_pod(pod, podstatus.ended_status(status, codes, podstatus.timestamp()))

    async def _end_pod(self, pod: Object, status: dict[str, Any]) -> None:
        """All containers have ended: take the sandbox away, then say so (Kubernetes, "Pod
        Lifecycle"); the object stays."""
        await self._sandboxes.remove(pod)
        metadata, body = pod["metadata"], {"status": status}
        space = metadata["namespace"]
        await self._client.patch(POD, metadata["name"], body, space, subresource="status")

    async def stop_pod(self, pod: Object) -> None:
        """Take a pod's sandbox away and confirm it, unless another pod has its name now."""
        await self._sandboxes.remove(pod)
        metadata = pod["metadata"]
        try:
            await self._client.delete(
                POD, metadata["name"], metadata["namespace"], uid=metadata["uid"], grace_seconds=0
            )
        except (NotFound, Conflict):
            return

    def complain(self, pod: Object, error: SpiderpoolError) -> None:
        """Tell people who describe the pod why it does not start."""
        metadata = pod["metadata"]
        subject = Subject("v1", "Pod", metadata["name"], metadata["namespace"], metadata["uid"])
        self._events.warn(subject, Reason.FAILED_SANDBOX, f"{error}")
        log.warning("pod %s/%s: %s", metadata["namespace"], metadata["name"], error)


class _Worker:
    """One pod from its appearance on the node to its end; steps never overlap."""

    def __init__(self, kubelet: Kubelet, pod: Object, former: asyncio.Task[None] | None) -> None:
        self._kubelet, self._pod, self._gone = kubelet, pod, False
        self._former = former
        self.name = name_of(pod)
        self._news = asyncio.Event()
        self._backoff = Backoff(first=0.1, most=10.0)
        self.task = asyncio.create_task(self._run(), name=f"pod {pod['metadata']['name']}")

    def tell(self, pod: Object, *, gone: bool) -> None:
        """The pod has changed, or its object is gone."""
        self._pod, self._gone = pod, self._gone or gone
        self._news.set()

    @property
    def _ending(self) -> bool:
        return self._gone or bool(self._pod["metadata"].get("deletionTimestamp"))

    async def _run(self) -> None:
        running = False
        if self._former is not None:
            await asyncio.wait({self._former})
        while not self._ending:
            if running:
                await self._news.wait()
            else:
                running = await self._started()
            self._news.clear()
        await self._stopped()

    async def _started(self) -> bool:
        """Try once; after a failure wait for the pod to change, or for some time."""
        try:
            await self._kubelet.start_pod(self._pod)
        except NotFound:
            self._gone = True
        except SpiderpoolError as error:
            self._kubelet.complain(self._pod, error)
            try:
                await asyncio.wait_for(self._news.wait(), self._backoff.wait())
            except TimeoutError:
                return False
            return False
        return True

    async def _stopped(self) -> None:
        while True:
            try:
                await self._kubelet.stop_pod(self._pod)
            except SpiderpoolError as error:
                log.warning("pod %s: %s", self._pod["metadata"]["name"], error)
                await asyncio.sleep(self._backoff.wait())
            else:
                return


def name_of(pod: Object) -> tuple[str, str]:
    """Namespace and name."""
    return pod["metadata"]["namespace"], pod["metadata"]["name"]
