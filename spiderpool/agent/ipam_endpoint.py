"""Keeps the SpiderEndpoint of each local pod: one write for a NIC, no read when all is well."""

from __future__ import annotations

from spiderpool.errors import AlreadyExists, CniCode, CniError, Conflict, NotFound
from spiderpool.ipam.endpoints import ips_of, new_endpoint, uid_of, with_nic
from spiderpool.ipam.facts import Pod
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import SPIDERENDPOINT
from spiderpool.types.endpoint import EndpointIP
from spiderpool.types.names import PodUID

ATTEMPTS = 8


class EndpointWriter:
    """Writes endpoints; remembers what it wrote, to write a second NIC without reading."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._written: dict[str, Object] = {}

    async def record(self, pod: Pod, item: EndpointIP, *, outlives_pod: bool = False) -> None:
        """Have the endpoint say what a NIC of ``pod`` holds.

        Raises:
            CniError: code 11, when others keep changing the endpoint.
            KubeError: the API refuses, or does not answer.
        """
        for _ in range(ATTEMPTS):
            known = self._written.get(pod.key)
            try:
                items = with_nic(ips_of(known, pod) if known else (), item)
                fresh = new_endpoint(pod, items, outlives_pod=outlives_pod)
                if known is None:
                    self._written[pod.key] = await self._client.create(SPIDERENDPOINT, fresh)
                elif wanted := _changed(known, fresh):
                    self._written[pod.key] = await self._client.update(SPIDERENDPOINT, wanted)
                return
            except NotFound:
                self._written.pop(pod.key, None)
            except (AlreadyExists, Conflict):
                await self._read(pod)
        words = f"SpiderEndpoint {pod.key} is changed by others all the time"
        raise CniError(CniCode.TRY_AGAIN_LATER, words)

    async def remove(self, key: str, uid: PodUID) -> None:
        """Delete the endpoint of a pod (``namespace/name``) that does not go with its pod."""
        known = self._written.pop(key, None)
        namespace, _, name = key.partition("/")
        try:
            known = known or await self._client.get(SPIDERENDPOINT, name, namespace)
            if uid_of(known) == uid:
                own = known["metadata"].get("uid", "")
                await self._client.delete(SPIDERENDPOINT, name, namespace, uid=own)
        except (NotFound, Conflict):
            return

    def forget(self, key: str) -> None:
        """Drop the memory of a pod (``namespace/name``) that is gone."""
        self._written.pop(key, None)

    async def _read(self, pod: Pod) -> None:
        try:
            found = await self._client.get(SPIDERENDPOINT, pod.name, pod.namespace)
        except NotFound:
            self._written.pop(pod.key, None)
        else:
            self._written[pod.key] = found


def _changed(known: Object, fresh: Object) -> Object | None:
    """``known`` with the content of ``fresh``, or None when it has it. An earlier pod of
    that name is no owner any more."""
    metadata = {k: v for k, v in known["metadata"].items() if k != "ownerReferences"}
    wanted = known | {"metadata": metadata | fresh["metadata"], "status": fresh["status"]}
    return None if wanted == known else wanted
