"""The work in one namespace that one connection asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from spiderpool.errors import NamespaceGone, OperationFailed
from spiderpool.kernel import detection, messages
from spiderpool.kernel.codec import Malformed
from spiderpool.kernel.role import Wire
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.transport import Transport

Open = Callable[[Namespace], Transport]


class Session:
    """Owns ``namespace``; ``open_kernel`` is called when something is read or changed."""

    def __init__(self, namespace: Namespace, open_kernel: Open = Kernel) -> None:
        self._namespace, self._open = namespace, open_kernel
        self._kernel: Transport | None = None

    def close(self) -> None:
        if self._kernel is not None:
            self._kernel.close()
        self._namespace.close()

    def answer(self, request: messages.Request, descriptors: Sequence[int]) -> messages.Answer:
        """Do what is asked; ``descriptors`` came with the request, and stay the caller's.

        Raises:
            Malformed: the request names a descriptor that is none of them.
        """
        try:
            return self._answer(request, descriptors)
        except OperationFailed as failure:
            return messages.Refused(failure.operation, failure.errno, failure.detail)
        except NamespaceGone as error:
            return messages.Gone(str(error))

    def _answer(self, request: messages.Request, descriptors: Sequence[int]) -> messages.Answer:
        match request:
            case messages.Dump(selection):
                state = self._inside().dump(selection)
                return messages.State(state, self._namespace.cookie)
            case messages.Execute(plan, until_refused):
                plan_here = messages.with_descriptors(plan, _checked(descriptors))
                answers = self._inside().execute(plan_here, until_refused=until_refused)
                return messages.Outcomes(tuple(answers))
            case messages.AskCookie():
                return messages.Cookie(self._namespace.cookie)
        try:
            return self._probe(request)
        except OSError as error:
            return messages.CannotSend(error.errno or 0)

    def _inside(self) -> Transport:
        if self._kernel is None:
            self._kernel = self._open(self._namespace)
        return self._kernel

    def _probe(
        self, request: messages.FindRivals | messages.FindSilent | messages.Announce
    ) -> messages.Answer:
        wire = Wire(self._namespace, request.nic, request.mac)
        match request:
            case messages.FindRivals(siblings=siblings, addresses=addresses):
                wire = Wire(wire.namespace, wire.nic, wire.mac, frozenset(siblings))
                return messages.Rivals(asyncio.run(detection.conflicts(wire, addresses)))
            case messages.FindSilent(gateways=gateways):
                return messages.Silent(asyncio.run(detection.silent(wire, gateways)))
            case messages.Announce(addresses=addresses):
                detection.announce(wire, addresses)
                return messages.Done()


def _checked(descriptors: Sequence[int]) -> Sequence[int]:
    """Raises Malformed when one is no network namespace."""
    for descriptor in descriptors:
        try:
            Namespace.from_fd(descriptor)
        except NamespaceGone as error:
            raise Malformed(str(error)) from None
    return descriptors
