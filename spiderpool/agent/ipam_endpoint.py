"""Keeps the SpiderEndpoint of each local pod: one write for a NIC, no read when all is well."""

from __future__ import annotations

import asyncio
import logging

from spiderpool.errors import (
    AlreadyExists,
    Busy,
    CniCode,
    CniError,
    Conflict,
    KubeError,
    NotFound,
    Unreachable,
)
from spiderpool.ipam.endpoints import ips_of, new_endpoint, uid_of, with_nic
from spiderpool.ipam.facts import Pod
from spiderpool.kube.api import Client, Object
from spiderpool.kube.backoff import Backoff
from spiderpool.kube.resources import SPIDERENDPOINT
from spiderpool.types.endpoint import EndpointIP
from spiderpool.types.names import PodUID

REPEATABLE = (AlreadyExists, Conflict, NotFound, Busy, Unreachable)

log = logging.getLogger(__name__)


class EndpointWriter:
    """Writes endpoints; remembers what it wrote, to write a second NIC without reading."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._written: dict[str, Object] = {}

    async def record(
        self, pod: Pod, item: EndpointIP, seconds: float, *, outlives_pod: bool = False
    ) -> None:
        """Have the endpoint say within ``seconds`` what a NIC of ``pod`` holds.

        Raises:
            CniError: code 11, when the API did not let it be written in time.
            KubeError: the API refuses.
        """
        backoff, problem = Backoff(0.005, 0.5), "the Kubernetes API did not answer in time"
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        await self._write(pod, item, outlives_pod=outlives_pod)
                        return
                    except REPEATABLE as exc:
                        problem = str(exc)
                    await asyncio.sleep(backoff.wait())
                    await self._read(pod)
        except TimeoutError:
            words = f"SpiderEndpoint {pod.key} could not be written: {problem}"
            raise CniError(CniCode.TRY_AGAIN_LATER, words) from None

    async def _write(self, pod: Pod, item: EndpointIP, *, outlives_pod: bool) -> None:
        """One attempt. What is there already is written all the same: someone may have deleted
        it, and the API server stores no version of what does not change."""
        known = self._written.get(pod.key)
        items = with_nic(ips_of(known, pod) if known else (), item)
        fresh = new_endpoint(pod, items, outlives_pod=outlives_pod)
        if known is None:
            written = await self._client.create(SPIDERENDPOINT, fresh)
        else:
            written = await self._client.update(SPIDERENDPOINT, _renewed(known, fresh))
        self._written[pod.key] = written

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

    def follow(self, old: Object | None, new: Object | None) -> None:
        """Drop the memory of a pod that is gone; the signature is an informer's handler."""
        if old is not None and new is None:
            metadata = old["metadata"]
            self._written.pop(f"{metadata.get('namespace')}/{metadata['name']}", None)

    async def _read(self, pod: Pod) -> None:
        """Take the endpoint as the API has it now; without an answer the next attempt tells."""
        try:
            self._written[pod.key] = await self._client.get(SPIDERENDPOINT, pod.name, pod.namespace)
        except NotFound:
            self._written.pop(pod.key, None)
        except KubeError as exc:
            log.debug("endpoint %s could not be read: %s", pod.key, exc)


def _renewed(known: Object, fresh: Object) -> Object:
    """``known`` with the content of ``fresh``. An earlier pod of that name is no owner any
    more."""
    metadata = {k: v for k, v in known["metadata"].items() if k != "ownerReferences"}
    return known | {"metadata": metadata | fresh["metadata"], "status": fresh["status"]}
