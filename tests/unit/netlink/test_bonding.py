"""Bonds and VLANs as bytes: pyroute2 reads what we write, and we read what it writes."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from spiderpool.netlink import decode
from spiderpool.netlink.bonding import OPTIONS, BondSetting, BondValue, Form
from spiderpool.netlink.encode import encode
from spiderpool.netlink.model import step
from spiderpool.netlink.model.refusal import Refusal
from spiderpool.netlink.objects import LinkKind
from spiderpool.netlink.operations import ChangeLink, CreateLink, DeleteLink
from spiderpool.netlink.text import as_command
from spiderpool.testing.builders import down, pair, up
from spiderpool.testing.netlink import FRESH
from spiderpool.types.address import Address
from spiderpool.types.names import IfName

BOND = IfName("bond0")
ETH1 = IfName("eth1")
INDICES = {ETH1: 7}
PYROUTE2_NAMES = {"lacp_rate": "IFLA_BOND_AD_LACP_RATE"}
UNKNOWN_TO_PYROUTE2 = {"peer_notif_delay"}


def bond(*settings: BondSetting) -> CreateLink:
    return CreateLink(BOND, LinkKind.BOND, bond=settings)


def read(operation: CreateLink) -> Any:
    message = ifinfmsg(encode(operation, INDICES))
    message.decode()
    return message


SAMPLES: dict[Form, tuple[BondValue, Any]] = {
    Form.U8: (2, 2),
    Form.U16: (0x1234, 0x1234),
    Form.U32: (100000, 100000),
    Form.LINK: ("eth1", 7),
    Form.MAC: ("02:00:00:00:00:01", "02:00:00:00:00:01"),
}


KNOWN = [
    name
    for name, option in OPTIONS.items()
    if option.form in SAMPLES and name not in UNKNOWN_TO_PYROUTE2
]


@pytest.mark.parametrize("name", KNOWN)
def test_each_option_has_its_attribute(name: str) -> None:
    value, seen = SAMPLES[OPTIONS[name].form]
    data = read(bond((name, value))).get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
    expected = PYROUTE2_NAMES.get(name, f"IFLA_BOND_{name.upper()}")
    [(attribute, found)] = data["attrs"]
    assert attribute == expected
    assert found == seen


def test_an_option_that_pyroute2_does_not_know() -> None:
    """``IFLA_BOND_PEER_NOTIF_DELAY`` is 28 in linux/if_link.h."""
    assert encode(bond(("peer_notif_delay", 100)), INDICES).endswith(b"\x08\0\x1c\0\x64\0\0\0")


def test_addresses_are_a_numbered_list() -> None:
    targets = (Address("10.6.0.1"), Address("10.6.0.2"))
    raw = encode(bond(("arp_ip_target", targets)), INDICES)
    assert b"\x08\x00\x00\x00\x0a\x06\x00\x01\x08\x00\x01\x00\x0a\x06\x00\x02" in raw


def test_what_pyroute2_writes_is_read() -> None:
    for kind, data, seen in (
        ("bond", ["IFLA_BOND_MODE", 4], (None, 4)),
        ("vlan", ["IFLA_VLAN_ID", 100], (100, None)),
        ("macvlan", ["IFLA_MACVLAN_MODE", "bridge"], (None, None)),
    ):
        info = [["IFLA_INFO_KIND", kind], ["IFLA_INFO_DATA", {"attrs": [data]}]]
        message = ifinfmsg()
        message["index"] = 9
        message["attrs"] = [["IFLA_IFNAME", "x"], ["IFLA_LINKINFO", {"attrs": info}]]
        message.encode()
        link = decode.link(bytes(message.data)[16:], {9: "x"}.get)
        assert (link.vlan, link.bond_mode) == seen


def test_a_bond_prints_as_a_command() -> None:
    made = bond(("mode", 1), ("miimon", 100), ("arp_ip_target", (Address("1.2.3.4"),)))
    assert as_command(made) == (
        "ip link add name bond0 type bond mode 1 miimon 100 arp_ip_target 1.2.3.4"
    )


def test_the_model_of_a_bond() -> None:
    """As the driver's source has it: this kernel need not have the driver."""
    state = step(FRESH, pair("eth1", "lan", 10))
    state = step(state, bond(("mode", 1)))
    enslave = ChangeLink(ETH1, master=BOND)
    with pytest.raises(Refusal) as refused:
        step(state, enslave)
    assert refused.value.errno == errno.EPERM
    bonded = step(step(state, down("eth1")), enslave)
    member, made = bonded.link("eth1"), bonded.link("bond0")
    assert member is not None
    assert made is not None
    assert (member.master, member.up, made.bond_mode) == (BOND, True, 1)
    released = step(step(bonded, up("bond0")), DeleteLink(BOND)).link("eth1")
    assert released is not None
    assert (released.master, released.up) == (None, False)
