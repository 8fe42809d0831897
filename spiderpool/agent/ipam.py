"""The plugin ``spiderpool``: ADD, DEL and CHECK of a NIC's addresses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from spiderpool.agent.ipam_endpoint import EndpointWriter
from spiderpool.agent.ipam_keepers import Keepers
from spiderpool.agent.ipam_master import master_of
from spiderpool.agent.ipam_service import IpamService
from spiderpool.agent.own_namespace import refuse_own
from spiderpool.agent.probing import probe_early
from spiderpool.agent.threads import in_thread
from spiderpool.cni.request import Attachment, CniRequest
from spiderpool.errors import BadInput, CniCode, CniError, NoAddress, NotFound
from spiderpool.ipam.facts import Pod, read_pod, why_dead
from spiderpool.ipam.grants import NicGrant, cni_result, endpoint_ip
from spiderpool.ipam.holders import holder_of
from spiderpool.ipam.ledger import Entry
from spiderpool.ipam.netconf import IpamConf, Master, read_conf
from spiderpool.ipam.sticky import is_moving_in
from spiderpool.kernel.role import KernelRole
from spiderpool.kube.reasons import Reason
from spiderpool.kube.resources import POD
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import address_of
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import NodeName, PodUID

log = logging.getLogger(__name__)

ADD_SECONDS, ENDPOINT_SECONDS = 30.0, 10.0
DEL_SECONDS = 5.0
"""Kubelet waits for a DEL; one that takes longer is done later, from its intent."""

MAX_CONTAINER_ID = 128

MIRROR = "kubernetes.io/config.hash"
"""On static pods: the UID that kubelet passes, which is not the API object's."""

Warn = Callable[[Pod, Reason, str], Awaitable[None]]
"""Puts an event on a pod: (pod, reason, message)."""


