"""SpiderIPPool: addresses of one subnet that pods may get, and who may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from spiderpool.types.address import Address, Prefix
from spiderpool.types.codec import Rule, Schema
from spiderpool.types.metadata import (
    GATEWAY_IS_IP,
    ONE_FAMILY,
    Column,
    Kind,
    LabelSelector,
    Metadata,
    Route,
)

UNCHANGEABLE = Rule("self == oldSelf", "is not changeable; create a new object")

IpVersion = Annotated[
    int,
    Schema(
        doc="4 or 6; derived from the addresses when left out.",
        enum=(4, 6),
        format="int64",
        rules=(UNCHANGEABLE,),
    ),
]
Subnet = Annotated[
    Prefix,
    Schema(
        doc="The network that the addresses belong to, a CIDR without host bits.",
        min_length=1,
        max_length=43,
        rules=(
            UNCHANGEABLE,
            Rule(
                "isCIDR(self) && string(cidr(self).masked()) == self",
                "must be a CIDR without host bits, like 10.6.0.0/16",
            ),
        ),
    ),
]
_ENDS = "[self.substring(0, self.indexOf('-')), self.substring(self.indexOf('-') + 1)]"
_V4_RANGE = r"^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+-[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+$"
_RANGE_RULES = (
    Rule(
        f"self.contains('-') ? {_ENDS}.all(e, isIP(e) && e.contains(':') == self.contains(':'))"
        " : isIP(self)",
        "must be an IP, or a range of one family like 10.6.0.10-10.6.0.20",
    ),
    Rule(
        f"!self.matches('{_V4_RANGE}')"
        " || [self.findAll('[0-9]+').map(b, int(b))].all(b, b[0] < b[4]"
        " || (b[0] == b[4] && (b[1] < b[5] || (b[1] == b[5]"
        " && (b[2] < b[6] || (b[2] == b[6] && b[3] <= b[7]))))))",
        "runs backwards; write the lower address first",
    ),
)
"""Order is told of IPv4 only: CEL cannot look into an IPv6 address."""
Ranges = Annotated[
    tuple[
        Annotated[str, Schema(max_length=79, rules=_RANGE_RULES)],
        ...,
    ],
    Schema(
        doc="Addresses, each an IP or a range like 10.6.0.10-10.6.0.20.",
        max_items=1024,
    ),
]
Gateway = Annotated[
    Address,
    Schema(
        doc="The default gateway of the subnet.",
        max_length=39,
        rules=(Rule("self == '' || isIP(self)", "must be an IP, like 10.6.0.1"),),
    ),
]
_ROUTE_RULES = (
    GATEWAY_IS_IP,
    Rule(
        "isCIDR(self.dst) && cidr(self.dst) == cidr(self.dst).masked()",
        "must be a CIDR without host bits, like 10.20.0.0/16",
        "dst",
        "self.dst + ' must be a CIDR without host bits, like 10.20.0.0/16'",
    ),
    Rule(
        "!isCIDR(self.dst) || !isIP(self.gw)"
        " || cidr(self.dst).ip().family() == ip(self.gw).family()",
        ONE_FAMILY,
    ),
    Rule(
        "!isCIDR(self.dst) || cidr(self.dst).prefixLength() > 0",
        "please specify spec.gateway to configure the default route",
        "dst",
    ),
)
Routes = Annotated[
    tuple[Annotated[Route, Schema(rules=_ROUTE_RULES)], ...],
    Schema(
        doc="Routes that pods get besides the default one.",
        max_items=64,
        rules=(
            Rule(
                "self.all(a, self.exists_one(b, a.dst == b.dst))",
                "two routes have the same dst; remove one",
            ),
        ),
    ),
]


def _inside(field: str) -> Rule:
    """Both ends of every item lie in the subnet."""
    ends = "[r.substring(0, r.indexOf('-')), r.substring(r.indexOf('-') + 1)]"
    fits = f"(r.contains('-') ? {ends} : [r]).all(a, !isIP(a) || cidr(self.subnet).containsIP(a))"
    return Rule(
        f"!has(self.{field}) || !isCIDR(self.subnet) || self.{field}.all(r, {fits})",
        "is outside of subnet",
        field,
        f"self.{field}.filter(r, !{fits})[0] + ' is outside of subnet ' + self.subnet",
    )


SUBNET_RULES = (
    Rule(
        "!has(self.ipVersion) || !isCIDR(self.subnet)"
        " || cidr(self.subnet).ip().family() == self.ipVersion",
        "does not match subnet",
        "ipVersion",
        "'does not match subnet ' + self.subnet",
    ),
    Rule(
        "!has(self.gateway) || !isIP(self.gateway) || !isCIDR(self.subnet)"
        " || cidr(self.subnet).containsIP(self.gateway)",
        "is not in subnet",
        "gateway",
        "self.gateway + ' is not in subnet ' + self.subnet",
    ),
    Rule(
        "!has(self.routes) || !isCIDR(self.subnet) || self.routes.all(r,"
        " !isIP(r.gw) || cidr(self.subnet).containsIP(r.gw))",
        "the gw of a route is not in subnet",
        "routes",
        "'the gw of a route is not in subnet ' + self.subnet",
    ),
    _inside("ips"),
    _inside("excludeIPs"),
)
NotEmptySelector = Annotated[
    LabelSelector,
    Schema(
        rules=(
            Rule(
                "(has(self.matchLabels) && self.matchLabels.size() > 0)"
                " || (has(self.matchExpressions) && self.matchExpressions.size() > 0)",
                "is empty; remove it or add labels",
            ),
        ),
    ),
]
Count = Annotated[int, Schema(minimum=0, format="int64")]


@dataclass(frozen=True, slots=True, kw_only=True)
class IPPoolSpec:
    """``spec`` of a SpiderIPPool. Explicit names win over the affinity of the same thing."""

    RULES: ClassVar = SUBNET_RULES

    ip_version: IpVersion | None = None
    subnet: Subnet
    ips: Ranges = ()
    exclude_ips: Ranges = ()
    gateway: Gateway | None = None
    routes: Routes = ()
    pod_affinity: (
        Annotated[NotEmptySelector, Schema(doc="Pods that may use the pool, by their labels.")]
        | None
    ) = None
    namespace_affinity: (
        Annotated[LabelSelector, Schema(doc="Namespaces that may use the pool, by their labels.")]
        | None
    ) = None
    namespace_name: Annotated[
        tuple[str, ...], Schema(doc="Namespaces that may use the pool, by name.")
    ] = ()
    node_affinity: (
        Annotated[LabelSelector, Schema(doc="Nodes whose pods may use the pool, by their labels.")]
        | None
    ) = None
    node_name: Annotated[
        tuple[str, ...], Schema(doc="Nodes whose pods may use the pool, by name.")
    ] = ()
    multus_name: Annotated[
        tuple[str, ...],
        Schema(
            doc="NetworkAttachmentDefinitions that may use the pool: name or namespace/name.",
            max_items=256,
            item_max_length=317,
            rules=(
                Rule(
                    "self.all(n, n.split('/').size() <= 2)",
                    "each item must be name or namespace/name",
                ),
            ),
        ),
    ] = ()
    default: Annotated[bool, Schema(doc="Used for pods that select no pool.")] = False
    disable: Annotated[
        bool, Schema(doc="Hand out nothing any more; what is in use is still released.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IPPoolStatus:
    """``status`` of a SpiderIPPool."""

    allocated_ips: (
        Annotated[str, Schema(doc="JSON: address -> its owner; absent when nothing is allocated.")]
        | None
    ) = None
    total_ip_count: Annotated[Count, Schema(doc="Addresses that the pool can hand out.")] | None = (
        None
    )
    allocated_ip_count: Annotated[Count, Schema(doc="Addresses in use.")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiderIPPool:
    """A pool of addresses."""

    KIND: ClassVar = Kind(
        kind="SpiderIPPool",
        plural="spiderippools",
        short="sp",
        status_subresource=True,
        columns=(
            Column("VERSION", ".spec.ipVersion"),
            Column("SUBNET", ".spec.subnet"),
            Column("ALLOCATED-IP-COUNT", ".status.allocatedIPCount", "integer"),
            Column("TOTAL-IP-COUNT", ".status.totalIPCount", "integer"),
            Column("DEFAULT", ".spec.default", "boolean"),
            Column("DISABLE", ".spec.disable", "boolean", 10),
            Column("NodeName", ".spec.nodeName", "string", 10),
            Column("MultusName", ".spec.multusName", "string", 10),
            Column(
                "APP-NAMESPACE",
                ".spec.podAffinity.matchLabels['ipam\\.spidernet\\.io/app-namespace']",
                "string",
                10,
            ),
        ),
    )

    metadata: Metadata
    spec: IPPoolSpec
    status: IPPoolStatus = IPPoolStatus()
