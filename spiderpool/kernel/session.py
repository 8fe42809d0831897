"""The work in one namespace that one connection asks for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from spiderpool.errors import NamespaceGone, OperationFailed
from spiderpool.kernel import detection, messages
from spiderpool.kernel.codec import Malformed
from spiderpool.kernel.role import Wire
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.transport import Transport

log = logging.getLogger(__name__)

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

    def answer(self, asked: messages.Question, descriptors: Sequence[int]) -> messages.Answer:
        """Do what is asked; ``descriptors`` came with the request, and stay the caller's.

        Raises:
            Malformed: the request names a descriptor that is none of them.
        """
        try:
            match asked:
                case messages.Dump(selection):
                    state = self._inside().dump(selection)
                    return messages.State(state, self._namespace.cookie)
                case messages.Execute(plan, until_refused):
                    plan_here = messages.with_descriptors(plan, _checked(descriptors))
                    answers = self._inside().execute(plan_here, until_refused=until_refused)
                    return messages.Outcomes(tuple(answers))
                case messages.AskCookie():
                    return messages.Cookie(self._namespace.cookie)
            return self._probe(asked)
        except OperationFailed as failure:
            return messages.Refused(failure.operation, failure.errno, failure.detail)
        except NamespaceGone as error:
            return messages.Gone(str(error))

    def announce(self, told: messages.Announce) -> None:
        """As far as it goes: others find out when their entries grow old."""
        try:
            wire = Wire(self._namespace, told.nic, told.mac)
            detection.announce(wire, told.addresses)
        except (OSError, NamespaceGone) as error:
            log.warning("%s: addresses are not announced: %s", told.nic, error)

    def _inside(self) -> Transport:
        if self._kernel is None:
            self._kernel = self._open(self._namespace)
        return self._kernel

    def _probe(self, asked: messages.FindRivals | messages.FindSilent) -> messages.Answer:
        wire = Wire(self._namespace, asked.nic, asked.mac)
        try:
            match asked:
                case messages.FindRivals(siblings=siblings, addresses=addresses):
                    wire = replace(wire, siblings=frozenset(siblings))
                    return messages.Rivals(asyncio.run(detection.conflicts(wire, addresses)))
                case messages.FindSilent(gateways=gateways):
                    return messages.Silent(asyncio.run(detection.silent(wire, gateways)))
        except OSError as error:
            return messages.CannotSend(error.errno or 0)


def _checked(descriptors: Sequence[int]) -> Sequence[int]:
    """Raises Malformed when one is no network namespace."""
    for descriptor in descriptors:
        try:
            Namespace.from_fd(descriptor)
        except NamespaceGone as error:
            raise Malformed(str(error)) from None
    return descriptors
