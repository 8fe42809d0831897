"""What a NIC was given, as a CNI result and as an item of its SpiderEndpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spiderpool.cni.result import CniResult, IpConfig, ResultRoute
from spiderpool.ipam.blocks import Change
from spiderpool.ipam.pools import Pool
from spiderpool.types.address import (
    Address,
    Family,
    InterfaceAddress,
    Prefix,
    contains,
    family_of,
    length_of,
)
from spiderpool.types.endpoint import EndpointIP, EndpointRoute
from spiderpool.types.metadata import Route
from spiderpool.types.names import IfName

DEFAULT = {Family.V4: Prefix("0.0.0.0/0"), Family.V6: Prefix("::/0")}


@dataclass(frozen=True, slots=True)
class Grant:
    """One address out of one pool, and what was written to get it."""

    address: Address
    pool: Pool
    change: Change | None = None

    @property
    def interface_address(self) -> InterfaceAddress:
        return InterfaceAddress(f"{self.address}/{length_of(self.pool.subnet)}")


@dataclass(frozen=True, slots=True)
class NicGrant:
    """All that one NIC gets. ``routes`` are the pod's own wishes whose gateway is here."""

    nic: IfName
    grants: tuple[Grant, ...]
    routes: tuple[Route, ...] = ()
    clean_gateway: bool = False

    @property
    def all_routes(self) -> tuple[Route, ...]:
        """The pools' routes and the pod's; for one destination the pod's word counts."""
        own = {route.dst for route in self.routes}
        pools = (route for grant in self.grants for route in grant.pool.spec.routes)
        return (*(route for route in pools if route.dst not in own), *self.routes)


def routes_here(routes: Iterable[Route], grants: Iterable[Grant]) -> tuple[Route, ...]:
    """The routes whose gateway lies in a subnet of these grants."""
    subnets = [grant.pool.subnet for grant in grants]
    return tuple(r for r in routes if any(contains(subnet, r.gw) for subnet in subnets))


def cni_result(nic: NicGrant) -> CniResult:
    """``ips`` and ``routes``, without ``interfaces`` (CNI spec 1.1.0, section 5, "Delegated
    plugins (IPAM)"); the default route last, unless the gateway is to be kept clean."""
    routes = [ResultRoute(Prefix(r.dst), Address(r.gw)) for r in nic.all_routes]
    if not nic.clean_gateway:
        routes += [
            ResultRoute(DEFAULT[family_of(grant.address)], grant.pool.spec.gateway)
            for grant in nic.grants
            if grant.pool.spec.gateway
        ]
    ips = (IpConfig(grant.interface_address, grant.pool.spec.gateway) for grant in nic.grants)
    return CniResult(ips=tuple(ips), routes=tuple(routes))


def endpoint_ip(nic: NicGrant) -> EndpointIP:
    """The NIC's item in ``status.current.ips``."""
    by_family = {family_of(grant.address): grant for grant in nic.grants}
    v4, v6 = by_family.get(Family.V4), by_family.get(Family.V6)
    has_gateway = any(grant.pool.spec.gateway for grant in nic.grants)
    return EndpointIP(
        interface=nic.nic,
        ipv4=v4.interface_address if v4 else None,
        ipv6=v6.interface_address if v6 else None,
        ipv4_pool=v4.pool.name if v4 else None,
        ipv6_pool=v6.pool.name if v6 else None,
        ipv4_gateway=v4.pool.spec.gateway if v4 else None,
        ipv6_gateway=v6.pool.spec.gateway if v6 else None,
        clean_gateway=nic.clean_gateway if has_gateway else None,
        routes=tuple(EndpointRoute(dst=r.dst, gw=r.gw) for r in nic.all_routes),
    )
