"""The plugins of a chain: what each plugin's configuration says, for each cniType.

Key names are those of the plugins' own documentation; the order is fixed, so that the same
network always is the same text. A key whose value is what the plugin does anyway is left
out, except where the plugin tells 0 and absent apart (SR-IOV and Open vSwitch).
"""

from __future__ import annotations

from typing import Any

from spiderpool.errors import BadInput
from spiderpool.types.codec import encode
from spiderpool.types.multusconfig import (
    BLOCKS,
    Bond,
    IbSriovConfig,
    IpoibConfig,
    MacvlanConfig,
    MultusConfigSpec,
    OvsConfig,
    Pools,
    SriovConfig,
    VlanConfig,
)

Plugin = dict[str, Any]


def plugins_below(spec: MultusConfigSpec, where: str) -> list[Plugin]:
    """What stands in the chain before chainCNIJsonData: ifacer, the main plugin, rdma.

    Raises:
        BadInput: the block that the cniType reads is missing.
    """
    block = spec.block
    if block is None:
        name = BLOCKS[spec.cni_type]
        problem = f"no spec.{name} specified for cniType {spec.cni_type}"
        raise BadInput(where, problem, f"add spec.{name}, or change spec.cniType")
    ipam = {} if spec.disable_ipam else {"ipam": ipam_of(block.ippools)}
    if isinstance(block, MacvlanConfig):
        return [*_ifacer(block.master, block.bond, block.vlan_id), _shared_wire(spec, block, ipam)]
    if isinstance(block, VlanConfig):
        return [*_ifacer(block.master, block.bond, 0), _vlan(block, ipam)]
    if isinstance(block, SriovConfig):
        return [_sriov(block, ipam)] + ([{"type": "rdma"}] if block.rdma_isolation else [])
    if isinstance(block, IbSriovConfig):
        return [_ib_sriov(block, ipam)]
    if isinstance(block, IpoibConfig):
        return [{"type": "ipoib", "master": block.master, **ipam}]
    return [_ovs(block, ipam)]


def plugins_above(spec: MultusConfigSpec) -> list[Plugin]:
    """What stands at the end of the chain, behind the coordinator."""
    if spec.sriov is not None and spec.block is spec.sriov and spec.sriov.mtu:
        return [{"type": "tuning", "mtu": spec.sriov.mtu}]
    return []


def master_of(masters: tuple[str, ...], bond: Bond | None, vlan: int) -> str:
    """The node's device below the pod's NIC: a NIC, a bond, or a VLAN on either."""
    device = bond.name if bond is not None and len(masters) > 1 else masters[0]
    return f"{device}.{vlan}" if vlan else device


def ipam_of(pools: Pools) -> Plugin:
    """The ``ipam`` object; without pools the pod, its namespace or the cluster names them."""
    ipam: Plugin = {"type": "spiderpool"}
    if pools.ipv4:
        ipam["default_ipv4_ippool"] = list(pools.ipv4)
    if pools.ipv6:
        ipam["default_ipv6_ippool"] = list(pools.ipv6)
    if pools.match_master_subnet:
        ipam["match_master_subnet"] = True
    return ipam


def _ifacer(masters: tuple[str, ...], bond: Bond | None, vlan: int) -> list[Plugin]:
    """The plugin that makes bond and VLAN devices on the node, when there is one to make."""
    if len(masters) < 2 and not vlan:
        return []
    plugin: Plugin = {"type": "ifacer", "interfaces": list(masters)}
    if vlan:
        plugin["vlanID"] = vlan
    if len(masters) > 1 and bond is not None:
        plugin["bond"] = encode(bond)
    return [plugin]


def _shared_wire(spec: MultusConfigSpec, block: MacvlanConfig, ipam: Plugin) -> Plugin:
    cni_type = str(spec.cni_type)
    plugin: Plugin = {
        "type": cni_type,
        "master": master_of(block.master, block.bond, block.vlan_id),
    }
    if cni_type == "macvlan":
        plugin["mode"] = "bridge"
    return plugin | _mtu(block.mtu) | ipam


def _vlan(block: VlanConfig, ipam: Plugin) -> Plugin:
    plugin: Plugin = {
        "type": "vlan",
        "master": master_of(block.master, block.bond, 0),
        "vlanMode": str(block.vlan_mode),
    }
    if block.vlan_id is not None:
        plugin["vlanId"] = block.vlan_id
    return plugin | _mtu(block.mtu) | ipam


def _sriov(block: SriovConfig, ipam: Plugin) -> Plugin:
    return {
        "type": "sriov",
        "vlan": block.vlan_id,
        "min_tx_rate": block.min_tx_rate_mbps,
        "max_tx_rate": block.max_tx_rate_mbps,
        **ipam,
    }


def _ib_sriov(block: IbSriovConfig, ipam: Plugin) -> Plugin:
    return {
        "type": "ib-sriov",
        "pkey": block.pkey,
        "link_state": str(block.link_state),
        "rdmaIsolation": block.rdma_isolation,
        "ibKubernetesEnabled": block.enable_ib_kubernetes,
        **ipam,
    }


def _ovs(block: OvsConfig, ipam: Plugin) -> Plugin:
    plugin: Plugin = {"type": "ovs", "bridge": block.bridge, "vlan": block.vlan}
    if block.device_id:
        plugin["deviceID"] = block.device_id
    if block.trunk:
        plugin["trunk"] = encode(block.trunk)
    return plugin | ipam


def _mtu(mtu: int) -> Plugin:
    return {"mtu": mtu} if mtu else {}