class IpamHandler:
    """Serves one node; ``warn`` tells a pod's users why it gets no address."""

    def __init__(
        self, service: IpamService, node: NodeName, warn: Warn, kernel: KernelRole
    ) -> None:
        self._service, self._node, self._warn, self._kernel = service, node, warn, kernel
        self._endpoints = EndpointWriter(service.client)
        service.sources.caches.pods.subscribe(self._endpoints.follow)
        self._keepers = Keepers(service.client)
        self._locks: WeakValueDictionary[PodUID, asyncio.Lock] = WeakValueDictionary()
        self._told: set[str] = set()

    async def handle(
        self, request: CniRequest, own: Namespace, pod: Namespace | None
    ) -> dict[str, Any]:
        """Carry out one call; see :class:`spiderpool.agent.server.Handler`."""
        match request.command:
            case CniCommand.ADD:
                refuse_own(request, own, pod)
                return await self._add(request, own, pod)
            case CniCommand.DEL:
                await self._del(request)
            case CniCommand.CHECK:
                refuse_own(request, own, pod)
                self._check(request)
            case CniCommand.GC:
                await self._gc(request)
        return {}

    async def _add(
        self, request: CniRequest, own: Namespace, namespace: Namespace | None
    ) -> dict[str, Any]:
        if len(request.container_id) > MAX_CONTAINER_ID:
            words = f"CNI_CONTAINERID: longer than {MAX_CONTAINER_ID} characters"
            raise CniError(CniCode.INVALID_ENVIRONMENT, words)
        pod = await self._pod(request)
        if reason := why_dead(pod):
            raise NoAddress(f"Pod {pod.key} gets no addresses: {reason}")
        holder = holder_of(
            pod,
            request.ifname,
            node=self._node,
            network=request.network,
            container_id=request.container_id,
            netns=await self._kernel.cookie(namespace) if namespace else None,
        )
        async with self._locks.setdefault(pod.uid, asyncio.Lock()):
            grant = await self._claim(request, own, pod, holder)
            try:
                kept, item = holder.owner is not None, endpoint_ip(grant)
                await self._endpoints.record(pod, item, ENDPOINT_SECONDS, outlives_pod=kept)
                if namespace is not None and not is_moving_in(pod):
                    await self._probe(request, namespace, pod, grant)
            except asyncio.CancelledError:
                self._service.give_back(grant.grants)
                raise
        return cni_result(grant).to_json(request.cni_version)

    async def _claim(self, request: CniRequest, own: Namespace, pod: Pod, holder: Slot) -> NicGrant:
        conf = read_conf(request.config)
        self._tell_ignored(request.network, conf)
        try:
            if conf.match_master:
                master = await in_thread(self._master, request.config, own)
                conf = replace(conf, master=master)
            return await self._service.claim(pod, holder, conf, ADD_SECONDS)
        except (NoAddress, BadInput) as exc:
            reason = Reason.NO_ADDRESS if isinstance(exc, NoAddress) else Reason.BAD_INPUT
            await self._warn(pod, reason, f"{request.ifname}: {exc}")
            raise

    def _tell_ignored(self, network: str, conf: IpamConf) -> None:
        """Once a network: it says so at every ADD."""
        if conf.ignored and network not in self._told:
            self._told.add(network)
            keys = ", ".join(f"ipam.{key}" for key in conf.ignored)
            log.warning("network %s: %s: ignored; the plugin's log is this one", network, keys)

    async def _probe(
        self, request: CniRequest, namespace: Namespace, pod: Pod, grant: NicGrant
    ) -> None:
        """Raises CniError 104 when somebody else has an address that was granted."""
        if not read_conf(request.config).detect_ip_conflict:
            return
        settle = partial(self._service.settle_conflict, pod.key, request.ifname)
        addresses = [one.address for one in grant.grants]
        try:
            if await probe_early(self._kernel, namespace, request.ifname, addresses, settle):
                attachment = Attachment(request.container_id, request.ifname)
                self._service.probed.add(attachment)
        except CniError as error:
            if error.code is CniCode.ADDRESS_CONFLICT:
                await self._warn(pod, Reason.ADDRESS_CONFLICT, str(error))
            raise

    def _master(self, config: Mapping[str, Any], own: Namespace) -> Master:
        with self._kernel.open(own) as node:
            return master_of(config, node)

    async def _del(self, request: CniRequest) -> None:
        """Free what this very sandbox holds, unless its pod lives on and will ask again, or
        its keeper still wants it. Where the keeper cannot be asked, the collector will."""
        self._service.probed.discard(Attachment(request.container_id, request.ifname))
        mine = [
            entry
            for entry in self._of_pod(request)
            if entry.slot.state is SlotState.HELD
            and entry.slot.nic == request.ifname
            and entry.slot.container_id == request.container_id
        ]
        if not mine:
            return
        pod = await self._alive(request.pod_namespace, request.pod_name, mine[0].slot.pod_uid)
        if pod is not None and not why_dead(pod):
            log.info("%s: the pod lives on and keeps its addresses", request)
            return
        kept = await self._keepers.kept(mine)
        if kept:
            log.info("%s: %s keeps its addresses", request, kept[0].slot.owner)
            return
        await self._service.release(mine, DEL_SECONDS)
        uid = mine[0].slot.pod_uid
        ends_with_pod = (pod is None or pod.deleted_at) and mine[0].slot.owner is None
        if not ends_with_pod and uid is not None and not self._service.held_by(uid):
            await self._endpoints.remove(f"{request.pod_namespace}/{request.pod_name}", uid)

    def _check(self, request: CniRequest) -> None:
        held = [
            entry
            for entry in self._of_pod(request)
            if entry.slot.state is SlotState.HELD and entry.slot.nic == request.ifname
        ]
        wrong = [
            f"{entry.address} is recorded for sandbox {entry.slot.container_id}"
            for entry in held
            if entry.slot.container_id != request.container_id
        ]
        ips = request.prev_result.ips if request.prev_result else ()
        told = {address_of(ip.address) for ip in ips}
        wrong += [f"{e.address} is not in prevResult" for e in held if e.address not in told]
        if not held:
            wrong.append("no address is recorded")
        if wrong:
            raise CniError(CniCode.CHECK_FAILED, f"{request}: {'; '.join(wrong)}")

    async def _gc(self, request: CniRequest) -> None:
        """Free what this node's sandboxes outside of the runtime's list hold, if their pods
        have ended, too: the list is a hint, no proof (CNI spec 1.1.0, section 2, "GC")."""
        for entry in list(self._service.sources.ledger.entries()):
            slot = entry.slot
            if (
                slot.state is not SlotState.HELD
                or slot.owner is not None
                or (slot.node, slot.network) != (self._node, request.network)
                or (slot.container_id, slot.nic) in request.valid_attachments
            ):
                continue
            namespace, _, name = (slot.pod or "").partition("/")
            pod = await self._alive(namespace, name, slot.pod_uid)
            if pod is None or why_dead(pod):
                log.info("%s of sandbox %s is released", entry.address, slot.container_id)
                await self._service.release([entry], DEL_SECONDS)

    def _of_pod(self, request: CniRequest) -> list[Entry]:
        ledger = self._service.sources.ledger
        if request.pod_uid and (found := ledger.of_pod(request.pod_uid)):
            return found
        return ledger.named(f"{request.pod_namespace}/{request.pod_name}")

    async def _pod(self, request: CniRequest) -> Pod:
        """The pod that an ADD is for, by cache; live when the cache does not know it (yet)."""
        if not request.pod_name or not request.pod_namespace:
            words = "CNI_ARGS: K8S_POD_NAMESPACE and K8S_POD_NAME are needed, to know the pod"
            raise CniError(CniCode.INVALID_ENVIRONMENT, words)
        pod = self._service.sources.pod(request.pod_namespace, request.pod_name)
        if pod is None or not _is_meant(pod, request.pod_uid):
            pod = await self._live_pod(request.pod_namespace, request.pod_name)
        if pod is None:
            words = f"Pod {request.pod_namespace}/{request.pod_name} is not in the API (yet)"
            raise CniError(CniCode.TRY_AGAIN_LATER, words)
        if not _is_meant(pod, request.pod_uid):
            words = f"Pod {pod.key} was created again: {request.pod_uid} is now {pod.uid}"
            raise CniError(CniCode.UNKNOWN_CONTAINER, f"{words}; this sandbox is obsolete")
        return pod

    async def _alive(self, namespace: str, name: str, uid: PodUID | None) -> Pod | None:
        """The pod of that UID, if it still exists. The cache may be behind, but what it says
        of a pod's end is true; anything else is asked of the API."""
        pod = self._service.sources.pod(namespace, name)
        if pod is None or pod.uid != uid or not why_dead(pod):
            pod = await self._live_pod(namespace, name)
        return pod if pod is not None and pod.uid == uid else None

    async def _live_pod(self, namespace: str, name: str) -> Pod | None:
        try:
            return read_pod(await self._service.client.get(POD, name, namespace))
        except NotFound:
            return None


def _is_meant(pod: Pod, uid: PodUID) -> bool:
    return not uid or uid in (pod.uid, pod.annotations.get(MIRROR))
