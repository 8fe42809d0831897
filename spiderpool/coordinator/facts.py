"""What is known when a NIC is attached, and what follows from it at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from spiderpool.coordinator.config import Config
from spiderpool.coordinator.nics import NODE_VETH
from spiderpool.errors import BadInput
from spiderpool.netlink.objects import Link, LinkKind, NetState, Scope
from spiderpool.types.address import Address, Family, address_of
from spiderpool.types.modes import Mode
from spiderpool.types.names import MAIN, ContainerID, IfName


@dataclass(frozen=True, slots=True)
class Facts:
    """The input of a plan.

    ``node_addresses`` are the node's own addresses as the cluster knows them (``Node``
    ``status.addresses`` of type InternalIP); they only choose among what the node really
    holds. ``expected_nics`` are the NICs that the pod is going to have; None: not known.
    ``node_namespace`` is a descriptor of the node's namespace, in which the node's end of
    ``veth0`` is born.
    """

    pod: NetState
    node: NetState
    nic: IfName
    container: ContainerID
    config: Config
    node_addresses: tuple[Address, ...] = ()
    expected_nics: tuple[IfName, ...] | None = None
    node_namespace: int | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """The veth pair between pod and node that carries cluster traffic.

    In overlay mode the default CNI made it; in underlay mode the coordinator does.
    """

    pod_link: IfName
    pod_mac: str
    node_link: IfName
    node_mac: str


_NOT_NODE_LINKS = re.compile(
    r"(docker|cbr|dummy|virbr|lxc|veth|cali|flannel|kube-ipvs|cni|vx-submariner|cilium"
    r"|nodelocaldns)|lo$"
)
"""Links of a node whose addresses are not the node's: bridges of containers, pods' veths."""


def mode_of(facts: Facts) -> Mode:
    """The mode in effect: AUTO resolved, and refused where it cannot work.

    Raises:
        BadInput: overlay for the pod's first NIC or beside ``veth0``; underlay without it.
    """
    first, has_veth = facts.config.first_nic, facts.pod.link(NODE_VETH) is not None
    is_first, mode = facts.nic == first, facts.config.mode
    if mode is Mode.AUTO:
        return Mode.UNDERLAY if is_first or has_veth else Mode.OVERLAY
    if mode is Mode.OVERLAY and is_first:
        raise BadInput(
            f"interface {facts.nic}",
            "overlay mode is for additional NICs, not for the pod's first one",
            "use mode underlay or auto in the NAD of the default network",
        )
    if mode is Mode.OVERLAY and has_veth:
        raise BadInput(
            f"interface {facts.nic}",
            f"overlay mode, but {NODE_VETH} says that {first} was attached in underlay mode",
            "use mode auto or underlay for every NIC of this pod",
        )
    if mode is Mode.UNDERLAY and not is_first and not has_veth:
        raise BadInput(
            f"interface {facts.nic}",
            f"underlay mode needs {NODE_VETH}, which is made when {first} is attached",
            f"chain the coordinator into the NAD of {first} too, or use mode overlay or auto",
        )
    return mode


def passage_of(facts: Facts, mode: Mode) -> Passage:
    """The veth pair between the pod and its node.

    Raises:
        BadInput: overlay mode, and the first NIC is no veth whose other end is on the node.
    """
    if mode is Mode.UNDERLAY:
        return _own_passage(facts)
    first = facts.config.first_nic
    inner = facts.pod.link(first)
    if inner is None:
        raise BadInput(f"interface {first}", "the pod has no such link", "check podDefaultCniNic")
    outer = other_end(inner, facts.node.links)
    if outer is None:
        raise BadInput(
            f"interface {first}",
            "overlay mode needs a veth here whose other end is on the node",
            "use mode underlay, or a default network whose first NIC is a veth",
        )
    return Passage(first, inner.mac, outer.name, outer.mac)


_ON_A_PARENT = (LinkKind.MACVLAN, LinkKind.IPVLAN, LinkKind.VLAN)
"""Links whose ``parent_index`` is a NIC that they share, which may happen to refer back."""


def other_end(inner: Link, candidates: Iterable[Link]) -> Link | None:
    """The link at the other end of a pair; None for a link that is none of a pair."""
    if inner.kind in _ON_A_PARENT:
        return None
    return next(
        (
            outer
            for outer in candidates
            if outer.index == inner.parent_index and outer.parent_index == inner.index
        ),
        None,
    )


def node_link_name(container: ContainerID) -> IfName:
    """``veth`` and the first 11 characters of the container id: 15 bytes at most."""
    return IfName("veth" + container[:11])


def _own_passage(facts: Facts) -> Passage:
    """Addresses are derived from the container id, so that they are set explicitly (systemd
    leaves such alone) and are the same in every plan for this pod."""
    name = node_link_name(facts.container)
    inner, outer = facts.pod.link(NODE_VETH), facts.node.link(name)
    return Passage(
        NODE_VETH,
        inner.mac if inner else _derived_mac(facts.container, "pod"),
        name,
        outer.mac if outer else _derived_mac(facts.container, "node"),
    )


def _derived_mac(container: ContainerID, end: str) -> str:
    digest = hashlib.sha256(f"{end} {container}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))


def usable_addresses(state: NetState, nic: IfName, family: Family) -> tuple[Address, ...]:
    """The addresses of a link, without link-local ones, in the kernel's order."""
    return tuple(
        address_of(entry.address)
        for entry in state.addresses_of(nic, family)
        if entry.scope is not Scope.LINK and not is_local(address_of(entry.address))
    )


_LOCAL = re.compile(
    r"127\.|169\.254\.|22[4-9]\.|23\d\."  # 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4
    r"|::1(/|$)|fe[89ab][0-9a-f]:|ff[0-9a-f]{2}:"  # ::1, fe80::/10, ff00::/8
)


def is_local(address: str) -> bool:
    """Whether an address or prefix in canonical form is loopback, link-local or multicast:
    it leads nowhere beyond a link."""
    return _LOCAL.match(address) is not None


def families_of(facts: Facts) -> tuple[Family, ...]:
    """The families in which the NIC has addresses.

    Raises:
        BadInput: it has none.
    """
    families = tuple(f for f in Family if usable_addresses(facts.pod, facts.nic, f))
    if not families:
        raise BadInput(
            f"interface {facts.nic}",
            "it has no address that routes can be made for",
            "give its NAD an ipam section",
        )
    return families


def primary_address(facts: Facts, family: Family) -> Address | None:
    """The node's own address on its primary NIC: the gateway of the cluster routes.

    An InternalIP that the node holds; else what the node's default route would send from;
    else the first address of the first link that is the node's own.
    """
    own = node_addresses(facts.node, family)
    for address in facts.node_addresses:
        if address in own:
            return address
    for route in facts.node.routes:
        if route.table == MAIN and route.is_default and route.family is family:
            link = route.link or (route.nexthops[0].link if route.nexthops else None)
            candidates = usable_addresses(facts.node, link, family) if link else ()
            if route.source or candidates:
                return route.source or candidates[0]
    return own[0] if own else None


def node_addresses(node: NetState, family: Family) -> tuple[Address, ...]:
    """The node's own addresses in the kernel's order, without those of containers' links."""
    links = dict.fromkeys(entry.link for entry in node.addresses)
    return tuple(
        dict.fromkeys(
            address
            for link in links
            if not _NOT_NODE_LINKS.match(link)
            for address in usable_addresses(node, link, family)
        )
    )
