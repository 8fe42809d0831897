"""Settings of the pod's links below ``/proc/sys/net``."""

from __future__ import annotations

from collections.abc import Iterator

from spiderpool.coordinator.advertised import accept_ra, stop_listening
from spiderpool.coordinator.nics import NODE_VETH
from spiderpool.coordinator.scene import Scene
from spiderpool.netlink.objects import NetState
from spiderpool.netlink.operations import SetSysctl
from spiderpool.types.address import Family, contains, network_of
from spiderpool.types.names import IfName

ARP_SETTINGS = {"arp_ignore": "1", "arp_announce": "2"}
"""Answer ARP for the link's own addresses only, and ask from one of them."""


def keys_to_read(nic: IfName) -> tuple[str, ...]:
    """What a plan for ``nic`` depends on, ``*`` for any link of the pod."""
    return (
        *("ipv4/conf/all/rp_filter", "ipv4/conf/*/rp_filter"),
        *("ipv6/conf/default/disable_ipv6", "ipv6/conf/*/disable_ipv6"),
        *(f"ipv4/conf/*/{name}" for name in ARP_SETTINGS),
        accept_ra(nic),
    )


def sharing(pod: NetState, without: IfName | None = None) -> set[IfName]:
    """NICs that are in one IPv4 network with another NIC."""
    networks = [
        (entry.link, network_of(entry.address))
        for entry in pod.addresses
        if entry.family is Family.V4 and entry.link not in ("lo", NODE_VETH, without)
    ]
    return {
        link
        for link, network in networks
        for other, its in networks
        if other != link and (contains(network, its) or contains(its, network))
    }


def before_links(scene: Scene) -> Iterator[SetSysctl]:
    """Some runtimes forbid IPv6 where the default network has none; routes would be refused.

    A link that is still to be made takes what ``default`` says.
    """
    yield from stop_listening(scene.facts)
    if Family.V6 not in scene.families:
        return
    for link in dict.fromkeys(("default", scene.passage.pod_link)):
        key = f"ipv6/conf/{link}/disable_ipv6"
        if scene.facts.pod.sysctls.get(key) == "1":
            yield SetSysctl(key, "0")


def after_routes(scene: Scene) -> Iterator[SetSysctl]:
    """Reverse path filters, and who answers for which address."""
    yield from _filters(scene)
    if scene.facts.config.tune_pod_routes and Family.V4 in scene.families:
        yield from _answers(scene)


def _filters(scene: Scene) -> Iterator[SetSysctl]:
    """The kernel uses the greater of ``all`` and the link's value, so both are set."""
    value = scene.facts.config.pod_rp_filter
    if value is None:
        return
    for link in dict.fromkeys(("all", scene.passage.pod_link, scene.nic)):
        yield SetSysctl(f"ipv4/conf/{link}/rp_filter", str(value))


def _answers(scene: Scene) -> Iterator[SetSysctl]:
    """In one network, the kernel answers for any address of the pod on any NIC; then packets
    come in by one NIC that are answered by another. IPv6 never does that."""
    present = scene.facts.pod.sysctls
    for link in sorted(sharing(scene.facts.pod)):
        for name, value in ARP_SETTINGS.items():
            key = f"ipv4/conf/{link}/{name}"
            if present.get(key, "0") == "0":
                yield SetSysctl(key, value)
