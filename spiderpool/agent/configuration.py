"""The coordinator's configuration for one call, from everybody who has a say.

From the weakest to the strongest word: the SpiderCoordinator ``default``, the chain's entry
(network configuration), the pod's annotation. What the first two hold may be older than
the rules of admission, so values are checked here, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from spiderpool.coordinator.config import Config, PolicyRoute
from spiderpool.coordinator.nics import FIRST_NIC
from spiderpool.errors import BadInput, CniCode, CniError, SpiderpoolError
from spiderpool.types.address import (
    Address,
    Prefix,
    family_of,
    network_of,
    parse_address,
    parse_interface_address,
)
from spiderpool.types.codec import Schema, decode
from spiderpool.types.coordinator import (
    CoordinatorSettings,
    CoordinatorSpec,
    CoordinatorStatus,
    SpiderCoordinator,
)
from spiderpool.types.metadata import Route, read
from spiderpool.types.modes import Mode, Phase, PodCIDRType
from spiderpool.types.names import IfName, TableID

DEFAULT_ROUTE_NIC = "ipam.spidernet.io/default-route-nic"
NETCONF = "network configuration"

_SPELLINGS = {"podDefaultRouteNic": "podDefaultRouteNIC"}
"""Keys of an entry that are written in two ways -> the way of the API objects."""

_MAC_PREFIX = re.compile(r"[0-9a-fA-F][02468aceACE][:-][0-9a-fA-F]{2}")
_KERNEL_TABLES = range(253, 256)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetConf(CoordinatorSettings):
    """The coordinator's entry of a chain: the settings, and what only an entry can say."""

    pod_default_cni_nic: Annotated[IfName, Schema(name="podDefaultCniNic")] | None = None
    overlay_pod_cidr: tuple[str, ...] | None = None
    service_cidr: tuple[str, ...] | None = None


def configuration(
    netconf: Mapping[str, Any],
    coordinator: Mapping[str, Any] | None,
    annotations: Mapping[str, str],
) -> Config:
    """The merged and checked configuration; ``coordinator`` is the API object.

    Raises:
        BadInput: naming the object or configuration, and the field.
        CniError: 11, when the SpiderCoordinator is missing or not Synced, with its reason.
    """
    entry = _read_entry(netconf)
    if entry.mode is Mode.DISABLED:
        return Config(mode=Mode.DISABLED)
    if coordinator is None:
        raise _not_ready("there is no SpiderCoordinator named default; create one")
    cluster = read(SpiderCoordinator, coordinator)
    if (entry.mode or cluster.spec.mode) is Mode.DISABLED:
        return Config(mode=Mode.DISABLED)
    return _merged(entry, cluster.spec, _synced(cluster), annotations)


def removal_configuration(
    netconf: Mapping[str, Any], coordinator: Mapping[str, Any] | None
) -> Config:
    """What a DEL needs, from whatever can still be read: it never refuses."""
    for source in (netconf, {}):
        for cluster in (coordinator, None):
            try:
                entry = _read_entry(source)
                spec = read(SpiderCoordinator, cluster).spec if cluster else _UNKNOWN
                return _merged(entry, spec, CoordinatorStatus(phase=Phase.SYNCED), {})
            except SpiderpoolError:
                continue
    return Config()


def _read_entry(netconf: Mapping[str, Any]) -> NetConf:
    respelled = {_SPELLINGS.get(key, key): value for key, value in netconf.items()}
    return decode(NetConf, respelled, NETCONF)


_UNKNOWN = CoordinatorSpec(pod_cidr_type=PodCIDRType.NONE)


def _synced(cluster: SpiderCoordinator) -> CoordinatorStatus:
    status = cluster.status
    if status is None:
        raise _not_ready("SpiderCoordinator default has no status yet: is the controller running?")
    if status.phase is not Phase.SYNCED:
        reason = status.reason or "it gives no reason"
        raise _not_ready(f"SpiderCoordinator default is {status.phase}: {reason}")
    return status


