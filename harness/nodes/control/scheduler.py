"""The scheduler: binds pods that wait to nodes, one after another."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.nodes.control.actions import Patch, carry_out
from harness.nodes.control.catalogue import Catalogue
from harness.nodes.control.scheduling import NAME, choose, is_waiting, unschedulable
from harness.nodes.reasons import Reason
from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import Conflict, NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.events import EventRecorder, Subject
from spiderpool.kube.informer import Key, key_of
from spiderpool.kube.resources import NODE, POD, Resource

_BINDING = Resource("", "v1", "bindings", "Binding")


class Scheduler:
    """One queue of pods; all waiting ones are looked at again when a node changes."""

    def __init__(self, client: Client, catalogue: Catalogue, events: EventRecorder) -> None:
        self.queue: WorkQueue[Key] = WorkQueue(NAME, self._reconcile)
        self._client, self._catalogue, self._events = client, catalogue, events
        self._bound: dict[str, str] = {}

    def start(self) -> None:
        self._catalogue[POD].subscribe(self._pod_changed)
        self._catalogue[NODE].subscribe(self._node_changed)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None and old is not None:
            self._bound.pop(old["metadata"]["uid"], None)
        elif new is not None and is_waiting(new):
            self.queue.add(key_of(new))
        elif new is not None:
            self._bound.pop(new["metadata"]["uid"], None)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and _relevant(old) == _relevant(new):
            return
        for pod in self._catalogue[POD].all():
            if is_waiting(pod):
                self.queue.add(key_of(pod))

    async def _reconcile(self, key: Key) -> None:
        pod = self._catalogue[POD].get(key[1], key[0])
        if pod is None or not is_waiting(pod) or pod["metadata"]["uid"] in self._bound:
            return
        choice = choose(pod, self._catalogue[NODE].all(), self._placed())
        if choice.node:
            await self._bind(pod, choice.node)
            return
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = unschedulable(pod, choice.reason, moment)
        if body:
            self._events.warn(_subject(pod), Reason.FAILED_SCHEDULING, choice.reason)
            patch = Patch(POD, pod, body, "status", strategic=True)
            await carry_out(self._client, self._catalogue, [patch])

    def _placed(self) -> list[Object]:
        """All pods, with bindings that the cache has not heard of yet."""
        return [
            {**pod, "spec": {**pod["spec"], "nodeName": self._bound[pod["metadata"]["uid"]]}}
            if pod["metadata"]["uid"] in self._bound
            else pod
            for pod in self._catalogue[POD].all()
        ]

    async def _bind(self, pod: Object, node: str) -> None:
        metadata = pod["metadata"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {name: metadata[name] for name in ("name", "namespace", "uid")},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        try:
            await self._client.create(_BINDING, binding)
        except (NotFound, Conflict):
            return
        self._bound[metadata["uid"]] = node


def _relevant(node: Object) -> Object:
    """What placement looks at: not the times of a node's heartbeat."""
    conditions = (node.get("status") or {}).get("conditions") or []
    return {
        "labels": node["metadata"].get("labels"),
        "spec": node.get("spec"),
        "conditions": [(each["type"], each["status"]) for each in conditions],
    }


def _subject(pod: Object) -> Subject:
    metadata = pod["metadata"]
    return Subject("v1", "Pod", metadata["name"], metadata["namespace"], metadata["uid"])
