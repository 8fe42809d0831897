"""Rules of the blocks of a SpiderMultusConfig: what each main plugin needs."""

from __future__ import annotations

from spiderpool.cni.request import is_link_name
from spiderpool.controller.admission.findings import Findings, Reason
from spiderpool.ifacer.options import settings_of
from spiderpool.multus.plugins import master_of
from spiderpool.types.modes import VlanMode
from spiderpool.types.multusconfig import (
    Block,
    Bond,
    IpoibConfig,
    MacvlanConfig,
    OvsConfig,
    SriovConfig,
    Trunk,
    VlanConfig,
)

LONGEST_NIC = 15
"""Bytes of a link's name (IFNAMSIZ less its end)."""


def check_block(block: Block, path: str, found: Findings) -> None:
    """``path`` is ``spec.macvlan`` and the like."""
    if isinstance(block, MacvlanConfig):
        _check_masters(block.master, block.bond, block.vlan_id, path, found)
        _check_vlan(block.vlan_id, f"{path}.vlanID", found)
    elif isinstance(block, VlanConfig):
        _check_masters(block.master, block.bond, 0, path, found)
        _check_vlan_mode(block, path, found)
    elif isinstance(block, SriovConfig):
        _check_sriov(block, path, found)
    elif isinstance(block, IpoibConfig):
        _check_nic(block.master, f"{path}.master", found)
    elif isinstance(block, OvsConfig):
        _check_ovs(block, path, found)
    if not isinstance(block, IpoibConfig | OvsConfig | MacvlanConfig | VlanConfig):
        _check_given(block.resource_name, f"{path}.resourceName", found)
    if not isinstance(block, OvsConfig | IpoibConfig) and getattr(block, "mtu", 0) < 0:
        found.refuse(f"{path}.mtu", "is negative", "0 leaves the MTU alone")
    if block.ippools.match_master_subnet and not isinstance(block, SriovConfig):
        problem = "is supported by cniType sriov only"
        found.refuse(f"{path}.ippools.matchMasterSubnet", problem, "remove it", Reason.FORBIDDEN)


def _check_masters(
    masters: tuple[str, ...], bond: Bond | None, vlan: int, path: str, found: Findings
) -> None:
    if not masters:
        problem = "is empty"
        found.refuse(f"{path}.master", problem, "name at least one host NIC", Reason.REQUIRED)
        return
    for index, master in enumerate(masters):
        _check_nic(master, f"{path}.master[{index}]", found)
    if len(set(masters)) < len(masters):
        found.refuse(f"{path}.master", "names a NIC twice", "remove one", Reason.DUPLICATE)
    if len(masters) > 1:
        _check_bond(bond, masters, f"{path}.bond", found)
    elif bond is not None:
        problem = "has one NIC only, and a bond is made of several"
        found.refuse(f"{path}.master", problem, f"add a NIC or remove {path}.bond")
    device = master_of(masters, bond, vlan)
    if vlan and len(device.encode()) > LONGEST_NIC:
        problem = f"needs a device {device}, a name of more than {LONGEST_NIC} bytes"
        found.refuse(f"{path}.vlanID", problem, "use a master with a shorter name")


def _check_bond(bond: Bond | None, masters: tuple[str, ...], path: str, found: Findings) -> None:
    if bond is None or not bond.name:
        remedy = "name the bond that is made of the master NICs"
        found.refuse(f"{path}.name", "is missing", remedy, Reason.REQUIRED)
        return
    _check_nic(bond.name, f"{path}.name", found)
    if not 0 <= bond.mode <= 6:
        found.refuse(f"{path}.mode", f"{bond.mode} is not a bonding mode", "use 0 to 6")
    options = dict(found.attempt(settings_of, bond.options, f"{path}.options") or ())
    if options.get("primary", masters[0]) not in masters:
        problem = f"primary {options['primary']} is no member"
        found.refuse(f"{path}.options", problem, f"name one of {', '.join(masters)}")


def _check_nic(name: str, field: str, found: Findings) -> None:
    if not name:
        found.refuse(field, "is empty", "name a host NIC", Reason.REQUIRED)
    elif not is_link_name(name):
        remedy = f"use at most {LONGEST_NIC} letters, without blanks, '/' and ':'"
        found.refuse(field, f"{name!r} is not the name of a NIC", remedy)


def _check_given(text: str, field: str, found: Findings) -> None:
    if not text:
        found.refuse(field, "is empty", "name the device plugin's resource", Reason.REQUIRED)


def _check_vlan(vlan: int, field: str, found: Findings) -> None:
    if not 0 <= vlan <= 4094:
        found.refuse(field, f"{vlan} is not a VLAN", "use 0 to 4094")


def _check_vlan_mode(block: VlanConfig, path: str, found: Findings) -> None:
    if block.vlan_mode is VlanMode.AUTO:
        if block.vlan_id is not None:
            problem = "is picked by itself with vlanMode auto"
            found.refuse(f"{path}.vlanID", problem, "remove it", Reason.FORBIDDEN)
    elif block.vlan_id is None:
        remedy = "write it, or vlanMode: auto"
        found.refuse(f"{path}.vlanID", "is missing with vlanMode manual", remedy, Reason.REQUIRED)
    else:
        _check_vlan(block.vlan_id, f"{path}.vlanID", found)


def _check_sriov(block: SriovConfig, path: str, found: Findings) -> None:
    least, most = block.min_tx_rate_mbps, block.max_tx_rate_mbps
    if most and least > most:
        problem = f"{least} > maxTxRateMbps {most}"
        found.refuse(f"{path}.minTxRateMbps", problem, "lower it")
    _check_vlan(block.vlan_id, f"{path}.vlanID", found)


def _check_ovs(block: OvsConfig, path: str, found: Findings) -> None:
    _check_nic(block.bridge, f"{path}.bridge", found)
    _check_vlan(block.vlan, f"{path}.vlan", found)
    for index, trunk in enumerate(block.trunk):
        _check_trunk(trunk, f"{path}.trunk[{index}]", found)


def _check_trunk(trunk: Trunk, path: str, found: Findings) -> None:
    for name, vlan in (("minID", trunk.min_id), ("maxID", trunk.max_id), ("id", trunk.id)):
        if vlan is not None:
            _check_vlan(vlan, f"{path}.{name}", found)
    if trunk.min_id is not None and trunk.max_id is not None:
        if trunk.min_id > trunk.max_id:
            found.refuse(f"{path}.minID", f"{trunk.min_id} > maxID {trunk.max_id}", "swap them")
    elif trunk.id is None:
        remedy = "give id, or minID and maxID"
        found.refuse(path, "names no VLAN", remedy, Reason.REQUIRED)
