"""What is asked of the kernel, tried out inside a sandbox."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.doctor.finding import Finding
from harness.netns import isolated, nft
from harness.netns.capabilities import has_ipv6, link_kinds
from harness.nodes.servicerules import Contents, change
from harness.nodes.servicetable import Ranges, skeleton
from spiderpool.errors import SpiderpoolError
from spiderpool.netlink.apply import apply
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkKind, Rule
from spiderpool.netlink.operations import AddRule, SetSysctl
from spiderpool.types.address import Family, Prefix
from spiderpool.types.names import TableID

_MODULES = {
    LinkKind.VETH: "veth",
    LinkKind.BRIDGE: "bridge",
    LinkKind.MACVLAN: "macvlan",
    LinkKind.VLAN: "8021q",
    LinkKind.IPVLAN: "ipvlan",
    LinkKind.BOND: "bonding",
    LinkKind.VRF: "vrf",
}
_REQUIRED_LINKS = (LinkKind.VETH, LinkKind.BRIDGE, LinkKind.MACVLAN)
_ETH_P_ALL = 3
_ELSEWHERE = "a kernel that has it, as the one of ci/vm run -- COMMAND"


def examine_kernel() -> list[Finding]:
    """The sandbox first; without one, nothing else can be tried."""
    outside = _user_namespace()
    try:
        return isolated.call(lambda: list(_inside(outside)))
    except (SpiderpoolError, isolated.CallLost) as refusal:
        return [Finding("sandbox", works=False, required=True, detail=str(refusal))]


def _user_namespace() -> str:
    return str(Path("/proc/self/ns/user").readlink())


def _inside(outside: str) -> Iterator[Finding]:
    way = "as root" if _user_namespace() == outside else "in a user namespace"
    yield Finding("sandbox", works=True, required=True, detail=way)
    yield from _links()
    with Namespace.current() as namespace:
        yield _tried("policy routing", lambda: _add_rule(namespace), "CONFIG_IP_MULTIPLE_TABLES")
        yield _tried("settings", lambda: _set_sysctl(namespace), "a writable /proc/sys/net")
        yield _tried("packet sockets", lambda: _open_packet_socket(namespace), "CONFIG_PACKET")
        yield _tried(
            "nftables",
            lambda: asyncio.run(_load_rules(namespace)),
            "nftables 1.0.2 or later, and a kernel with nf_tables, nft_nat, nft_masq, "
            "nft_fib_ipv4, nft_numgen and nft_reject",
        )
    remedy = (
        "" if has_ipv6() else "boot without ipv6.disable=1; scenarios that need ipv6 are skipped"
    )
    yield Finding("IPv6", has_ipv6(), required=False, remedy=remedy)


def _links() -> Iterator[Finding]:
    kinds = link_kinds()
    for kind, module in _MODULES.items():
        required = kind in _REQUIRED_LINKS
        skipped = "" if required else f"; scenarios that need {kind} are skipped"
        yield Finding(
            f"link {kind}",
            kind in kinds,
            required,
            detail="" if kind in kinds else "the kernel does not know it",
            remedy="" if kind in kinds else f"modprobe {module}, or {_ELSEWHERE}{skipped}",
        )


def _tried(name: str, attempt: Callable[[], None], needs: str) -> Finding:
    try:
        attempt()
    except (SpiderpoolError, OSError) as error:
        return Finding(name, works=False, required=True, detail=str(error), remedy=f"needs {needs}")
    return Finding(name, works=True, required=True)


def _add_rule(namespace: Namespace) -> None:
    apply(namespace, (AddRule(Rule(1000, TableID(500))),))


def _set_sysctl(namespace: Namespace) -> None:
    apply(namespace, (SetSysctl("ipv4/conf/all/forwarding", "1"),))


def _open_packet_socket(namespace: Namespace) -> None:
    namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)).close()


async def _load_rules(namespace: Namespace) -> None:
    """kube-proxy's table with one Service, as a run loads it."""
    ranges = Ranges(Family.V4, (Prefix("10.0.0.0/16"),), (Prefix("10.1.0.0/16"),))
    service: Contents = {
        "cluster-addresses": frozenset({"10.1.0.1"}),
        "cluster-tcp-2": frozenset(f"10.1.0.1 . 80 . {n} : 10.0.0.{n} . 80" for n in range(2)),
    }
    await nft.load(namespace, skeleton(ranges) + change({}, service, Family.V4))
