"""Address conflicts and absent gateways, found out on the wire of a pod's NIC.

RFC 5227 and RFC 4862 in spirit: several probes, and silence counts only after the last one
had time for an answer. The times are a hundredth of the RFC's, since a pod waits: on a
LAN an answer takes less than a millisecond, and one lost frame must not decide.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from spiderpool.kernel.frames import (
    Heard,
    announcement,
    ethertype,
    heard,
    probe,
    question,
)
from spiderpool.kernel.role import Wire
from spiderpool.netlink.closing import close_aside
from spiderpool.types.address import Address, Family, family_of

_FRAME = 2048


@dataclass(frozen=True, slots=True)
class Timing:
    """``count`` frames, ``interval`` seconds apart, and ``wait`` seconds after the last."""

    count: int = 4
    interval: float = 0.05
    wait: float = 0.15


PROBING = Timing()


async def conflicts(
    wire: Wire, addresses: Iterable[Address], timing: Timing = PROBING
) -> dict[Address, str]:
    """Those addresses that someone else has or is about to take, and that one's MAC.

    Raises:
        OSError: the NIC cannot send, as when it is down.
    """
    wanted = set(addresses)

    def is_rival(one: Heard) -> bool:
        return one.address in wanted and one.mac not in {wire.mac, *wire.siblings}

    frames = {address: probe(wire.mac, address) for address in wanted}
    return await _ask(wire, frames, is_rival, timing)


async def silent(
    wire: Wire, gateways: Mapping[Address, Address], timing: Timing = PROBING
) -> tuple[Address, ...]:
    """Gateways that do not answer; ``gateways`` maps each to the address to ask from.

    Raises:
        OSError: the NIC cannot send, as when it is down.
    """

    def is_gateway(one: Heard) -> bool:
        return one.address in gateways and not one.probing and one.mac != wire.mac

    frames = {gateway: question(wire.mac, own, gateway) for gateway, own in gateways.items()}
    answered = await _ask(wire, frames, is_gateway, timing)
    return tuple(gateway for gateway in gateways if gateway not in answered)


def announce(wire: Wire, addresses: Iterable[Address]) -> None:
    """Make neighbours and switches forget where the addresses were before.

    Raises:
        OSError: the NIC cannot send, as when it is down.
    """
    for address in addresses:
        with _socket(wire, family_of(address)) as opened:
            _send(opened, announcement(wire.mac, address))


async def _ask(
    wire: Wire,
    frames: Mapping[Address, bytes],
    is_answer: Callable[[Heard], bool],
    timing: Timing,
) -> dict[Address, str]:
    """Send all frames ``timing.count`` times, until each has its answer."""
    answers: dict[Address, str] = {}
    if not frames:
        return answers
    complete = asyncio.Event()
    with ExitStack() as held:
        sockets = {
            family: held.enter_context(_socket(wire, family))
            for family in {family_of(address) for address in frames}
        }

        async def listen(opened: socket.socket) -> None:
            while len(answers) < len(frames):
                one = heard(await asyncio.get_running_loop().sock_recv(opened, _FRAME))
                if one is not None and is_answer(one):
                    answers[one.address] = one.mac
            complete.set()

        listeners = [asyncio.create_task(listen(opened)) for opened in sockets.values()]
        try:
            for remaining in reversed(range(timing.count)):
                for address, frame in frames.items():
                    if address not in answers:
                        _send(sockets[family_of(address)], frame)
                await _until(complete, timing.interval if remaining else timing.wait)
        finally:
            for listener in listeners:
                listener.cancel()
            await asyncio.gather(*listeners, return_exceptions=True)
    return answers


def _send(opened: socket.socket, frame: bytes) -> None:
    """A frame that a NIC without carrier drops is as lost as any other."""
    try:
        opened.send(frame)
    except OSError as exc:
        if exc.errno != errno.ENOBUFS:
            raise


async def _until(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


@contextmanager
def _socket(wire: Wire, family: Family) -> Iterator[socket.socket]:
    """A packet socket that hears one protocol on one NIC; it hears nothing before bind(2)."""
    opened = wire.namespace.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC)
    try:
        opened.setblocking(False)
        opened.bind((wire.nic, ethertype(family)))
        yield opened
    finally:
        close_aside(opened)
