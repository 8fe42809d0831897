"""What a frame's headers say: addresses, ports, kinds. Pure; only what paths are judged by."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from harness.capture.frame import Frame, Framing
from spiderpool.types.address import Address, Family

_TYPES = {0x0800: Family.V4, 0x86DD: Family.V6}
_ARP, _ARP_REQUEST, _ARP_REPLY = b"\x08\x06", 1, 2
_SOLICITATION, _ADVERTISEMENT = 135, 136
_TCP = struct.Struct(">HHIIBB")
_PORTS = struct.Struct(">HH")
_FRAGMENT_OFFSET = 0x1FFF
_ICMP = {socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6}


@dataclass(frozen=True, slots=True)
class TcpHeader:
    sequence: int
    acknowledged: int
    flags: int

    SYN = 0x02
    RST = 0x04
    ACK = 0x10


@dataclass(frozen=True, slots=True)
class Packet:
    """One IP packet. ``ports`` for UDP and TCP, ``icmp_type`` for ICMP."""

    family: Family
    source: Address
    destination: Address
    protocol: int
    ports: tuple[int, int] | None = None
    icmp_type: int | None = None
    tcp: TcpHeader | None = None


def packet_of(frame: Frame) -> Packet | None:
    """The IP packet in a frame; None for ARP, what is cut short, and later fragments."""
    family, data = _network_layer(frame)
    if family is Family.V4 and len(data) >= 20:
        start = (data[0] & 0x0F) * 4
        (fragment,) = struct.unpack_from(">H", data, 6)
        if fragment & _FRAGMENT_OFFSET:
            return None
        return _packet(family, data[12:16], data[16:20], data[9], data[start:])
    if family is Family.V6 and len(data) >= 40:
        return _packet(family, data[8:24], data[24:40], data[6], data[40:])
    return None


def neighbour_asked_for(frame: Frame) -> Address | None:
    """Whose MAC a frame asks for; None for all but ARP requests and neighbour solicitations."""
    return _neighbour(frame, _ARP_REQUEST, 24, _SOLICITATION)


def neighbour_answered_for(frame: Frame) -> Address | None:
    """Whose MAC a frame tells; None for all but ARP replies and neighbour advertisements."""
    return _neighbour(frame, _ARP_REPLY, 14, _ADVERTISEMENT)


def _neighbour(frame: Frame, operation: int, offset: int, kind: int) -> Address | None:
    """The address in ARP (RFC 826) at ``offset``, or the target in NDP (RFC 4861, section 4)."""
    family, data = _network_layer(frame)
    is_arp = frame.framing is Framing.ETHERNET and frame.data[12:14] == _ARP
    if is_arp and len(data) >= 28 and data[7] == operation:
        return Address(socket.inet_ntop(Family.V4, data[offset : offset + 4]))
    is_ndp = family is Family.V6 and len(data) >= 64 and data[6] == socket.IPPROTO_ICMPV6
    if is_ndp and data[40] == kind:
        return Address(socket.inet_ntop(Family.V6, data[48:64]))
    return None


def _network_layer(frame: Frame) -> tuple[Family | None, bytes]:
    if frame.framing is Framing.ETHERNET:
        kind = int.from_bytes(frame.data[12:14], "big")
        return _TYPES.get(kind), frame.data[Framing.ETHERNET :]
    version = frame.data[0] >> 4 if frame.data else 0
    return {4: Family.V4, 6: Family.V6}.get(version), frame.data


def _packet(
    family: Family, source: bytes, destination: bytes, protocol: int, data: bytes
) -> Packet | None:
    ends = (
        Address(socket.inet_ntop(family, source)),
        Address(socket.inet_ntop(family, destination)),
    )
    if protocol in _ICMP and data:
        return Packet(family, *ends, protocol, icmp_type=data[0])
    if protocol == socket.IPPROTO_UDP and len(data) >= _PORTS.size:
        return Packet(family, *ends, protocol, ports=_PORTS.unpack_from(data))
    if protocol == socket.IPPROTO_TCP and len(data) >= _TCP.size:
        source_port, target_port, sequence, acknowledged, _, flags = _TCP.unpack_from(data)
        header = TcpHeader(sequence, acknowledged, flags)
        return Packet(family, *ends, protocol, ports=(source_port, target_port), tcp=header)
    return None
