"""What an entry of a chain may say, and how a wrong one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from spiderpool.errors import BadInput
from spiderpool.ifacer.config import BondConfig, Config, configuration
from spiderpool.ifacer.devices import BondDevice, VlanDevice, devices
from spiderpool.types.names import IfName

ETH1, ETH2, BOND0 = IfName("eth1"), IfName("eth2"), IfName("bond0")
PAIR = ["eth1", "eth2"]


def bonded(options: str = "", **more: Any) -> dict[str, Any]:
    return {"interfaces": PAIR, "bond": {"name": "bond0", "mode": 1, "options": options}, **more}


def test_one_nic_asks_for_nothing() -> None:
    config = configuration({"type": "ifacer", "interfaces": ["eth1"]})
    assert config == Config((ETH1,))
    assert devices(config) == ()


def test_a_vlan_is_named_after_its_parent() -> None:
    config = configuration({"interfaces": ["eth1"], "vlanID": 100})
    assert devices(config) == (VlanDevice(IfName("eth1.100"), ETH1, 100),)


def test_a_vlan_upon_a_bond() -> None:
    config = configuration(bonded("miimon=100; lacp_rate=fast;up_delay=5", vlanID=7))
    settings = (("mode", 1), ("miimon", 100), ("lacp_rate", 1), ("updelay", 5))
    assert config.bond == BondConfig(BOND0, settings)
    assert devices(config) == (
        BondDevice(BOND0, (ETH1, ETH2), settings),
        VlanDevice(IfName("bond0.7"), BOND0, 7),
    )


def test_a_bond_of_one_is_none_and_a_nameless_one_gets_a_name() -> None:
    alone = configuration({"interfaces": ["eth1"], "bond": {"mode": 0}})
    assert alone.bond is None
    unnamed = configuration({"interfaces": PAIR, "bond": {"mode": 0}})
    assert unnamed.bond == BondConfig(IfName("sp_bond0"), (("mode", 0), ("miimon", 100)))


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ("", (("miimon", 100),)),
        ("updelay=200", (("updelay", 200), ("miimon", 100))),
        ("miimon=0", (("miimon", 0),)),
        ("arp_interval=200", (("arp_interval", 200),)),
    ],
)
def test_a_bond_notices_that_a_member_fails(
    options: str, settings: tuple[tuple[str, int], ...]
) -> None:
    """Unless somebody says how, or that it shall not."""
    bond = configuration(bonded(options)).bond
    assert bond is not None
    assert bond.settings == (("mode", 1), *settings)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("xmit_hash_policy=layer3+4", 1),
        ("xmit_hash_policy=5", 5),
        ("use_carrier=0", 0),
        ("use_carrier=true", 1),
        ("ad_actor_sys_prio=65535", 65535),
        ("ad_actor_system=02:00:00:00:00:0A", "02:00:00:00:00:0a"),
        ("primary=eth2", "eth2"),
        ("arp_ip_target=10.6.0.1,10.6.0.2", ("10.6.0.1", "10.6.0.2")),
        ('arp_ip_target=["10.6.0.1"]', ("10.6.0.1",)),
    ],
)
def test_options(text: str, value: object) -> None:
    bond = configuration(bonded(text)).bond
    assert bond is not None
    assert (text.partition("=")[0], value) in bond.settings


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, 'interfaces: is empty; name the host NIC, for example ["ens192"]'),
        ({"interfaces": ["eth1/x"]}, "interfaces[0]: 'eth1/x' is not the name of a NIC"),
        ({"interfaces": ["eth1", "eth1"]}, "interfaces: names a NIC twice"),
        ({"interfaces": ["eth1"], "vlanID": 4095}, "vlanID: 4095 is out of range 0-4094"),
        ({"interfaces": ["eth1"], "vlanID": -1}, "vlanID: -1 is out of range 0-4094"),
        ({"interfaces": ["eth1"], "vlanID": "5"}, "vlanID: '5' is not a whole number"),
        ({"interfaces": PAIR}, "bond: 2 interfaces need a bond section (name and mode)"),
        ({"interfaces": PAIR, "bond": {"mode": 7}}, "bond.mode: 7 is not a bonding mode"),
        ({"interfaces": PAIR, "bond": {"name": "b"}}, "bond.mode: is required"),
        (bonded("x"), 'bond.options: bond option "x" has no "="'),
        (bonded("x=1"), 'bond option "x" is unknown; use miimon, updelay'),
        (bonded("lacp_rate=sometimes"), '"sometimes" is unknown: slow or fast'),
        (bonded("miimon=4294967296"), '"4294967296" is no number from 0 to 4294967295'),
        (bonded("miimon=-1"), "is no number from 0"),
        (bonded("all_slaves_active=2"), '"2" is unknown: off or on'),
        (bonded("miimon=1;miimon=2"), '"miimon" is given twice'),
        (bonded("mode=1"), "mode is a field of its own; write bond.mode"),
        (bonded("active_slave=eth1"), "use primary"),
        (bonded("primary=eth9"), "primary eth9 is no member"),
        (bonded("ad_actor_system=x"), "is no MAC"),
        (bonded("arp_ip_target=fd00::1"), "takes IPv4 addresses"),
        (bonded("arp_ip_target=nowhere"), "bond.options: 'nowhere' is not an IP address"),
    ],
)
def test_refusals(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput) as refused:
        configuration(entry)
    text = str(refused.value)
    assert text.startswith("network configuration: ")
    assert words in text


def test_a_name_that_would_be_too_long() -> None:
    with pytest.raises(BadInput, match=r"vlanID: the device enp129s0f0np0\.4094 would have"):
        devices(configuration({"interfaces": ["enp129s0f0np0"], "vlanID": 4094}))
