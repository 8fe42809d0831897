"""What the coordinator is told to do: the NAD's configuration over the SpiderCoordinator."""

from __future__ import annotations

from dataclasses import dataclass

from spiderpool.coordinator.nics import FIRST_NIC
from spiderpool.types.address import Address, Prefix
from spiderpool.types.modes import Mode
from spiderpool.types.names import IfName, TableID

HOST_RULE_TABLE = TableID(500)


@dataclass(frozen=True, slots=True)
class PolicyRoute:
    """A route that lives in the table of the NIC that the configuration is for."""

    destination: Prefix
    gateway: Address


@dataclass(frozen=True, slots=True)
class Config:
    """The merged and checked configuration. None and 0 mean "leave alone" where noted."""

    mode: Mode = Mode.AUTO
    overlay_pod_cidr: tuple[Prefix, ...] = ()
    service_cidr: tuple[Prefix, ...] = ()
    hijack_cidr: tuple[Prefix, ...] = ()
    policy_routes: tuple[PolicyRoute, ...] = ()
    tune_pod_routes: bool = True
    default_route_nic: IfName | None = None
    default_route_origin: str = ""
    """Who chose ``default_route_nic``, for messages."""
    first_nic: IfName = FIRST_NIC
    mac_prefix: str = ""
    """``0a:1b``; empty: leave the MAC alone."""
    tx_queue_len: int = 0
    """Packets; 0: leave alone."""
    pod_rp_filter: int | None = 0
    host_rp_filter: int | None = None
    host_rule_table: TableID = HOST_RULE_TABLE
    veth_link_address: Address | None = None
    veth_mtu: int = 1500
    detect_gateway: bool = False
    detect_ip_conflict: bool = False

    @property
    def cluster_cidrs(self) -> tuple[Prefix, ...]:
        """Every destination that is reached through the node, each once, in written order."""
        return tuple(dict.fromkeys((*self.overlay_pod_cidr, *self.service_cidr, *self.hijack_cidr)))
