"""Echo servers inside a namespace: each says whom it saw asking, and who it is."""

from __future__ import annotations

import asyncio
import enum
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from harness.probes.identity import LENGTH, Witness, identity_of, reply
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import Address, Family

_PACKET_INFO = {
    Family.V4: (socket.IPPROTO_IP, 8, 8),
    Family.V6: (socket.IPPROTO_IPV6, 49, 50),
}
"""Level, option that asks for it, type of the control message (ip(7), RFC 3542)."""

_IN_PKTINFO = struct.Struct("=i4s4s")
_IN6_PKTINFO = struct.Struct("=16si")
_REQUEST_LENGTH = LENGTH + 2


class Transport(enum.StrEnum):
    """A container port's ``protocol``."""

    UDP = "UDP"
    TCP = "TCP"


@dataclass(frozen=True, slots=True)
class ServedPort:
    transport: Transport
    number: int


ECHO_PORTS = (ServedPort(Transport.UDP, 7), ServedPort(Transport.TCP, 7))
"""What every node and host serves (RFC 862's port)."""


class EchoServers:
    """The servers of one namespace; ``name`` is who they say they are.

    They answer from the address that they were asked at, as nginx and CoreDNS do, so the
    namespace's rules choose the way back by that address.
    """

    def __init__(self, namespace: Namespace, name: str) -> None:
        self._namespace, self._name = namespace, name
        self._datagram_sockets: list[socket.socket] = []
        self._listeners: list[asyncio.Server] = []

    async def open(self, ports: Iterable[ServedPort]) -> None:
        """Serve these ports in every family that the namespace has.

        Raises:
            OSError: a port is taken.
        """
        for port in ports:
            for family in Family:
                if port.transport is Transport.UDP:
                    self._open_datagram(family, port.number)
                else:
                    await self._open_stream(family, port.number)

    def close(self) -> None:
        """Stop serving; connections that are open end with their clients."""
        loop = asyncio.get_running_loop()
        for sock in self._datagram_sockets:
            loop.remove_reader(sock)
            sock.close()
        for server in self._listeners:
            server.close()
        self._datagram_sockets.clear()
        self._listeners.clear()

    def _bound(self, family: Family, kind: int, port: int) -> socket.socket:
        sock = self._namespace.socket(family, kind)
        try:
            sock.setblocking(False)
            if family is Family.V6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("", port))  # any address
        except OSError:
            sock.close()
            raise
        return sock

    def _open_datagram(self, family: Family, port: int) -> None:
        sock = self._bound(family, socket.SOCK_DGRAM, port)
        level, option, _ = _PACKET_INFO[family]
        sock.setsockopt(level, option, 1)
        self._datagram_sockets.append(sock)
        asyncio.get_running_loop().add_reader(sock, self._answer_datagrams, sock, family)

    def _answer_datagrams(self, sock: socket.socket, family: Family) -> None:
        while True:
            try:
                data, ancillary, _, client = sock.recvmsg(_REQUEST_LENGTH + 1, 128)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error about an earlier answer
                continue
            answer = self._answer(data, client)
            if answer is not None:
                self._send_back(sock, family, answer, ancillary, client)

    def _send_back(
        self,
        sock: socket.socket,
        family: Family,
        answer: bytes,
        ancillary: list[tuple[int, int, bytes]],
        client: tuple[str, int],
    ) -> None:
        level, _, kind = _PACKET_INFO[family]
        asked_at = next(data for lev, typ, data in ancillary if (lev, typ) == (level, kind))
        if family is Family.V4:
            _, _, address = _IN_PKTINFO.unpack(asked_at)
            info = _IN_PKTINFO.pack(0, address, bytes(4))
        else:
            address, _ = _IN6_PKTINFO.unpack(asked_at)
            info = _IN6_PKTINFO.pack(address, 0)
        try:
            sock.sendmsg([answer], [(level, kind, info)], 0, client)
        except OSError:  # no way back: the client times out, and its capture shows why
            return

    async def _open_stream(self, family: Family, port: int) -> None:
        sock = self._bound(family, socket.SOCK_STREAM, port)
        self._listeners.append(await asyncio.start_server(self._answer_stream, sock=sock))

    async def _answer_stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            data = await reader.readexactly(_REQUEST_LENGTH)
            answer = self._answer(data, writer.get_extra_info("peername"))
            if answer is not None:
                writer.write(answer)
                await writer.drain()
                await reader.read()  # the client closes, so TIME_WAIT is its own
        except (OSError, asyncio.IncompleteReadError):
            return  # what the client sees of it is its own result
        finally:
            writer.close()

    def _answer(self, data: bytes, client: tuple[str, int]) -> bytes | None:
        identity = identity_of(data)
        if identity is None:
            return None
        return reply(identity, Witness(Address(client[0]), client[1], self._name))
