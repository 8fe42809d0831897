"""SpiderMultusConfig -> NetworkAttachmentDefinition, kept so whatever others do to it."""

from __future__ import annotations

import logging
from typing import Any

from spiderpool.controller.caches import Caches
from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import AlreadyExists, BadInput, Conflict, NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.events import EventRecorder, Subject
from spiderpool.kube.reasons import Reason
from spiderpool.kube.resources import NETWORKATTACHMENT, SPIDERMULTUSCONFIG
from spiderpool.multus.attachment import ATTACHMENT_NAME, attachment, attachment_name, repaired
from spiderpool.multus.old_names import read_network
from spiderpool.types.coordinator import DEFAULT_COORDINATOR, CoordinatorSpec, SpiderCoordinator
from spiderpool.types.metadata import read
from spiderpool.types.multusconfig import SpiderMultusConfig

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""Namespace and name of a SpiderMultusConfig."""


class Attachments:
    """Reconciler of SpiderMultusConfigs."""

    def __init__(self, client: Client, caches: Caches, recorder: EventRecorder) -> None:
        self._client, self._recorder = client, recorder
        self._networks, self._attachments = caches.networks, caches.attachments
        self._coordinators, self._namespaces = caches.coordinators, caches.namespaces
        self.queue = WorkQueue("networks", self.reconcile)

    def start(self) -> None:
        """Follow the three kinds that an attachment depends on."""
        self._networks.subscribe(self._on_network)
        self._attachments.subscribe(self._on_attachment)
        self._coordinators.subscribe(self._on_coordinator)

    def _on_network(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add(_key(new))

    def _on_attachment(self, old: Object | None, new: Object | None) -> None:
        """Whoever made it, and whoever wants the name, has a look."""
        for obj in (old, new):
            if obj is None:
                continue
            namespace, name = _key(obj)
            owner = controller_of(obj)
            if owner is not None and owner["kind"] == SPIDERMULTUSCONFIG.kind:
                self.queue.add((namespace, owner["name"]))
            for network in self._networks.all():
                if _key(network)[0] == namespace and _wanted_name(network) == name:
                    self.queue.add(_key(network))

    def _on_coordinator(self, old: Object | None, new: Object | None) -> None:
        specs = [obj and obj.get("spec") for obj in (old, new)]
        obj = new or old
        if obj is None or obj["metadata"]["name"] != DEFAULT_COORDINATOR or specs[0] == specs[1]:
            return
        for network in self._networks.all():
            self.queue.add(_key(network))

    async def reconcile(self, key: Key) -> None:
        """Make the attachment of one SpiderMultusConfig what it ought to be.

        Raises:
            BadInput: the SpiderMultusConfig cannot be turned into an attachment.
            KubeError: the API refused; to be tried again.
        """
        namespace, name = key
        network = self._networks.get(name, namespace)
        if network is None or _is_ending(network) or self._ends_with(namespace):
            return
        smc, warnings = read_network(network)
        for warning in warnings:
            self._recorder.warn(subject_of(network), Reason.OLD_NAME, warning)
        desired = attachment(smc, self._cluster())
        await self._write(smc, desired)
        await self._drop_renamed(smc)

    def _ends_with(self, namespace: str) -> bool:
        """Nothing can be made in a namespace that is going, and all of it goes."""
        found = self._namespaces.get(namespace)
        return found is not None and _is_ending(found)

    def _cluster(self) -> CoordinatorSpec | None:
        obj = self._coordinators.get(DEFAULT_COORDINATOR)
        return read(SpiderCoordinator, obj).spec if obj is not None else None

    async def _write(self, smc: SpiderMultusConfig, desired: Object) -> None:
        name, namespace = desired["metadata"]["name"], desired["metadata"]["namespace"]
        actual = self._attachments.get(name, namespace)
        if actual is None:
            await self._create(desired)
            return
        if _is_ending(actual):
            raise Conflict(409, "Conflict", f"{namespace}/{name} is being deleted")
        self._refuse_if_owned_by_another(smc, actual)
        fixed = repaired(actual, desired)
        if fixed is not None:
            written = await self._client.update(NETWORKATTACHMENT, fixed)
            self._attachments.observe(written)
            log.info("repaired NetworkAttachmentDefinition %s/%s", namespace, name)

    async def _create(self, desired: Object) -> None:
        try:
            written = await self._client.create(NETWORKATTACHMENT, desired)
        except AlreadyExists as exc:
            raise Conflict(409, "Conflict", str(exc)) from None
        self._attachments.observe(written)
        log.info(
            "made NetworkAttachmentDefinition %s/%s",
            desired["metadata"]["namespace"],
            desired["metadata"]["name"],
        )

    def _refuse_if_owned_by_another(self, smc: SpiderMultusConfig, actual: Object) -> None:
        owner = controller_of(actual)
        if owner is None or owner["uid"] == smc.metadata.uid:
            return
        namespace, name = _key(actual)
        if owner["kind"] == SPIDERMULTUSCONFIG.kind:
            other = self._networks.get(owner["name"], namespace)
            if other is None or other["metadata"]["uid"] != owner["uid"]:
                return  # it is gone
        problem = BadInput(
            f"{smc.KIND.kind} {namespace}/{smc.metadata.name}: metadata.annotations"
            f"[{ATTACHMENT_NAME!r}]",
            f"NetworkAttachmentDefinition {namespace}/{name} is owned by "
            f"{owner['kind']} {owner['name']}",
            "choose another name",
        )
        if network := self._networks.get(smc.metadata.name, namespace):
            self._recorder.warn(subject_of(network), Reason.NOT_USABLE, str(problem))
        raise problem

    async def _drop_renamed(self, smc: SpiderMultusConfig) -> None:
        """Delete what this SpiderMultusConfig made under a name that it no longer wants."""
        for obj in self._attachments.all():
            owner = controller_of(obj)
            namespace, name = _key(obj)
            if (
                owner is None
                or owner["uid"] != smc.metadata.uid
                or namespace != smc.metadata.namespace
                or name == attachment_name(smc)
            ):
                continue
            try:
                await self._client.delete(
                    NETWORKATTACHMENT, name, namespace, uid=obj["metadata"]["uid"]
                )
            except NotFound:
                continue


def subject_of(obj: Object) -> Subject:
    """The object, as events name it."""
    kind, metadata = SpiderMultusConfig.KIND, obj["metadata"]
    return Subject(
        kind.api_version, kind.kind, metadata["name"], metadata["namespace"], metadata["uid"]
    )


def controller_of(obj: Object) -> dict[str, Any] | None:
    """The controlling owner of an attachment: a SpiderMultusConfig, or some operator's object."""
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return dict(owner)
    return None


def _is_ending(obj: Object) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def _wanted_name(network: Object) -> str:
    metadata = network["metadata"]
    return str((metadata.get("annotations") or {}).get(ATTACHMENT_NAME) or metadata["name"])


def _key(obj: Object) -> Key:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
