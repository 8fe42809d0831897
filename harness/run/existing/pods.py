"""The pods that a scenario names, as places: found, opened, served and let go of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from harness.nodes.sandboxes import Serve, ServingFailed, StopServing, ledger_name
from harness.run.existing.cniresults import SandboxSpace, sandbox_spaces
from harness.run.existing.inventory import NodeEntry
from harness.scenario.model import PodName
from spiderpool.errors import BadInput, NamespaceGone, SpiderpoolError
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import POD
from spiderpool.netlink.namespace import Namespace


class PodNotFound(SpiderpoolError):
    """A pod runs, and nothing on this machine says where."""


@dataclass(slots=True)
class _Held:
    place: str
    space: SandboxSpace
    namespace: Namespace
    stop_serving: StopServing


class Pods:
    """Those that run on ``nodes`` and that one of ``wanted`` selects."""

    def __init__(
        self,
        client: Client,
        nodes: Mapping[str, NodeEntry],
        wanted: Collection[PodName],
        serve: Serve,
    ) -> None:
        self._client, self._nodes, self._serve = client, nodes, serve
        self._wanted = sorted({(each.namespace, each.selector) for each in wanted})
        self._held: dict[str, _Held] = {}

    @property
    def places(self) -> Mapping[str, Namespace]:
        return {held.place: held.namespace for held in self._held.values()}

    async def refresh(self) -> list[Object]:
        """Hold what runs now and nothing else; the pods that are held.

        Raises:
            PodNotFound: the namespace of one is not found.
            ServingFailed: what one's containers serve cannot be served for them.
        """
        pods = {pod["metadata"]["uid"]: pod for pod in await self._running()}
        spaces = self._spaces({pod["spec"]["nodeName"] for pod in pods.values()})
        for uid, held in tuple(self._held.items()):
            if uid not in pods or held.space not in spaces.get(uid, ()):
                self._let_go(uid)
        for uid, pod in pods.items():
            if uid not in self._held:
                self._held[uid] = await self._hold(pod, spaces.get(uid, ()))
        return list(pods.values())

    def close(self) -> None:
        """Let go of all."""
        for uid in tuple(self._held):
            self._let_go(uid)

    async def _running(self) -> list[Object]:
        found = []
        for namespace, selector in self._wanted:
            listed = await self._client.list(POD, namespace, label_selector=selector)
            found += [pod for pod in listed["items"] if self._is_wanted(pod)]
        return found

    def _is_wanted(self, pod: Object) -> bool:
        return (
            pod.get("status", {}).get("phase") == "Running"
            and not pod["metadata"].get("deletionTimestamp")
            and not pod["spec"].get("hostNetwork")
            and pod["spec"]["nodeName"] in self._nodes
        )

    def _spaces(self, nodes: Iterable[str]) -> Mapping[str, list[SandboxSpace]]:
        """By the pod's UID."""
        found: dict[str, list[SandboxSpace]] = {}
        for node in nodes:
            folder = self._nodes[node].cni_results
            try:
                spaces = sandbox_spaces(folder)
            except OSError as error:
                where = f"cniResults of node {node}"
                raise BadInput(where, f"{folder}: {error.strerror}", "see the inventory") from None
            for space in spaces:
                found.setdefault(space.uid, []).append(space)
        return found

    async def _hold(self, pod: Object, spaces: Iterable[SandboxSpace]) -> _Held:
        space, namespace = _opened(pod, spaces)
        try:
            stop = await self._serve(pod, namespace)
        except OSError as error:
            namespace.close()
            raise ServingFailed(
                f"{_title(pod)}: {error.strerror}; a container that listens on its ports itself "
                "leaves no room for the harness, which answers probes there: use an image that "
                "listens nowhere"
            ) from None
        metadata = pod["metadata"]
        return _Held(ledger_name(metadata["namespace"], metadata["name"]), space, namespace, stop)

    def _let_go(self, uid: str) -> None:
        held = self._held.pop(uid)
        held.stop_serving()
        held.namespace.close()


def _opened(pod: Object, spaces: Iterable[SandboxSpace]) -> tuple[SandboxSpace, Namespace]:
    """The latest sandbox of a pod whose namespace is there."""
    tried = []
    for space in spaces:
        try:
            return space, Namespace.open(space.netns)
        except NamespaceGone as error:
            tried.append(str(error))
    reason = "; ".join(tried) or "no result of a CNI plugin is about it"
    raise PodNotFound(f"{_title(pod)} runs on {pod['spec']['nodeName']}, but {reason}")


def _title(pod: Object) -> str:
    return f"pod {pod['metadata']['namespace']}/{pod['metadata']['name']}"
