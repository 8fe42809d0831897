"""Rules of SpiderCoordinators, and of the coordinator block of a network."""

from __future__ import annotations

import re
from collections.abc import Sequence

from spiderpool.cni.request import is_link_name
from spiderpool.controller.admission.findings import Cluster, Findings, Request
from spiderpool.controller.admission.updates import is_judged
from spiderpool.types.address import (
    family_of,
    network_of,
    parse_address,
    parse_interface_address,
)
from spiderpool.types.coordinator import (
    DEFAULT_COORDINATOR,
    CoordinatorSettings,
    CoordinatorSpec,
    SpiderCoordinator,
)
from spiderpool.types.metadata import Route, read

_MAC_PREFIX = re.compile(r"[0-9a-fA-F]{2}:[0-9a-fA-F]{2}")
KERNEL_TABLES = {253: "default", 254: "main", 255: "local"}


def check(request: Request, cluster: Cluster, found: Findings) -> None:
    """A SpiderCoordinator that is created or changed."""
    new = request.new
    if new is None or not is_judged(request.old, new, found):
        return
    if not (new.get("spec") or {}).get("podCIDRType"):
        remedy = "use one of: auto, cluster, calico, cilium, none"
        found.refuse("spec.podCIDRType", "is not allowed to be empty", remedy)
        return
    coordinator = found.attempt(read, SpiderCoordinator, new)
    if coordinator is None:
        return
    spec = coordinator.spec
    check_settings(spec, "spec", found)
    check_cidrs(spec.overlay_pod_cidr, "spec.overlayPodCIDR", found)
    check_cidrs(spec.service_cidr, "spec.serviceCIDR", found)
    if coordinator.metadata.name != DEFAULT_COORDINATOR:
        found.warn(f"only the SpiderCoordinator {DEFAULT_COORDINATOR!r} is used")


def check_settings(
    settings: CoordinatorSpec | CoordinatorSettings, path: str, found: Findings
) -> None:
    """The members that a SpiderCoordinator and a network's block share."""
    check_cidrs(settings.hijack_cidr or (), f"{path}.hijackCIDR", found)
    _check_routes(settings.policy_routes or (), f"{path}.policyRoutes", found)
    _check_mac_prefix(settings.pod_mac_prefix, f"{path}.podMACPrefix", found)
    nic = settings.pod_default_route_nic
    if nic is not None and not is_link_name(nic):
        problem = f"{nic!r} is not the name of a NIC"
        found.refuse(f"{path}.podDefaultRouteNIC", problem, "name a NIC of pods, like net1")
    _check_table(settings.host_rule_table, f"{path}.hostRuleTable", found)
    for field, value in (
        ("podRPFilter", settings.pod_rp_filter),
        ("hostRPFilter", settings.host_rp_filter),
    ):
        if value is not None and value > 2:
            found.refuse(f"{path}.{field}", f"{value} is not 0, 1 or 2", "negative: leave alone")
    if settings.tx_queue_len is not None and settings.tx_queue_len < 0:
        problem = f"{settings.tx_queue_len} is negative"
        found.refuse(f"{path}.txQueueLen", problem, "0 leaves the queue alone")
    if settings.veth_mtu is not None and not 68 <= settings.veth_mtu <= 65535:
        problem = f"{settings.veth_mtu} is no MTU of a veth"
        found.refuse(f"{path}.vethMTU", problem, "use 68 to 65535, best 1500")


def check_cidrs(items: Sequence[str], field: str, found: Findings) -> None:
    """Each a CIDR, or an address that stands for itself; never a default route."""
    for index, item in enumerate(items):
        network = found.attempt(parse_interface_address, item, f"{field}[{index}]")
        if network and network.endswith("/0"):
            remedy = "set podDefaultRouteNIC to move the pod's default route"
            found.refuse(f"{field}[{index}]", f"{item} is a default route", remedy)
        elif network and "/" in item and str(network_of(network)) != network:
            found.warn(f"{field}[{index}] {item} has host bits; it means {network_of(network)}")


def _check_routes(routes: Sequence[Route], field: str, found: Findings) -> None:
    for index, route in enumerate(routes):
        dst = found.attempt(parse_interface_address, route.dst, f"{field}[{index}].dst")
        gateway = found.attempt(parse_address, route.gw, f"{field}[{index}].gw")
        if dst and gateway and family_of(dst) is not family_of(gateway):
            problem = f"dst {route.dst} and gw {route.gw} are of different families"
            found.refuse(f"{field}[{index}]", problem, "use two of one family")


def _check_mac_prefix(prefix: str | None, field: str, found: Findings) -> None:
    if prefix is None:
        return
    if not _MAC_PREFIX.fullmatch(prefix):
        found.refuse(field, f"{prefix!r} is not two bytes of a MAC", "write it like 0a:1b")
    elif int(prefix[:2], 16) & 1:
        remedy = "make the first byte even, like 0a"
        found.refuse(field, f"{prefix!r} begins a multicast MAC", remedy)


def _check_table(table: int | None, field: str, found: Findings) -> None:
    if table is None:
        return
    if table in KERNEL_TABLES:
        problem = f"{table} is the kernel's table {KERNEL_TABLES[table]}"
        found.refuse(field, problem, "choose another, like 500")
    elif not 0 < table < 1 << 32:
        found.refuse(field, f"{table} is not a routing table", "use 1 to 4294967295")
