"""The plugin ``ifacer``: VLAN and bond devices of the node, shared by the pods upon them.

It stands first in a chain. A device that it made goes with the last attachment that asked
for it; one that was there before is used and left alone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spiderpool.agent.devices import Devices, Known, User
from spiderpool.agent.threads import in_thread
from spiderpool.cni.request import Attachment, CniRequest
from spiderpool.cni.result import CniResult
from spiderpool.errors import CniCode, CniError, OperationFailed, SpiderpoolError
from spiderpool.ifacer.config import configuration
from spiderpool.ifacer.devices import BondDevice, Device, devices
from spiderpool.ifacer.plan import plan
from spiderpool.ifacer.removal import in_use, removal
from spiderpool.netlink.apply import absent, apply, apply_all
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import NetState
from spiderpool.netlink.selection import Selection
from spiderpool.netlink.text import as_command
from spiderpool.netlink.transport import Transport
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import IfName

log = logging.getLogger(__name__)

_LINKS = Selection(link_local=False, tables=(), neighbours_of=(), rules=False)

CARRIER_SECONDS, LOOK_SECONDS = 10.0, 0.05
"""Gigabit Ethernet takes 2 to 4 s to negotiate."""

Open = Callable[[Namespace], Transport]


class IfacerHandler:
    """Serves one node; ``state`` is the folder of what it made. One call at a time."""

    def __init__(self, state: Path, open_node: Open) -> None:
        self._devices, self._open = Devices(state), open_node
        self._node = asyncio.Lock()

    async def handle(
        self, request: CniRequest, own: Namespace, pod: Namespace | None
    ) -> dict[str, Any]:
        """Carry out one call; see :class:`spiderpool.agent.server.Handler`."""
        async with self._node:
            match request.command:
                case CniCommand.ADD:
                    wanted = devices(configuration(request.config))
                    await in_thread(self._add, wanted, user_of(request), own)
                    given = request.prev_result or CniResult()
                    return given.to_json(request.cni_version)
                case CniCommand.CHECK:
                    await in_thread(self._check, devices(configuration(request.config)), own)
                case CniCommand.DEL:
                    await in_thread(self._leave, frozenset({user_of(request)}), own)
                case CniCommand.GC:
                    await in_thread(self._leave, self._stale(request), own)
        return {}

    async def restore(self, own: Namespace) -> None:
        """Make again what was there before a reboot; what fails is left to the next ADD."""
        async with self._node:
            await in_thread(self._restore, own)

    def _add(self, wanted: Sequence[Device], user: User, own: Namespace) -> None:
        if not wanted:
            return
        node = self._open(own)
        try:
            state = node.dump(_LINKS)
            operations = plan(wanted, state, self._ours(wanted))
            new = [device for device in wanted if state.link(device.name) is None]
            for device in wanted:
                self._note(device, user, state, is_new=device in new)
            try:
                apply(node, operations)
            except OperationFailed:
                self._drop(frozenset({user}), node)
                raise
            if operations:
                _await_carrier(wanted[-1].name, node)
        finally:
            node.close()

    def _note(self, device: Device, user: User, state: NetState, *, is_new: bool) -> None:
        """Before it is made: whatever happens then, it is known whose it is."""
        known = self._devices.load(device.name)
        if is_new:
            users = known.users if known is not None else frozenset()
            self._devices.save(Known(device, users | {user}, _idle(device, state)))
        elif known is not None and user not in known.users:
            self._devices.save(replace(known, users=known.users | {user}))

    def _check(self, wanted: Sequence[Device], own: Namespace) -> None:
        node = self._open(own)
        try:
            missing = plan(wanted, node.dump(_LINKS), self._ours(wanted))
        finally:
            node.close()
        if missing:
            words = "; ".join(map(as_command, missing))
            raise CniError(CniCode.CHECK_FAILED, f"the node's devices need: {words}")

    def _ours(self, wanted: Sequence[Device]) -> list[IfName]:
        return [device.name for device in wanted if self._devices.load(device.name) is not None]

    def _stale(self, request: CniRequest) -> frozenset[User]:
        users = frozenset(user for known in self._devices for user in known.users)
        return frozenset(
            user
            for user in users
            if user.network == request.network
            and Attachment(user.container, user.nic) not in request.valid_attachments
        )

    def _leave(self, users: frozenset[User], own: Namespace) -> None:
        if not any(known.users & users for known in self._devices):
            return
        node = self._open(own)
        try:
            self._drop(users, node)
        finally:
            node.close()

    def _drop(self, users: frozenset[User], node: Transport) -> None:
        """Forget the users, and remove what has none left: VLANs, then bonds.

        Raises:
            OperationFailed: the kernel keeps a device; it stays known, with its users.
        """
        for known in reversed(list(self._devices)):
            if not known.users & users:
                continue
            if left := known.users - users:
                self._devices.save(replace(known, users=left))
                continue
            self._remove(known, node)
            self._devices.forget(known.device.name)

    def _remove(self, known: Known, node: Transport) -> None:
        state = node.dump(_LINKS)
        found = state.link(known.device.name)
        if found is not None and in_use(known.device, found, state):
            log.warning("%s has got another use and stays", known.device.name)
        operations = removal(known.device, state, known.idle)
        for failure in apply_all(node, operations):
            if not absent(failure):
                raise failure

    def _restore(self, own: Namespace) -> None:
        node = self._open(own)
        try:
            for known in self._devices:
                self._make_again(known.device, node)
        finally:
            node.close()

    def _make_again(self, device: Device, node: Transport) -> None:
        try:
            operations = plan((device,), node.dump(_LINKS), ours=[device.name])
            apply(node, operations)
        except SpiderpoolError as exc:
            log.warning("%s is not restored: %s", device.name, exc)
            return
        if operations:
            log.info("%s is restored", device.name)


def _await_carrier(name: IfName, node: Transport) -> None:
    """Give NICs that were set up the seconds in which they agree with their switch.

    Who has the pod's address, and whether its gateway is there, is asked for a fraction of a
    second right afterwards: it would fail the ADD, and the device would go with it.
    """
    deadline = time.monotonic() + CARRIER_SECONDS
    while time.monotonic() < deadline:
        found = node.dump(_LINKS).link(name)
        if found is None or found.carrier:
            return
        time.sleep(LOOK_SECONDS)
    log.warning("%s has no carrier after %g s", name, CARRIER_SECONDS)


def user_of(request: CniRequest) -> User:
    """The attachment that a call is for."""
    return User(request.container_id, request.ifname, request.network)


def _idle(device: Device, state: NetState) -> tuple[IfName, ...]:
    """Members that are down."""
    if not isinstance(device, BondDevice):
        return ()
    found = [state.link(name) for name in device.members]
    return tuple(link.name for link in found if link is not None and not link.up)
