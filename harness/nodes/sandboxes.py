"""One pod's sandbox: its namespace, eth0 by Calico, further NICs by Multus, its servers."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from harness.netns.ledger import Ledger
from harness.nodes.calico import Attachment, Calico
from harness.nodes.multus import Multus, Network, Sandbox, read_network
from harness.nodes.networks import (
    DEFAULT,
    NETWORKS,
    Connected,
    Selection,
    default_selection,
    selections,
)
from spiderpool.cni.result import CniResult, Interface, IpConfig
from spiderpool.errors import BadInput, SpiderpoolError
from spiderpool.kube.api import Informer, Object
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import InterfaceAddress, host_prefix
from spiderpool.types.names import ContainerID, IfName

DEFAULT_NETWORK = "k8s-pod-network"
"""The name that Calico's own configuration gives itself."""

StopServing = Callable[[], None]
Serve = Callable[[Object, Namespace], Awaitable[StopServing]]
"""Start what a pod's containers serve, inside its namespace."""


class ServingFailed(SpiderpoolError):
    """A container port cannot be served."""


def ledger_name(namespace: str, pod: str) -> str:
    """What a pod's namespace is called in the ledger."""
    return f"{namespace}/{pod}"


@dataclass(slots=True)
class _Parts:
    """What has been made so far, in the order in which it was made."""

    sandbox: Sandbox
    calico: Attachment | None = None
    networks: list[tuple[Network, IfName, CniResult | None]] = field(default_factory=list)
    stop_serving: StopServing | None = None


class Sandboxes:
    """Makes, checks and removes the sandboxes of one node's pods."""

    def __init__(
        self, ledger: Ledger, calico: Calico, multus: Multus, attachments: Informer, serve: Serve
    ) -> None:
        self._ledger, self._calico, self._multus = ledger, calico, multus
        self._attachments, self._serve = attachments, serve
        self._parts: dict[str, _Parts] = {}

    async def make(self, pod: Object) -> list[Connected]:
        """A new sandbox with all NICs; the default network's comes first.

        Raises:
            SpiderpoolError: nothing of the sandbox is left then.
        """
        try:
            return await self._make(pod)
        except SpiderpoolError:
            await self.remove(pod)
            raise

    async def _make(self, pod: Object) -> list[Connected]:
        metadata = pod["metadata"]
        space, name = metadata["namespace"], metadata["name"]
        namespace = self._ledger.create(ledger_name(space, name))
        sandbox = Sandbox(
            ContainerID(secrets.token_hex(32)),
            f"/proc/{os.getpid()}/fd/{namespace.fd}",
            space,
            name,
            metadata["uid"],
        )
        parts = self._parts[metadata["uid"]] = _Parts(sandbox)
        annotations = metadata.get("annotations") or {}
        if DEFAULT in annotations:
            self._calico.prepare(namespace)
            chosen = default_selection(annotations[DEFAULT], f"{space}/{name}")
            connected = [replace(await self._attach(chosen, parts), default=True)]
        else:
            parts.calico = self._calico.attach(space, name, namespace)
            connected = [_default(parts.calico, sandbox)]
        for selection in selections(annotations.get(NETWORKS, ""), f"{space}/{name}", space):
            connected.append(await self._attach(selection, parts))
        try:
            parts.stop_serving = await self._serve(pod, namespace)
        except OSError as error:
            raise ServingFailed(f"what the containers serve: {error.strerror}") from None
        return connected

    async def _attach(self, selection: Selection, parts: _Parts) -> Connected:
        """Known before it is made, so that half of it is removed too."""
        network = self._network(selection)
        parts.networks.append((network, selection.nic, None))
        result = await self._multus.add(network, selection.nic, parts.sandbox)
        parts.networks[-1] = (network, selection.nic, result)
        return Connected(str(selection), selection.nic, result)

    async def check(self, place: str, nic: IfName) -> None:
        """Have every plugin that made a NIC look whether it is still as it was made; ``place``
        is what the ledger calls the pod.

        Raises:
            CniError: as the first plugin that finds a difference says.
            BadInput: no network of the pod made such a NIC.
        """
        for parts in self._parts.values():
            sandbox = parts.sandbox
            if ledger_name(sandbox.namespace, sandbox.pod) != place:
                continue
            for network, made, result in parts.networks:
                if made == nic and result is not None:
                    await self._multus.check(network, nic, sandbox, result)
                    return
        raise BadInput(f"check of {nic}", f"{place} has no such NIC of a network of Multus'")

    async def remove(self, pod: Object) -> None:
        """Undo :meth:`make`, also half of it; what is gone already is no error."""
        metadata = pod["metadata"]
        parts = self._parts.pop(metadata["uid"], None)
        if parts is None:
            return
        if parts.stop_serving is not None:
            parts.stop_serving()
        for network, nic, result in reversed(parts.networks):
            await self._multus.delete(network, nic, parts.sandbox, result)
        if parts.calico is not None:
            await asyncio.to_thread(self._calico.detach, parts.calico)
        self._ledger.drop(ledger_name(metadata["namespace"], metadata["name"]))

    def _network(self, selection: Selection) -> Network:
        where = f"NetworkAttachmentDefinition {selection}"
        definition = self._attachments.get(selection.name, selection.namespace)
        if definition is None:
            raise BadInput(where, "does not exist", "create it or its SpiderMultusConfig")
        config = (definition.get("spec") or {}).get("config")
        if not config:
            raise BadInput(where, "has no spec.config", "write the CNI configuration into it")
        return read_network(config, where)


def _default(attachment: Attachment, sandbox: Sandbox) -> Connected:
    nic = Interface(IfName("eth0"), mac=attachment.mac, sandbox=sandbox.path)
    addresses = (
        IpConfig(InterfaceAddress(str(host_prefix(address))), interface=0)
        for address in attachment.addresses
    )
    result = replace(CniResult(), interfaces=(nic,), ips=tuple(addresses))
    return Connected(DEFAULT_NETWORK, nic.name, result, default=True)
