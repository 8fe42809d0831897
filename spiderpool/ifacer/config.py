"""The entry of the plugin ``ifacer`` in a chain, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spiderpool.cni.request import is_link_name
from spiderpool.errors import BadInput
from spiderpool.ifacer.options import settings_of
from spiderpool.netlink.bonding import BondSetting
from spiderpool.types.codec import decode
from spiderpool.types.names import IfName

NETCONF = "network configuration"
DEFAULT_BOND = "sp_bond0"
_MODES = range(7)
_WATCH: BondSetting = ("miimon", 100)
"""Milliseconds between two looks at the members' carriers. In most modes the driver takes none
of itself, and goes on sending by a NIC whose cable is drawn (bonding.rst, miimon)."""

_VLANS = range(4095)


@dataclass(frozen=True, slots=True)
class BondConfig:
    """A bond of all ``interfaces``; ``settings`` begin with the mode."""

    name: IfName
    settings: tuple[BondSetting, ...]


@dataclass(frozen=True, slots=True)
class Config:
    """``vlan`` 0: no VLAN device is asked for."""

    interfaces: tuple[IfName, ...]
    vlan: int = 0
    bond: BondConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _BondEntry:
    mode: int
    name: str = DEFAULT_BOND
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    interfaces: tuple[str, ...] = ()
    vlan_id: int = 0
    bond: _BondEntry | None = None


def configuration(netconf: Mapping[str, Any]) -> Config:
    """What an entry asks for.

    Raises:
        BadInput: naming the field, what is wrong with it, and the way out.
    """
    entry = decode(_Entry, netconf, NETCONF)
    if not entry.interfaces:
        raise BadInput(_at("interfaces"), "is empty", 'name the host NIC, for example ["ens192"]')
    interfaces = [_name(n, f"interfaces[{i}]") for i, n in enumerate(entry.interfaces)]
    if len(set(interfaces)) < len(interfaces):
        raise BadInput(_at("interfaces"), "names a NIC twice", "name each NIC once")
    if entry.vlan_id not in _VLANS:
        raise BadInput(_at("vlanID"), f"{entry.vlan_id} is out of range 0-4094")
    return Config(tuple(interfaces), entry.vlan_id, _bond(entry, interfaces))


def _bond(entry: _Entry, interfaces: list[IfName]) -> BondConfig | None:
    """One NIC needs no bond, and gets none."""
    if len(interfaces) == 1:
        return None
    if entry.bond is None:
        problem = f"{len(interfaces)} interfaces need a bond section (name and mode)"
        raise BadInput(_at("bond"), problem)
    mode = entry.bond.mode
    if mode not in _MODES:
        raise BadInput(_at("bond.mode"), f"{mode} is not a bonding mode", "use 0 to 6")
    name = _name(entry.bond.name, "bond.name")
    options = settings_of(entry.bond.options, _at("bond.options"))
    chosen = dict(options).get("primary")
    if chosen is not None and chosen not in interfaces:
        raise BadInput(
            _at("bond.options"), f"primary {chosen} is no member", "name one of interfaces"
        )
    watched = dict(options).keys() & {"miimon", "arp_interval"}
    return BondConfig(name, (("mode", mode), *options, *(() if watched else (_WATCH,))))


def _name(text: str, field: str) -> IfName:
    if not is_link_name(text):
        raise BadInput(_at(field), f"{text!r} is not the name of a NIC", "use 1 to 15 letters")
    return IfName(text)


def _at(field: str) -> str:
    return f"{NETCONF}: {field}"
