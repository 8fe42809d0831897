"""Default routes and connected networks, as ``/proc/net`` tells them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from spiderpool.ctl.node.files import Root
from spiderpool.types.address import Prefix

GATEWAY_FLAG = 0x2
ROUTES, ROUTES_6 = "/proc/net/route", "/proc/net/ipv6_route"


def default_nics(root: Root) -> tuple[str, ...]:
    """Links of default routes, the IPv4 one first."""
    found = [nic for nic, network, _ in _v4(root) if network.endswith("/0")]
    found += [nic for nic, network, _ in _v6(root) if network == "::/0" and nic != "lo"]
    return tuple(dict.fromkeys(found))


def networks(root: Root) -> dict[str, tuple[Prefix, ...]]:
    """What lies behind each link without a gateway; link-local networks are left out."""
    found: dict[str, list[Prefix]] = {}
    for nic, network, connected in (*_v4(root), *_v6(root)):
        parsed = ipaddress.ip_network(network)
        host = parsed.prefixlen == parsed.max_prefixlen
        if connected and not (host or parsed.prefixlen == 0 or _is_special(parsed)):
            found.setdefault(nic, []).append(Prefix(network))
    return {nic: tuple(dict.fromkeys(prefixes)) for nic, prefixes in found.items()}


def _is_special(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    return network.is_link_local or network.is_multicast or network.is_loopback


def _v4(root: Root) -> Iterator[tuple[str, str, bool]]:
    """Link, network, and whether it is connected (proc(5), /proc/net/route: little-endian)."""
    for line in (root.text(ROUTES) or "").splitlines()[1:]:
        words = line.split()
        address = ipaddress.IPv4Address(bytes.fromhex(words[1])[::-1])
        length = int(words[7], 16).bit_count()
        yield words[0], f"{address}/{length}", not int(words[3], 16) & GATEWAY_FLAG


def _v6(root: Root) -> Iterator[tuple[str, str, bool]]:
    for line in (root.text(ROUTES_6) or "").splitlines():
        words = line.split()
        address = ipaddress.IPv6Address(bytes.fromhex(words[0]))
        yield words[9], f"{address}/{int(words[1], 16)}", not int(words[8], 16) & GATEWAY_FLAG
