"""SpiderCoordinator: how NICs of a pod are made to work together, and the cluster's CIDRs.

The same settings stand in three places, the later of which wins: the SpiderCoordinator
(:class:`CoordinatorSpec`, always complete), the ``coordinator`` block of a
SpiderMultusConfig (:class:`CoordinatorSettings`, where an absent member is inherited), and
annotations of a pod.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from spiderpool.types.address import Address
from spiderpool.types.codec import Rule, Schema
from spiderpool.types.metadata import GATEWAY_IS_IP, LINK_NAME, ONE_FAMILY, Kind, Metadata, Route
from spiderpool.types.modes import Mode, Phase, PodCIDRType
from spiderpool.types.names import IfName

CoordinatorMode = Annotated[
    Mode,
    Schema(
        doc="How pods are treated: overlay, underlay, auto (found out for each pod) or disabled.",
        enum=("auto", "underlay", "overlay", "disabled", "disable"),
    ),
]
CIDRType = Annotated[
    PodCIDRType, Schema(doc="Where the cluster's pod CIDRs are read from; none: there are none.")
]
_CIDR_RULES = (
    Rule("isCIDR(self) || isIP(self)", "must be a CIDR or an IP, like 10.20.0.0/16"),
    Rule(
        "!isCIDR(self) || cidr(self).prefixLength() > 0",
        "is a default route; set podDefaultRouteNIC to move that of pods",
    ),
)
HijackCIDR = Annotated[
    tuple[Annotated[str, Schema(max_length=43, rules=_CIDR_RULES)], ...],
    Schema(
        doc="More destinations, CIDR or IP, that are reached by the node like cluster CIDRs.",
        max_items=256,
    ),
]
_POLICY_RULES = (
    GATEWAY_IS_IP,
    Rule(
        "isCIDR(self.dst) || isIP(self.dst)",
        "must be a CIDR or an IP",
        "dst",
        "self.dst + ' must be a CIDR or an IP'",
    ),
    Rule(
        "!isIP(self.gw) || (isCIDR(self.dst) ? cidr(self.dst).ip().family() =="
        " ip(self.gw).family() : !isIP(self.dst) || ip(self.dst).family() == ip(self.gw).family())",
        ONE_FAMILY,
    ),
)
PolicyRoutes = Annotated[
    tuple[Annotated[Route, Schema(rules=_POLICY_RULES)], ...],
    Schema(doc="More routes for every table of the pod.", max_items=64),
]
MACPrefix = Annotated[
    str,
    Schema(
        doc="First two bytes of the MAC address of pod NICs, like 0a:1b; of a unicast address.",
        max_length=5,
        rules=(
            Rule(
                "self == '' || self.matches('^[0-9a-fA-F][02468aceACE]:[0-9a-fA-F]{2}$')",
                "must be two bytes like 0a:1b, the first one even",
            ),
        ),
    ),
]
TunePodRoutes = Annotated[bool, Schema(doc="Arrange routes and rules of pods with several NICs.")]
DefaultRouteNIC = Annotated[
    IfName,
    Schema(
        doc="The NIC that holds the pod's default route, unless the pod says.",
        max_length=15,
        rules=(Rule(f"self == '' || {LINK_NAME.rule}", LINK_NAME.message),),
    ),
]
HostRuleTable = Annotated[
    int,
    Schema(
        doc="Routing table of the node for routes to underlay addresses of its pods.",
        minimum=1,
        maximum=4294967295,
        format="int64",
        rules=(Rule("self < 253 || self > 255", "tables 253, 254 and 255 are the kernel's own"),),
    ),
]
PodRPFilter = Annotated[
    int,
    Schema(doc="rp_filter inside the pod: 0, 1 or 2; negative leaves it alone.", maximum=2),
]
HostRPFilter = Annotated[
    int,
    Schema(doc="rp_filter of NICs of the node: 0, 1 or 2; negative leaves it alone.", maximum=2),
]
TxQueueLen = Annotated[
    int, Schema(doc="Transmit queue of pod NICs, in packets; 0 leaves it alone.", minimum=0)
]
VethLinkAddress = Annotated[
    Address,
    Schema(
        doc="Address on the pod's veth to the node in underlay mode.",
        max_length=39,
        rules=(Rule("self == '' || isIP(self)", "must be an IP"),),
    ),
]
VethMTU = Annotated[int, Schema(doc="MTU of that veth.", minimum=68, maximum=65535)]
DetectGateway = Annotated[bool, Schema(doc="Refuse a pod whose gateway does not answer.")]
DetectIPConflict = Annotated[
    bool, Schema(doc="Take another address when somebody on the wire uses the chosen one.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinatorSettings:
    """The ``coordinator`` block of a SpiderMultusConfig: what is absent is inherited.

    ``tune_mode`` is what releases before v0.6 called ``mode``.
    """

    mode: CoordinatorMode | None = None
    pod_cidr_type: CIDRType | None = None
    hijack_cidr: HijackCIDR | None = None
    policy_routes: PolicyRoutes | None = None
    pod_mac_prefix: MACPrefix | None = None
    tune_pod_routes: TunePodRoutes | None = None
    pod_default_route_nic: DefaultRouteNIC | None = None
    host_rule_table: HostRuleTable | None = None
    pod_rp_filter: PodRPFilter | None = None
    host_rp_filter: HostRPFilter | None = None
    tx_queue_len: TxQueueLen | None = None
    veth_link_address: VethLinkAddress | None = None
    veth_mtu: VethMTU | None = None
    detect_gateway: DetectGateway | None = None
    detect_ip_conflict: DetectIPConflict | None = None
    tune_mode: Annotated[CoordinatorMode, Schema(doc="Old name of mode.")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinatorSpec:
    """``spec`` of the SpiderCoordinator, complete.

    ``overlay_pod_cidr`` and ``service_cidr`` given by hand win over what is discovered.
    """

    mode: CoordinatorMode = Mode.AUTO
    pod_cidr_type: CIDRType
    overlay_pod_cidr: Annotated[
        HijackCIDR, Schema(doc="The cluster's pod CIDRs, given by hand instead of found out.")
    ] = ()
    service_cidr: Annotated[
        HijackCIDR, Schema(doc="The cluster's service CIDRs, given by hand instead of found out.")
    ] = ()
    hijack_cidr: HijackCIDR = ()
    policy_routes: PolicyRoutes = ()
    pod_mac_prefix: MACPrefix | None = None
    tune_pod_routes: TunePodRoutes = True
    pod_default_route_nic: DefaultRouteNIC | None = None
    host_rule_table: HostRuleTable = 500
    pod_rp_filter: PodRPFilter = 0
    host_rp_filter: HostRPFilter = 0
    tx_queue_len: TxQueueLen = 0
    veth_link_address: VethLinkAddress | None = None
    veth_mtu: VethMTU = 1500
    detect_gateway: DetectGateway = False
    detect_ip_conflict: DetectIPConflict = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinatorStatus:
    """``status``: the cluster's CIDRs, or why they are not known."""

    phase: Annotated[Phase, Schema(doc="Synced, or NotReady: then no pod is set up.")]
    reason: Annotated[str, Schema(doc="Why it is NotReady.")] | None = None
    overlay_pod_cidr: Annotated[tuple[str, ...], Schema(doc="Pod CIDRs of the cluster.")] = ()
    service_cidr: Annotated[tuple[str, ...], Schema(doc="Service CIDRs of the cluster.")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiderCoordinator:
    """Settings of the coordinator for the whole cluster; the one named ``default`` counts."""

    KIND: ClassVar = Kind(
        kind="SpiderCoordinator",
        plural="spidercoordinators",
        short="scc",
        status_subresource=True,
    )

    metadata: Metadata
    spec: CoordinatorSpec
    status: CoordinatorStatus | None = None


DEFAULT_COORDINATOR = "default"
