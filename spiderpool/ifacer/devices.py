"""The devices that a configuration asks for, in the order in which they are made."""

from __future__ import annotations

from dataclasses import dataclass

from spiderpool.errors import BadInput
from spiderpool.ifacer.config import NETCONF, Config
from spiderpool.netlink.bonding import BondSetting
from spiderpool.types.names import IfName

LONGEST_NAME = 15
"""Bytes of a link's name (IFNAMSIZ - 1)."""


@dataclass(frozen=True, slots=True)
class BondDevice:
    """Members keep the order in which they are written; ``settings`` begin with the mode."""

    name: IfName
    members: tuple[IfName, ...]
    settings: tuple[BondSetting, ...]


@dataclass(frozen=True, slots=True)
class VlanDevice:
    """Tagged traffic of ``parent``."""

    name: IfName
    parent: IfName
    vlan: int


Device = BondDevice | VlanDevice


def devices(config: Config) -> tuple[Device, ...]:
    """The bond, then the VLAN upon it; nothing for one NIC without VLAN.

    Raises:
        BadInput: the VLAN device's name would be too long.
    """
    bond = config.bond
    made: list[Device] = []
    if bond is not None:
        made.append(BondDevice(bond.name, config.interfaces, bond.settings))
    if config.vlan:
        parent = bond.name if bond is not None else config.interfaces[0]
        name = IfName(f"{parent}.{config.vlan}")
        if len(name.encode()) > LONGEST_NAME:
            problem = f"the device {name} would have a name of more than {LONGEST_NAME} bytes"
            raise BadInput(f"{NETCONF}: vlanID", problem, "use a master with a shorter name")
        made.append(VlanDevice(name, parent, config.vlan))
    return tuple(made)
