"""The page's pod and node in memory: Calico's eth0 or a macvlan one, and NICs to attach."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from spiderpool.coordinator.config import Config
from spiderpool.coordinator.facts import Facts
from spiderpool.coordinator.plan import Plan, plan
from spiderpool.coordinator.present import legs
from spiderpool.netlink.apply import apply
from spiderpool.netlink.lines import as_neighbour_line, as_route_line, as_rule_line
from spiderpool.netlink.objects import Link, LinkKind, NetState, Route
from spiderpool.netlink.operations import AddAddress, AddRoute
from spiderpool.testing.builders import address, direct, route, up
from spiderpool.testing.netlink import FRESH
from spiderpool.testing.pairs import PairedKernel
from spiderpool.types.address import Address, Family, Prefix
from spiderpool.types.names import MAIN, ContainerID, IfName

CONTAINER = ContainerID("7a9f3c5d1e2b4a6c8d0e")
NODE_FD = 77
NODE_ADDRESS = Address("10.6.212.132")
NODE_ADDRESS_6 = Address("fd00:10:6::132")
CALI = IfName("cali1f2e3d4c5b6")
POD_CIDR, SERVICE_CIDR = Prefix("10.233.64.0/18"), Prefix("10.233.0.0/18")
POD_CIDR_6, SERVICE_CIDR_6 = Prefix("fd85::1:0/112"), Prefix("fd85::1000/116")

PAGE = Config(overlay_pod_cidr=(POD_CIDR,), service_cidr=(SERVICE_CIDR,))
DUAL = Config(overlay_pod_cidr=(POD_CIDR, POD_CIDR_6), service_cidr=(SERVICE_CIDR, SERVICE_CIDR_6))


def link(name: str, index: int, kind: LinkKind | None, mac: str, parent: int = 0) -> Link:
    return Link(IfName(name), index, kind, mac, parent_index=parent, parent_elsewhere=parent > 0)


def with_link(state: NetState, made: Link) -> NetState:
    """The state with one link more, on a machine where rp_filter is 1 by default."""
    sysctls = {"ipv4/conf/all/rp_filter": "0", **state.sysctls}
    sysctls[f"ipv4/conf/{made.name}/rp_filter"] = "1"
    sysctls |= {f"ipv4/conf/{made.name}/{name}": "0" for name in ("arp_ignore", "arp_announce")}
    return replace(state, links=(*state.links, made), sysctls=sysctls)


def comparable(state: NetState) -> tuple[object, ...]:
    """What matters of a state: the order of rules, and of IPv4 routes to one destination."""
    return (
        state.links,
        set(state.addresses),
        Counter(leg for route in state.routes for leg in legs(route)),
        [
            route
            for route in state.routes
            if route.is_default and route.family is Family.V4 and route.table == MAIN
        ],
        state.rules,
        set(state.neighbours),
        state.sysctls,
        set(state.reply_marks),
    )


class World:
    """``pod`` and ``node`` are kernels in memory; NICs appear as their plugins make them."""

    def __init__(self, *, ipv6: bool = False) -> None:
        self.ipv6 = ipv6
        self.pod, self.node = PairedKernel.pair(FRESH, FRESH)
        self.node.state = with_link(self.node.state, link("ens192", 2, None, "00:50:56:b4:16:ef"))
        apply(
            self.node,
            [
                up("lo"),
                up("ens192"),
                AddAddress(address("ens192", f"{NODE_ADDRESS}/16")),
                AddRoute(route("0.0.0.0/0", "ens192", "10.6.0.1")),
            ],
        )
        if ipv6:
            apply(self.node, [AddAddress(address("ens192", f"{NODE_ADDRESS_6}/64"))])
            apply(self.node, [AddRoute(route("::/0", "ens192", "fd00:10:6::1"))])
        apply(self.pod, [up("lo")])

    def calico(self) -> World:
        """The default network is Calico's: eth0 is a veth to the node."""
        self.pod.state = with_link(
            self.pod.state, link("eth0", 2, LinkKind.VETH, "a2:99:9d:04:01:80", 3)
        )
        self.node.state = with_link(
            self.node.state, link(CALI, 3, LinkKind.VETH, "ee:ee:ee:ee:ee:ee", 2)
        )
        apply(self.node, [up(CALI), AddRoute(direct("10.233.73.210/32", CALI))])
        apply(
            self.pod,
            [
                up("eth0"),
                AddAddress(address("eth0", "10.233.73.210/32")),
                AddRoute(direct("169.254.1.1/32", "eth0")),
                AddRoute(route("0.0.0.0/0", "eth0", "169.254.1.1")),
            ],
        )
        if self.ipv6:
            apply(self.node, [AddRoute(route("fd85::1:eb84/128", CALI))])
            apply(
                self.pod,
                [
                    AddAddress(address("eth0", "fd85::1:eb84/128")),
                    AddRoute(route("::/0", "eth0", "fe80::ecee:eeff:feee:eeee")),
                ],
            )
        return self

    def macvlan(self, name: str, number: int, network: int = 6, families: str = "46") -> World:
        """A macvlan NIC with address 10.<network>.212.<number>; its IPAM puts the NIC's
        default route ahead of those that are there."""
        index = max(known.index for known in self.pod.state.links) + 1
        made = link(name, index, LinkKind.MACVLAN, f"2a:1e:a1:db:2a:{number % 256:02x}", 2)
        self.pod.state = with_link(self.pod.state, made)
        apply(self.pod, [up(name)])
        if "4" in families:
            apply(self.pod, [AddAddress(address(name, f"10.{network}.212.{number}/16"))])
            self._put_default(route("0.0.0.0/0", name, f"10.{network}.0.1"))
        if "6" in families and self.ipv6:
            apply(self.pod, [AddAddress(address(name, f"fd00:10:{network}::{number}/64"))])
            apply(self.pod, [AddRoute(route("::/0", name, f"fd00:10:{network}::1"))])
        return self

    def _put_default(self, default: Route) -> None:
        routes = (default, *self.pod.state.routes)
        self.pod.state = replace(self.pod.state, routes=routes)

    def facts(self, nic: str, config: Config, expected: tuple[str, ...] | None = None) -> Facts:
        return Facts(
            pod=self.pod.state,
            node=self.node.state,
            nic=IfName(nic),
            container=CONTAINER,
            config=config,
            node_addresses=(NODE_ADDRESS, NODE_ADDRESS_6),
            expected_nics=None if expected is None else tuple(map(IfName, expected)),
            node_namespace=NODE_FD,
        )

    def plan(self, nic: str, config: Config = PAGE) -> Plan:
        return plan(self.facts(nic, config))

    def attach(self, nic: str, config: Config = PAGE) -> Plan:
        """Plan and apply."""
        made = self.plan(nic, config)
        apply(self.pod, made.pod)
        apply(self.node, made.node)
        return made

    def table(self, table: int = MAIN, family: Family = Family.V4) -> set[str]:
        """Lines of one of the pod's tables."""
        return {
            as_route_line(one)
            for one in self.pod.state.routes
            if one.table == table and one.family is family
        }

    def rules(self, family: Family = Family.V4) -> set[str]:
        """Lines of the pod's rules, without those that every namespace has."""
        return {
            as_rule_line(one).replace("\t", " ")
            for one in self.pod.state.rules
            if one.family is family and one not in FRESH.rules
        }

    def node_routes(self, table: int = 500) -> set[str]:
        return {as_route_line(one) for one in self.node.state.routes if one.table == table}

    def node_neighbours(self) -> set[str]:
        return {as_neighbour_line(one) for one in self.node.state.neighbours}
