"""Options of a bond: names, forms and attribute numbers, as ``ip link add type bond`` has them.

Source: linux/if_link.h (``IFLA_BOND_*``) and Documentation/networking/bonding.rst.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from spiderpool.netlink.wire import attribute, nested, u16, u32
from spiderpool.types.address import Address, packed
from spiderpool.types.names import IfName

BondValue = int | str | tuple[Address, ...]
BondSetting = tuple[str, BondValue]
"""An option and its value: a number, a link, a MAC, or addresses, as its form demands."""


class Form(enum.Enum):
    """How a value is written into its attribute; numbers have a size in bytes."""

    U8 = 1
    U16 = 2
    U32 = 4
    LINK = "name of a link"
    MAC = "MAC address"
    ADDRESSES = "IPv4 addresses"


@dataclass(frozen=True, slots=True)
class Option:
    """One option; ``words`` are what people write for 0, 1, 2, ..."""

    number: int
    form: Form
    words: tuple[str, ...] = ()


_SWITCH = ("off", "on")
OPTIONS: Mapping[str, Option] = {
    "mode": Option(1, Form.U8),
    "miimon": Option(3, Form.U32),
    "updelay": Option(4, Form.U32),
    "downdelay": Option(5, Form.U32),
    "use_carrier": Option(6, Form.U8, _SWITCH),
    "arp_interval": Option(7, Form.U32),
    "arp_ip_target": Option(8, Form.ADDRESSES),
    "arp_validate": Option(
        *(9, Form.U32),
        words=("none", "active", "backup", "all", "filter", "filter_active", "filter_backup"),
    ),
    "arp_all_targets": Option(10, Form.U32, ("any", "all")),
    "primary": Option(11, Form.LINK),
    "primary_reselect": Option(12, Form.U8, ("always", "better", "failure")),
    "fail_over_mac": Option(13, Form.U8, ("none", "active", "follow")),
    "xmit_hash_policy": Option(
        *(14, Form.U8),
        words=("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"),
    ),
    "resend_igmp": Option(15, Form.U32),
    "num_peer_notif": Option(16, Form.U8),
    "all_slaves_active": Option(17, Form.U8, _SWITCH),
    "min_links": Option(18, Form.U32),
    "lp_interval": Option(19, Form.U32),
    "packets_per_slave": Option(20, Form.U32),
    "lacp_rate": Option(21, Form.U8, ("slow", "fast")),
    "ad_select": Option(22, Form.U8, ("stable", "bandwidth", "count")),
    "ad_actor_sys_prio": Option(24, Form.U16),
    "ad_user_port_key": Option(25, Form.U16),
    "ad_actor_system": Option(26, Form.MAC),
    "tlb_dynamic_lb": Option(27, Form.U8, _SWITCH),
    "peer_notif_delay": Option(28, Form.U32),
}


def encoded(settings: Iterable[BondSetting], index_of: Callable[[IfName], int]) -> bytes:
    """The attributes inside ``IFLA_INFO_DATA``."""
    return b"".join(_attribute(OPTIONS[name], value, index_of) for name, value in settings)


def _attribute(option: Option, value: BondValue, index_of: Callable[[IfName], int]) -> bytes:
    match value:
        case int() if option.form is Form.U8:
            return attribute(option.number, bytes((value,)))
        case int() if option.form is Form.U16:
            return u16(option.number, value)
        case int():
            return u32(option.number, value)
        case str() if option.form is Form.LINK:
            return u32(option.number, index_of(IfName(value)))
        case str():
            return attribute(option.number, bytes.fromhex(value.replace(":", "")))
        case _:
            places = enumerate(map(packed, value))
            return nested(option.number, *(attribute(place, raw) for place, raw in places))


def links_of(settings: Iterable[BondSetting]) -> list[IfName]:
    """The links that the settings name."""
    return [
        IfName(value)
        for name, value in settings
        if isinstance(value, str) and OPTIONS[name].form is Form.LINK
    ]


def mode_of(settings: Iterable[BondSetting]) -> int:
    """The bonding mode; the driver's default is balance-rr."""
    mode = dict(settings).get("mode", 0)
    assert isinstance(mode, int)
    return mode


def as_words(settings: Iterable[BondSetting]) -> str:
    """``mode 1 miimon 100``, as iproute2 takes it."""
    return " ".join(
        f"{name} {','.join(value) if isinstance(value, tuple) else value}"
        for name, value in settings
    )
