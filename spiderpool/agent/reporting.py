"""Tells a pod's users, by an event, why its NIC cannot be set up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from spiderpool.agent.server import Handler, Plugin
from spiderpool.cni.request import CniRequest
from spiderpool.errors import CniCode, SpiderpoolError
from spiderpool.kube.api import Informer
from spiderpool.kube.events import EventRecorder, Subject
from spiderpool.kube.reasons import Reason
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.modes import CniCommand

REASONS = {
    CniCode.ADDRESS_CONFLICT: Reason.ADDRESS_CONFLICT,
    CniCode.GATEWAY_UNREACHABLE: Reason.GATEWAY_UNREACHABLE,
    CniCode.INVALID_NETWORK_CONFIG: Reason.BAD_INPUT,
}
"""What a later attempt does not mend by itself. Everything else is in kubelet's own event."""


def reported(plugin: Plugin, events: EventRecorder, pods: Informer) -> Plugin:
    """The plugin, with events for what it refuses."""
    return replace(plugin, handler=Reported(plugin.handler, events, pods))


@dataclass(frozen=True, slots=True)
class Reported:
    """:class:`spiderpool.agent.server.Handler` whose refusals of an ADD become events."""

    handler: Handler
    events: EventRecorder
    pods: Informer

    async def handle(
        self, request: CniRequest, own: Namespace, pod: Namespace | None
    ) -> dict[str, Any]:
        """Carry out one call."""
        try:
            return await self.handler.handle(request, own, pod)
        except SpiderpoolError as error:
            reason = REASONS.get(error.code)
            if reason and request.command is CniCommand.ADD and request.pod_name:
                self.events.warn(self._subject(request), reason, f"{request.ifname}: {error}")
            raise

    def _subject(self, request: CniRequest) -> Subject:
        """``kubectl describe`` finds an event by the UID, which not every runtime passes."""
        known = self.pods.get(request.pod_name, request.pod_namespace)
        uid = request.pod_uid or (known["metadata"]["uid"] if known else "")
        return Subject("v1", "Pod", request.pod_name, request.pod_namespace, uid)
