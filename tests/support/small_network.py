"""Three namespaces in a row: client 10.1.0.2, router, server 10.2.0.2; IPv6 beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from spiderpool.netlink.apply import apply
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkAddress, LinkKind
from spiderpool.netlink.operations import AddAddress, AddRoute, CreateLink, Peer, SetSysctl
from spiderpool.testing.builders import route, up
from spiderpool.testing.namespaces import new_namespace
from spiderpool.types.address import InterfaceAddress
from spiderpool.types.names import IfName

_WITHOUT_DELAY = ("ipv4/conf/all/rp_filter", "ipv6/conf/default/accept_dad")
"""Duplicate address detection takes a second or two."""


@dataclass(frozen=True)
class Row:
    """``client`` eth0 - left ``router`` right - eth0 ``server``; the router forwards."""

    client: Namespace
    router: Namespace
    server: Namespace

    def places(self) -> dict[str, Namespace]:
        return {"client": self.client, "router": self.router, "server": self.server}


@contextmanager
def row() -> Iterator[Row]:
    with ExitStack() as stack:
        made = Row(*(stack.enter_context(new_namespace()) for _ in range(3)))
        for namespace in (made.client, made.router, made.server):
            apply(namespace, [SetSysctl(key, "0") for key in _WITHOUT_DELAY])
        apply(
            made.router,
            [
                SetSysctl("ipv4/conf/all/forwarding", "1"),
                SetSysctl("ipv6/conf/all/forwarding", "1"),
                _wire("left", made.client),
                _wire("right", made.server),
                *_addresses("left", "10.1.0.1/24", "fd01::1/64"),
                *_addresses("right", "10.2.0.1/24", "fd02::1/64"),
            ],
        )
        for namespace, net in ((made.client, 1), (made.server, 2)):
            apply(
                namespace,
                [
                    up("eth0"),
                    *_addresses("eth0", f"10.{net}.0.2/24", f"fd0{net}::2/64"),
                    AddRoute(route("0.0.0.0/0", "eth0", f"10.{net}.0.1")),
                    AddRoute(route("::/0", "eth0", f"fd0{net}::1")),
                ],
            )
        yield made


def _wire(name: str, other: Namespace) -> CreateLink:
    peer = Peer(IfName("eth0"), namespace=other.fd)
    return CreateLink(IfName(name), LinkKind.VETH, up=True, peer=peer)


def _addresses(link: str, *addresses: str) -> list[AddAddress]:
    return [
        AddAddress(LinkAddress(IfName(link), InterfaceAddress(each), no_dad=True))
        for each in addresses
    ]
