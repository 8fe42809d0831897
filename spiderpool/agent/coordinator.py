"""The plugin ``coordinator``: ADD, DEL, CHECK and GC of a NIC's routes, rules and neighbours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from spiderpool.agent.configuration import configuration, removal_configuration
from spiderpool.agent.coordinator_kernel import Call, carry_out, detach, macs_of, read_facts
from spiderpool.agent.footprints import Footprints
from spiderpool.agent.own_namespace import refuse_own
from spiderpool.agent.probing import refuse_rivals
from spiderpool.agent.threads import in_thread
from spiderpool.cni.request import Attachment, CniRequest
from spiderpool.cni.result import CniResult, IpConfig
from spiderpool.coordinator.check import differences
from spiderpool.coordinator.footprint import Footprint, footprint
from spiderpool.coordinator.plan import Plan, plan
from spiderpool.errors import (
    BadInput,
    CniCode,
    CniError,
    KernelRoleGone,
    NamespaceGone,
    OperationFailed,
)
from spiderpool.ipam.attachments import nics_of
from spiderpool.ipam.conflicts import Fate
from spiderpool.ipam.facts import read_pod
from spiderpool.ipam.sticky import is_moving_in
from spiderpool.kernel.role import Inside, KernelRole, Wire
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.transport import Transport
from spiderpool.types.address import Address, address_of
from spiderpool.types.modes import CniCommand, Mode
from spiderpool.types.names import IfName

log = logging.getLogger(__name__)


class Sources(Protocol):
    """What the coordinator asks of the API."""

    def coordinator(self) -> Mapping[str, Any] | None:
        """The SpiderCoordinator that counts."""
        ...

    def node_addresses(self) -> tuple[Address, ...]:
        """The node's addresses of type InternalIP."""
        ...

    async def pod(self, request: CniRequest) -> Mapping[str, Any] | None:
        """The Pod that the call is for."""
        ...

    async def settle_conflict(self, request: CniRequest, address: Address) -> Fate:
        """Decide about an address that a host has which we do not know, and see to it."""
        ...

    def is_probed(self, request: CniRequest) -> bool:
        """Whether our IPAM has just found that nobody else has the NIC's addresses."""
        ...


