"""Ethernet frames that ask who has an address, and say that we have it. Pure.

ARP is RFC 826 and RFC 5227 (probes and announcements), NDP is RFC 4861 (messages) and
RFC 4862 section 5.4 (duplicate address detection).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from spiderpool.types.address import Address, Family, family_of, from_int, packed

ETHERTYPE_ARP = 0x0806
ETHERTYPE_IPV6 = 0x86DD

_NOWHERE_V4, _NOWHERE_V6 = Address("0.0.0.0"), Address("::")  # noqa: S104 - no socket binds to it
_BROADCAST = b"\xff" * 6
_ARP = struct.Struct(">HHBBH6s4s6s4s")
_REQUEST, _REPLY = 1, 2
_IPV6 = struct.Struct(">IHBB16s16s")
_ICMPV6 = 58
_HOP_LIMIT = 255
"""A router would lower it, so what arrives with less was not sent on this link."""
_SOLICITATION, _ADVERTISEMENT = 135, 136
_SOURCE_MAC, _TARGET_MAC = 1, 2
_OVERRIDE = 0x20000000
_ALL_NODES = Address("ff02::1")


@dataclass(frozen=True, slots=True)
class Heard:
    """Who speaks of an address: its holder, or (``probing``) someone about to take it."""

    address: Address
    mac: str
    probing: bool = False


def ethertype(family: Family) -> int:
    """The protocol that address resolution of this family uses."""
    return ETHERTYPE_ARP if family is Family.V4 else ETHERTYPE_IPV6


def probe(mac: str, address: Address) -> bytes:
    """Ask for an address without claiming it: sender 0.0.0.0 or ``::``."""
    if family_of(address) is Family.V4:
        return _arp(_REQUEST, mac, _NOWHERE_V4, b"\0" * 6, address)
    return _solicitation(mac, _NOWHERE_V6, address)


def question(mac: str, source: Address, target: Address) -> bytes:
    """Ask for the MAC of a neighbour, from an address of ours."""
    if family_of(target) is Family.V4:
        return _arp(_REQUEST, mac, source, b"\0" * 6, target)
    return _solicitation(mac, source, target)


def announcement(mac: str, address: Address) -> bytes:
    """Tell everybody that the address is at this MAC, whatever they believed."""
    if family_of(address) is Family.V4:
        return _arp(_REQUEST, mac, address, b"\0" * 6, address)
    body = struct.pack(">I", _OVERRIDE) + packed(address) + _option(_TARGET_MAC, mac)
    return _icmp(mac, address, _ALL_NODES, _ADVERTISEMENT, body)


def heard(frame: bytes) -> Heard | None:
    """What a received frame says about an address; None when it is about something else."""
    if len(frame) < 14:
        return None
    (kind,) = struct.unpack_from(">H", frame, 12)
    if kind == ETHERTYPE_ARP:
        return _heard_arp(frame[14:])
    if kind == ETHERTYPE_IPV6:
        return _heard_ndp(frame[6:12], frame[14:])
    return None


def _arp(operation: int, mac: str, sender: Address, target_mac: bytes, target: Address) -> bytes:
    raw = _mac(mac)
    fields = (1, 0x0800, 6, 4, operation, raw, packed(sender), target_mac, packed(target))
    return _BROADCAST + raw + struct.pack(">H", ETHERTYPE_ARP) + _ARP.pack(*fields)


def _heard_arp(body: bytes) -> Heard | None:
    if len(body) < _ARP.size:
        return None
    hardware, protocol, _, _, operation, mac, sender, _, target = _ARP.unpack_from(body)
    if (hardware, protocol) != (1, 0x0800) or operation not in (_REQUEST, _REPLY):
        return None
    probing = not any(sender)
    subject = target if probing else sender
    return Heard(from_int(int.from_bytes(subject, "big"), Family.V4), mac.hex(":"), probing)


def _solicitation(mac: str, source: Address, target: Address) -> bytes:
    """To the target's solicited-node group; a probe (RFC 4862) tells no MAC."""
    option = b"" if source == _NOWHERE_V6 else _option(_SOURCE_MAC, mac)
    body = bytes(4) + packed(target) + option
    group = packed("ff02::1:ff00:0")[:13] + packed(target)[13:]
    destination = from_int(int.from_bytes(group, "big"), Family.V6)
    return _icmp(mac, source, destination, _SOLICITATION, body)


def _option(kind: int, mac: str) -> bytes:
    return bytes((kind, 1)) + _mac(mac)


def _icmp(mac: str, source: Address, destination: Address, kind: int, body: bytes) -> bytes:
    """Multicast over Ethernet: RFC 2464 section 7."""
    target = packed(destination)
    message = struct.pack(">BBH", kind, 0, _checksum(packed(source), target, kind, body)) + body
    header = _IPV6.pack(6 << 28, len(message), _ICMPV6, _HOP_LIMIT, packed(source), target)
    ethernet = b"\x33\x33" + target[12:] + _mac(mac) + struct.pack(">H", ETHERTYPE_IPV6)
    return ethernet + header + message


def _checksum(source: bytes, target: bytes, kind: int, body: bytes) -> int:
    """Over the pseudo header of RFC 8200 section 8.1 and the message."""
    length = 4 + len(body)
    covered = source + target + struct.pack(">II", length, _ICMPV6)
    covered += struct.pack(">BBH", kind, 0, 0) + body
    words: tuple[int, ...] = struct.unpack(f">{len(covered) // 2}H", covered)
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _heard_ndp(mac: bytes, packet: bytes) -> Heard | None:
    """Advertisements by their holder, and solicitations from ``::``, which probe."""
    if len(packet) < _IPV6.size + 24:
        return None
    _, _, following, hops, source, _ = _IPV6.unpack_from(packet)
    kind = packet[_IPV6.size]
    if following != _ICMPV6 or hops != _HOP_LIMIT:
        return None
    probing = kind == _SOLICITATION and not any(source)
    if kind != _ADVERTISEMENT and not probing:
        return None
    raw = packet[_IPV6.size + 8 : _IPV6.size + 24]
    return Heard(from_int(int.from_bytes(raw, "big"), Family.V6), mac.hex(":"), probing)


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))
