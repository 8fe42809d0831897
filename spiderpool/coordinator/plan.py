"""Facts -> the ordered changes to the pod's namespace and to the node's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spiderpool.coordinator.advertised import forget
from spiderpool.coordinator.facts import Facts
from spiderpool.coordinator.nics import NODE_VETH
from spiderpool.coordinator.node import node_plan
from spiderpool.coordinator.pod import mac_of, pod_plan
from spiderpool.coordinator.scene import Scene, survey
from spiderpool.errors import BadInput
from spiderpool.netlink.objects import Link, LinkKind
from spiderpool.netlink.operations import Operation
from spiderpool.types.address import Family, contains, family_of
from spiderpool.types.modes import Mode
from spiderpool.types.names import IfName

LEAST_MTU_OF_V6 = 1280


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes, the pod's first: in underlay mode they make the node's end of the veth.

    ``mac`` is what the NIC has afterwards; empty in a plan that says nothing about a NIC.
    """

    pod: tuple[Operation, ...] = ()
    node: tuple[Operation, ...] = ()
    mac: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.pod and not self.node


def plan(facts: Facts) -> Plan:
    """The changes that attach the NIC; none when they were made already.

    Raises:
        BadInput: what was asked for cannot be done in this pod.
    """
    if facts.config.mode is Mode.DISABLED:
        return Plan()
    present = _checked_link(facts)
    scene = survey(facts)
    _check_default_nic(facts)
    _check_policy_routes(scene)
    _check_veth_mtu(scene)
    warnings = (*scene.warnings, *_warnings(scene))
    in_pod = (*pod_plan(scene), *forget(facts))
    return Plan(in_pod, node_plan(scene), mac_of(scene) or present.mac, warnings)


def no_such_link(nic: IfName) -> BadInput:
    """The error for a NIC that nobody has made."""
    return BadInput(
        f"interface {nic}",
        "the pod has no such link",
        "chain the coordinator behind the plugin that makes it, and see why that made none",
    )


def _checked_link(facts: Facts) -> Link:
    link = facts.pod.link(facts.nic)
    if link is None:
        raise no_such_link(facts.nic)
    if facts.config.mac_prefix and link.kind is LinkKind.IPVLAN:
        raise BadInput(
            "podMACPrefix",
            f"{facts.nic} is an ipvlan link and has its parent's MAC",
            "leave it empty here, or use macvlan",
        )
    return link


def _check_default_nic(facts: Facts) -> None:
    """A NIC that is still to come is waited for; one that cannot come is an error."""
    chosen, expected = facts.config.default_route_nic, facts.expected_nics
    if chosen is None or expected is None:
        return
    links = (link for link in facts.pod.links if not link.loopback)
    present = [link.name for link in links if link.name != NODE_VETH]
    candidates = list(dict.fromkeys((*present, *expected)))
    if chosen not in candidates:
        raise BadInput(
            facts.config.default_route_origin or "podDefaultRouteNic",
            f"the pod has no NIC {chosen} and is not going to have one",
            f"choose one of {', '.join(candidates)}",
        )


def _check_policy_routes(scene: Scene) -> None:
    """The kernel would refuse a gateway that the NIC is not connected to."""
    facts = scene.facts
    networks = [entry.address for entry in facts.pod.addresses_of(facts.nic)]
    for place, route in enumerate(facts.config.policy_routes):
        if family_of(route.gateway) not in scene.families:
            continue
        if not any(contains(network, route.gateway) for network in networks):
            raise BadInput(
                f"policyRoutes[{place}].gw",
                f"{route.gateway} is on no network of {facts.nic} ({', '.join(networks)})",
                f"name a router that {facts.nic} reaches directly",
            )


def _check_veth_mtu(scene: Scene) -> None:
    """The kernel gives no IPv6 to a link below its least MTU (RFC 8200, section 5)."""
    mtu, makes_it = scene.facts.config.veth_mtu, scene.mode is Mode.UNDERLAY and scene.is_first
    if makes_it and Family.V6 in scene.families and mtu < LEAST_MTU_OF_V6:
        problem = f"{mtu} is less than IPv6 needs, and {scene.nic} has IPv6 addresses"
        raise BadInput("vethMTU", problem, f"use {LEAST_MTU_OF_V6} or more, best 1500")


def _warnings(scene: Scene) -> Iterator[str]:
    chosen = scene.facts.config.default_route_nic
    if chosen in scene.nics and not scene.defaults_of(chosen):
        yield f"{chosen} was chosen for the default route, but it has no gateway: nothing moves"
    for place, route in enumerate(scene.facts.config.policy_routes):
        if family_of(route.destination) not in scene.families:
            yield f"policyRoutes[{place}]: {scene.nic} has no address of its family: left out"