class CoordinatorHandler:
    """Serves one node; ``state`` is the folder of footprints.

    Plans for the node are made and applied one at a time, since all attachments share its
    rule and table.
    """

    def __init__(self, sources: Sources, state: Path, kernel: KernelRole) -> None:
        self._sources, self._kernel = sources, kernel
        self._footprints = Footprints(state)
        self._node = asyncio.Lock()

    async def handle(
        self, request: CniRequest, own: Namespace, pod: Namespace | None
    ) -> dict[str, Any]:
        """Carry out one call; see :class:`spiderpool.agent.server.Handler`."""
        match request.command:
            case CniCommand.ADD if pod is not None:
                refuse_own(request, own, pod)
                return await self._add(request, own, pod)
            case CniCommand.CHECK if pod is not None:
                refuse_own(request, own, pod)
                await self._check(request, own, pod)
            case CniCommand.DEL:
                is_own = pod is not None and pod.is_same(own)
                await self._del(request, own, None if is_own else pod)
            case CniCommand.GC:
                await self._gc(request, own)
        return {}

    async def _add(self, request: CniRequest, own: Namespace, pod: Namespace) -> dict[str, Any]:
        given = _given(request)
        call = await self._call(request, own)
        if call.config.mode is Mode.DISABLED:
            return given.to_json(request.cni_version)
        try:
            await self._detect(request, call, pod)
        except OSError as exc:
            words = f"{request.ifname} cannot be probed: {exc.strerror}"
            raise CniError(CniCode.IO_FAILURE, words) from None
        async with self._node:
            made = await in_thread(self._attach, call, request, own, pod)
        for warning in made.warnings:
            log.warning("%s: %s", request, warning)
        return _with_mac(given, request.ifname, made.mac).to_json(request.cni_version)

    async def _detect(self, request: CniRequest, call: Call, pod: Namespace) -> None:
        """Conflicts first, for the question to the gateway would tell it of a stolen address.

        Raises:
            CniError: 104 for a conflict, 105 for a gateway that does not answer.
        """
        config = call.config
        if not (config.detect_ip_conflict or config.detect_gateway):
            return
        wire = await in_thread(self._wire, call.nic, pod)
        ips = _ips_of(request)
        if config.detect_ip_conflict and not self._sources.is_probed(request):
            addresses = [address_of(ip.address) for ip in ips]
            rivals = await self._kernel.conflicts(wire, addresses)
            settle = partial(self._sources.settle_conflict, request)
            await refuse_rivals(call.nic, addresses, rivals, settle)
        if config.detect_gateway:
            gateways = {ip.gateway: address_of(ip.address) for ip in ips if ip.gateway}
            if missing := await self._kernel.silent(wire, gateways):
                words = f"no answer on {call.nic} from gateway {', '.join(missing)}"
                raise CniError(CniCode.GATEWAY_UNREACHABLE, words)

    async def _call(self, request: CniRequest, own: Namespace) -> Call:
        """The merged configuration, and what the pod's object says of its NICs."""
        obj = await self._sources.pod(request)
        known = read_pod(obj) if obj is not None else None
        annotations = known.annotations if known is not None else {}
        config = configuration(request.config, self._sources.coordinator(), annotations)
        if known is not None and is_moving_in(known):
            config = replace(config, detect_ip_conflict=False)
        return Call(
            nic=request.ifname,
            container=request.container_id,
            config=config,
            node_addresses=self._sources.node_addresses(),
            expected_nics=nics_of(known) if known is not None else None,
            node_namespace=own.fd,
        )

    def _attach(self, call: Call, request: CniRequest, own: Namespace, pod: Namespace) -> Plan:
        with self._kernel.open_both(own, pod) as (node, inside):
            facts = read_facts(call, inside, node)
            made = plan(facts)
            earlier = self._footprints.load(call.container, call.nic)
            left = footprint(facts, made, request.network, inside.cookie).over(earlier)
            if left != earlier:
                self._footprints.save(left)
            try:
                carry_out(made, facts, inside, node)
            except OperationFailed:
                if earlier is None:
                    self._footprints.forget(call.container, call.nic)
                raise
            _announce(request, inside, made.mac)
        return made

    def _wire(self, nic: IfName, pod: Namespace) -> Wire:
        with self._kernel.open(pod) as inside:
            return Wire(pod, nic, *macs_of(inside, nic))

    async def _check(self, request: CniRequest, own: Namespace, pod: Namespace) -> None:
        given = _given(request)
        call = await self._call(request, own)
        if call.config.mode is Mode.DISABLED:
            return
        addresses = tuple(ip.address for ip in given.ips)

        def compare() -> tuple[str, ...]:
            with self._kernel.open_both(own, pod) as (node, inside):
                return differences(read_facts(call, inside, node), addresses)

        async with self._node:
            found = await in_thread(compare)
        if found:
            raise CniError(CniCode.CHECK_FAILED, f"{request}: {'; '.join(found)}")

    async def _del(self, request: CniRequest, own: Namespace, pod: Namespace | None) -> None:
        """What cannot be removed now, GC or the next DEL removes."""
        config = removal_configuration(request.config, self._sources.coordinator())
        call = Call(request.ifname, request.container_id, config)
        async with self._node:
            meant = await self._meant(request, pod) if pod is not None else None
            failures = await in_thread(self._detach, call, own, meant)
        for failure in failures:
            log.warning("%s: not removed: %s", request, failure)

    def _detach(self, call: Call, own: Namespace, pod: Namespace | None) -> list[OperationFailed]:
        known = self._footprints.load(call.container, call.nic)
        if known is None and call.config.mode is Mode.DISABLED:
            return []
        with self._kernel.open(own) as node:
            failures = self._detach_from(call, known, pod, node)
        if not failures:
            self._footprints.forget(call.container, call.nic)
        return failures

    async def _meant(self, request: CniRequest, pod: Namespace) -> Namespace | None:
        """The pod's namespace, unless its path leads to another one by now."""
        known = self._footprints.load(request.container_id, request.ifname)
        if known is None or not known.netns:
            return pod
        try:
            return pod if known.netns == await self._kernel.cookie(pod) else None
        except NamespaceGone:
            return None

    def _detach_from(
        self, call: Call, known: Footprint | None, pod: Namespace | None, node: Transport
    ) -> list[OperationFailed]:
        """Without the pod's namespace when it is gone."""
        try:
            if pod is not None:
                with self._kernel.open(pod) as inside:
                    return detach(call, known, inside, node)
        except NamespaceGone:
            log.info("the namespace of container %s is gone", call.container)
        return detach(call, known, None, node)

    async def _gc(self, request: CniRequest, own: Namespace) -> None:
        """Remove what the network's attachments left that the runtime does not know."""
        for stale in await in_thread(self._stale, request):
            log.info("%s: %s of container %s is gone", request, stale.nic, stale.container)
            config = removal_configuration(request.config, self._sources.coordinator())
            async with self._node:
                await in_thread(self._detach, Call(stale.nic, stale.container, config), own, None)

    def _stale(self, request: CniRequest) -> list[Footprint]:
        return [
            known
            for known in self._footprints
            if known.network == request.network
            and Attachment(known.container, known.nic) not in request.valid_attachments
        ]


def _given(request: CniRequest) -> CniResult:
    """What the plugins before us made."""
    if request.prev_result is None:
        raise BadInput(
            "network configuration: prevResult",
            "is missing",
            "chain the coordinator behind the plugin that makes the NIC",
        )
    return request.prev_result


def _ips_of(request: CniRequest) -> list[IpConfig]:
    """What the NIC was given; a result may tell of other links too."""
    given = _given(request)
    return [
        ip
        for ip in given.ips
        if ip.interface is None or given.interfaces[ip.interface].name == request.ifname
    ]


def _announce(request: CniRequest, inside: Inside, mac: str) -> None:
    """Best effort: without it, others find out when their entries grow old."""
    addresses = [address_of(ip.address) for ip in _ips_of(request)]
    try:
        inside.announce(request.ifname, mac, addresses)
    except (OSError, KernelRoleGone) as exc:
        log.warning("%s: addresses are not announced: %s", request, exc)


def _with_mac(given: CniResult, nic: IfName, mac: str) -> CniResult:
    """The result with the MAC that the NIC has by now."""
    interfaces = tuple(
        replace(item, mac=mac) if item.name == nic and item.sandbox else item
        for item in given.interfaces
    )
    return replace(given, interfaces=interfaces)