def _merged(
    entry: NetConf,
    spec: CoordinatorSpec,
    status: CoordinatorStatus,
    annotations: Mapping[str, str],
) -> Config:
    def chosen(name: str) -> tuple[Any, str]:
        """A setting, and whose it is: an entry that says nothing leaves it to the cluster."""
        own = getattr(entry, name)
        if own not in (None, "", ()):
            return own, NETCONF
        return getattr(spec, name), "SpiderCoordinator default: spec"

    nic, origin = _field(chosen("pod_default_route_nic"), "podDefaultRouteNIC")
    if annotated := annotations.get(DEFAULT_ROUTE_NIC, "").strip():
        nic, origin = IfName(annotated), f"annotation {DEFAULT_ROUTE_NIC}"
    return Config(
        mode=chosen("mode")[0],
        overlay_pod_cidr=_cluster_networks(
            entry.overlay_pod_cidr, status.overlay_pod_cidr, "overlayPodCIDR"
        ),
        service_cidr=_cluster_networks(entry.service_cidr, status.service_cidr, "serviceCIDR"),
        hijack_cidr=_hijacked(*_field(chosen("hijack_cidr"), "hijackCIDR")),
        policy_routes=_policy_routes(*_field(chosen("policy_routes"), "policyRoutes")),
        tune_pod_routes=chosen("tune_pod_routes")[0],
        default_route_nic=nic,
        default_route_origin=origin if nic else "",
        first_nic=entry.pod_default_cni_nic or FIRST_NIC,
        mac_prefix=_mac_prefix(*_field(chosen("pod_mac_prefix"), "podMACPrefix")),
        tx_queue_len=_at_least(0, *_field(chosen("tx_queue_len"), "txQueueLen")),
        pod_rp_filter=_rp_filter(*_field(chosen("pod_rp_filter"), "podRPFilter")),
        host_rp_filter=_rp_filter(*_field(chosen("host_rp_filter"), "hostRPFilter")),
        host_rule_table=_table(*_field(chosen("host_rule_table"), "hostRuleTable")),
        veth_link_address=_address(*_field(chosen("veth_link_address"), "vethLinkAddress")),
        veth_mtu=_mtu(*_field(chosen("veth_mtu"), "vethMTU")),
        detect_gateway=chosen("detect_gateway")[0],
        detect_ip_conflict=chosen("detect_ip_conflict")[0],
    )


def _field(chosen: tuple[Any, str], key: str) -> tuple[Any, str]:
    value, where = chosen
    return value, f"{where}.{key}" if ": " in where else f"{where}: {key}"


def _cluster_networks(
    own: tuple[str, ...] | None, found: tuple[str, ...], key: str
) -> tuple[Prefix, ...]:
    """What the entry says, else what the controller found out."""
    if own:
        return _networks(own, f"{NETCONF}: {key}")
    return _networks(found, f"SpiderCoordinator default: status.{key}")


def _networks(items: Iterable[str], where: str) -> tuple[Prefix, ...]:
    """CIDRs; an address means itself only, and host bits are dropped as upstream does."""
    return tuple(
        network_of(parse_interface_address(item, f"{where}[{index}]"))
        for index, item in enumerate(items)
    )


def _hijacked(items: Iterable[str], where: str) -> tuple[Prefix, ...]:
    """More networks that are reached by the node; everything is what default routes are for."""
    found = _networks(items, where)
    for index, network in enumerate(found):
        if network.endswith("/0"):
            hint = "set podDefaultRouteNIC to move the default route"
            raise BadInput(f"{where}[{index}]", f"{network} is a default route", hint)
    return found


def _mtu(value: int, where: str) -> int:
    """The kernel takes no less for a veth (ETH_MIN_MTU) and no more (ETH_MAX_MTU)."""
    if not 68 <= value <= 65535:
        raise BadInput(where, f"{value} is no MTU of a veth", "use 68 to 65535, best 1500")
    return value


def _policy_routes(routes: Iterable[Route], where: str) -> tuple[PolicyRoute, ...]:
    found = []
    for index, route in enumerate(routes):
        place = f"{where}[{index}]"
        destination = network_of(parse_interface_address(route.dst, f"{place}.dst"))
        gateway = parse_address(route.gw, f"{place}.gw")
        if family_of(destination) is not family_of(gateway):
            raise BadInput(place, f"dst {destination} and gw {gateway} are of two families")
        found.append(PolicyRoute(destination, gateway))
    return tuple(found)


def _address(text: str | None, where: str) -> Address | None:
    return parse_address(text, where) if text else None


def _mac_prefix(text: str | None, where: str) -> str:
    if not text:
        return ""
    if not _MAC_PREFIX.fullmatch(text):
        raise BadInput(where, f"{text!r} is no prefix", "write two bytes, the first even: 0a:1b")
    return text.replace("-", ":").lower()


def _rp_filter(value: int, where: str) -> int | None:
    if value > 2:
        raise BadInput(where, f"{value} is no mode", "use 0, 1, 2, or -1 to leave it alone")
    return value if value >= 0 else None


def _table(value: int, where: str) -> TableID:
    if not 0 < value < 1 << 32 or value in _KERNEL_TABLES:
        raise BadInput(where, f"{value} cannot be used", "use a number from 1 on, not 253 to 255")
    return TableID(value)


def _at_least(least: int, value: int, where: str) -> int:
    if value < least:
        raise BadInput(where, f"{value} is too small", f"use {least} or more")
    return value


def _not_ready(words: str) -> CniError:
    return CniError(CniCode.TRY_AGAIN_LATER, words)
