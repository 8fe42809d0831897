"""SpiderMultusConfig: a network of pods, from which the NetworkAttachmentDefinition is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from spiderpool.types.codec import Rule, Schema
from spiderpool.types.coordinator import CoordinatorSettings
from spiderpool.types.metadata import LINK_NAME, Kind, Metadata
from spiderpool.types.modes import CniType, LinkState, VlanMode
from spiderpool.types.names import PoolName

BLOCKS = {
    CniType.MACVLAN: "macvlan",
    CniType.IPVLAN: "ipvlan",
    CniType.VLAN: "vlan",
    CniType.SRIOV: "sriov",
    CniType.OVS: "ovs",
    CniType.IB_SRIOV: "ibsriov",
    CniType.IPOIB: "ipoib",
    CniType.CUSTOM: "customCNI",
}
"""The one member of ``spec`` that a cniType reads."""

LinkName = Annotated[str, Schema(min_length=1, max_length=15, rules=(LINK_NAME,))]
Masters = Annotated[
    tuple[LinkName, ...],
    Schema(
        doc="NICs of the node; several are bonded.",
        min_items=1,
        max_items=32,
        rules=(Rule("self.all(a, self.exists_one(b, a == b))", "names a NIC twice; remove one"),),
    ),
]
VlanID = Annotated[int, Schema(doc="VLAN; 0 is untagged.", minimum=0, maximum=4094, format="int32")]
MTU = Annotated[
    int, Schema(doc="MTU of the pod's NIC; 0 leaves it alone.", minimum=0, maximum=65535)
]
Rate = Annotated[int, Schema(minimum=0, format="int32")]
ResourceName = Annotated[
    str,
    Schema(doc="Resource that the device plugin offers.", min_length=1, max_length=317),
]
RdmaResource = Annotated[str, Schema(doc="RDMA resource that pods of this network are given.")]
RdmaIsolation = Annotated[bool, Schema(doc="Give the pod its RDMA device alone.")]
PoolNames = Annotated[
    tuple[Annotated[PoolName, Schema(min_length=1, max_length=253)], ...], Schema(max_items=256)
]
BOND_RULES = (
    Rule("self.master.size() < 2 || has(self.bond)", "is needed for several master NICs", "bond"),
    Rule("self.master.size() > 1 || !has(self.bond)", "needs more than one master NIC", "bond"),
)
VLAN_NAME_RULE = Rule(
    "self.vlanID == 0 || self.master.size() == 0"
    " || (has(self.bond) ? self.bond.name : self.master[0]).size()"
    " + string(self.vlanID).size() < 15",
    "makes a device whose name, MASTER.VLAN, has more than 15 letters; use a shorter master",
    "vlanID",
)
_IS_OBJECT = "self.trim().startsWith('{') && self.trim().endsWith('}')"
_NO_OBJECT = "is not JSON of an object, from { to }"
MATCH_RULE = Rule(
    "!has(self.ippools) || !self.ippools.matchMasterSubnet",
    "matchMasterSubnet is supported by cniType sriov only",
    "ippools",
)
"""Of every block but sriov's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """Pools that pods of this network get addresses from, in this order."""

    ipv4: Annotated[PoolNames, Schema(doc="Names of IPv4 pools, or patterns like prod-*.")] = ()
    ipv6: Annotated[PoolNames, Schema(doc="Names of IPv6 pools, or patterns like prod-*.")] = ()
    match_master_subnet: Annotated[
        bool, Schema(doc="Only pools whose subnet is the master's; for sriov.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OldPools:
    """Releases before v0.6 wrote ``ippools`` so."""

    ipv4: Annotated[PoolNames, Schema(doc="Old name of ippools.ipv4.", name="IPv4IPPool")] = ()
    ipv6: Annotated[PoolNames, Schema(doc="Old name of ippools.ipv6.", name="IPv6IPPool")] = ()


IPPools = Annotated[Pools, Schema(doc="Where addresses come from.")]
OldIPPools = Annotated[OldPools, Schema(doc="Old name of ippools.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """A bond of the master NICs, made on the node."""

    name: Annotated[LinkName, Schema(doc="Name of the bond.")]
    mode: Annotated[int, Schema(doc="Bonding mode.", minimum=0, maximum=6, format="int32")]
    options: Annotated[
        str,
        Schema(
            doc="Options of the bonding driver: k=v;k=v.",
            max_length=1024,
            pattern=r"^\s*([^=;]+=[^=;]*)?(;\s*([^=;]+=[^=;]*)?)*$",
        ),
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MacvlanConfig:
    """Block of cniType macvlan and ipvlan: NICs that share the master's wire."""

    RULES: ClassVar = (*BOND_RULES, MATCH_RULE, VLAN_NAME_RULE)

    master: Masters
    mtu: MTU = 0
    vlan_id: VlanID = 0
    bond: Annotated[Bond, Schema(doc="The bond of several masters.")] | None = None
    rdma_resource_name: RdmaResource = ""
    ippools: IPPools = Pools()
    spiderpool_config_pools: OldIPPools | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VlanConfig:
    """Block of cniType vlan: the pod's NIC is the VLAN device itself."""

    RULES: ClassVar = (
        *BOND_RULES,
        MATCH_RULE,
        Rule(
            "self.vlanMode != 'auto' || !has(self.vlanID)", "is picked by vlanMode auto", "vlanID"
        ),
        Rule("self.vlanMode != 'manual' || has(self.vlanID)", "vlanMode manual needs it", "vlanID"),
    )

    master: Masters
    vlan_mode: Annotated[VlanMode, Schema(doc="Who picks the VLAN.")] = VlanMode.MANUAL
    vlan_id: VlanID | None = None
    mtu: MTU = 0
    bond: Annotated[Bond, Schema(doc="The bond of several masters.")] | None = None
    rdma_resource_name: RdmaResource = ""
    ippools: IPPools = Pools()
    spiderpool_config_pools: OldIPPools | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SriovConfig:
    """Block of cniType sriov: a virtual function of the NIC."""

    RULES: ClassVar = (
        Rule(
            "self.maxTxRateMbps == 0 || self.minTxRateMbps <= self.maxTxRateMbps",
            "is greater than maxTxRateMbps",
            "minTxRateMbps",
        ),
    )

    resource_name: ResourceName
    vlan_id: VlanID = 0
    mtu: MTU = 0
    min_tx_rate_mbps: Annotated[Rate, Schema(doc="Least send rate in Mbit/s; 0: none.")] = 0
    max_tx_rate_mbps: Annotated[Rate, Schema(doc="Greatest send rate in Mbit/s; 0: none.")] = 0
    rdma_isolation: RdmaIsolation = False
    ippools: IPPools = Pools()
    spiderpool_config_pools: OldIPPools | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IbSriovConfig:
    """Block of cniType ib-sriov: a virtual function of an InfiniBand adapter."""

    RULES: ClassVar = (MATCH_RULE,)

    resource_name: ResourceName
    pkey: Annotated[str, Schema(doc="Partition key.")] = ""
    link_state: Annotated[LinkState, Schema(doc="State of the link.")] = LinkState.ENABLE
    rdma_isolation: RdmaIsolation = True
    enable_ib_kubernetes: Annotated[bool, Schema(doc="ib-kubernetes manages the GUIDs.")] = False
    ippools: IPPools = Pools()
    spiderpool_config_pools: OldIPPools | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IpoibConfig:
    """Block of cniType ipoib: IP over InfiniBand."""

    RULES: ClassVar = (MATCH_RULE,)

    master: Annotated[LinkName, Schema(doc="InfiniBand NIC of the node.")]
    ippools: IPPools = Pools()
    spiderpool_config_pools: OldIPPools | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """VLANs of an Open vSwitch trunk: one ``id``, or a range."""

    RULES: ClassVar = (
        Rule(
            "has(self.id) || (has(self.minID) && has(self.maxID))", "needs id, or minID and maxID"
        ),
        Rule(
            "!has(self.minID) || !has(self.maxID) || self.minID <= self.maxID",
            "is greater than maxID",
            "minID",
        ),
    )

    min_id: Annotated[VlanID, Schema(doc="First VLAN.")] | None = None
    max_id: Annotated[VlanID, Schema(doc="Last VLAN.")] | None = None
    id: Annotated[VlanID, Schema(doc="One VLAN.")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OvsConfig:
    """Block of cniType ovs: a port of an Open vSwitch bridge."""

    RULES: ClassVar = (MATCH_RULE,)

    bridge: Annotated[LinkName, Schema(doc="Name of the bridge.")]
    vlan: VlanID = 0
    trunk: Annotated[tuple[Trunk, ...], Schema(doc="VLANs of a trunk port.", max_items=256)] = ()
    device_id: Annotated[str, Schema(doc="PCI address, with hardware offload.")] = ""
    ippools: IPPools = Pools()
    spiderpool_config_pools: OldIPPools | None = None


Block = MacvlanConfig | VlanConfig | SriovConfig | IbSriovConfig | IpoibConfig | OvsConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class MultusConfigSpec:
    """``spec``: cniType decides which one of the blocks is read; the others must be absent."""

    RULES: ClassVar = tuple(
        rule
        for cni_type, block in BLOCKS.items()
        for rule in (
            Rule(
                f"self.cniType != '{cni_type}' || has(self.{block})",
                f"is needed for cniType {cni_type}",
                block,
            ),
            Rule(
                f"self.cniType == '{cni_type}' || !has(self.{block})",
                f"is read for cniType {cni_type} only; remove it",
                block,
            ),
        )
        if cni_type is not CniType.CUSTOM
    )

    cni_type: Annotated[CniType, Schema(doc="The plugin that makes the NIC.")] = CniType.CUSTOM
    macvlan: Annotated[MacvlanConfig, Schema(doc="For cniType macvlan.")] | None = None
    ipvlan: Annotated[MacvlanConfig, Schema(doc="For cniType ipvlan.")] | None = None
    vlan: Annotated[VlanConfig, Schema(doc="For cniType vlan.")] | None = None
    sriov: Annotated[SriovConfig, Schema(doc="For cniType sriov.")] | None = None
    ovs: Annotated[OvsConfig, Schema(doc="For cniType ovs.")] | None = None
    ibsriov: Annotated[IbSriovConfig, Schema(doc="For cniType ib-sriov.")] | None = None
    ipoib: Annotated[IpoibConfig, Schema(doc="For cniType ipoib.")] | None = None
    enable_coordinator: Annotated[
        bool, Schema(doc="Chain the coordinator behind the plugin; never for cniType custom.")
    ] = True
    disable_ipam: Annotated[bool, Schema(doc="Let NICs have no address of Spiderpool.")] = False
    coordinator: (
        Annotated[
            CoordinatorSettings,
            Schema(doc="Settings for this network; what is absent is the SpiderCoordinator's."),
        ]
        | None
    ) = None
    chain_cni_json_data: Annotated[
        tuple[Annotated[str, Schema(max_length=65536, rules=(Rule(_IS_OBJECT, _NO_OBJECT),))], ...],
        Schema(
            doc="More plugins of the chain, each the JSON of its configuration.",
            name="chainCNIJsonData",
            max_items=16,
        ),
    ] = ()
    custom_cni: (
        Annotated[
            str,
            Schema(
                doc="For cniType custom: the whole CNI configuration.",
                max_length=262144,
                rules=(Rule(f"self == '' || {_IS_OBJECT}", _NO_OBJECT),),
            ),
        ]
        | None
    ) = None

    @property
    def block(self) -> Block | None:
        """The block that cniType reads; None for custom, or when it is missing."""
        return {
            CniType.MACVLAN: self.macvlan,
            CniType.IPVLAN: self.ipvlan,
            CniType.VLAN: self.vlan,
            CniType.SRIOV: self.sriov,
            CniType.OVS: self.ovs,
            CniType.IB_SRIOV: self.ibsriov,
            CniType.IPOIB: self.ipoib,
            CniType.CUSTOM: None,
        }[self.cni_type]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiderMultusConfig:
    """A network that pods can be attached to."""

    KIND: ClassVar = Kind(
        kind="SpiderMultusConfig", plural="spidermultusconfigs", short="smc", namespaced=True
    )

    metadata: Metadata
    spec: MultusConfigSpec = MultusConfigSpec()
