"""Results in each version of the specification."""

from __future__ import annotations

from typing import Any

import pytest

from spiderpool.cni.result import (
    CniResult,
    Dns,
    Interface,
    IpConfig,
    ResultRoute,
    result_from_json,
)
from spiderpool.cni.versions import SUPPORTED
from spiderpool.errors import BadInput
from spiderpool.types.address import Address, InterfaceAddress, Prefix
from spiderpool.types.names import IfName

BASIC = CniResult(
    interfaces=(
        Interface(IfName("veth1"), mac="0a:1b:00:00:00:01"),
        Interface(IfName("net1"), mac="0a:1b:00:00:00:02", sandbox="/var/run/netns/p"),
    ),
    ips=(
        IpConfig(InterfaceAddress("10.6.212.145/16"), Address("10.6.0.1"), 1),
        IpConfig(InterfaceAddress("fd00::5/64")),
    ),
    routes=(ResultRoute(Prefix("0.0.0.0/0"), Address("10.6.0.1")), ResultRoute(Prefix("::/0"))),
    dns=Dns(("10.233.0.3",), "cluster.local", ("svc",), ("ndots:5",)),
)


@pytest.mark.parametrize("version", SUPPORTED)
def test_there_and_back(version: str) -> None:
    assert result_from_json(BASIC.to_json(version)) == BASIC


def test_the_newest_version() -> None:
    assert BASIC.to_json("1.1.0") == {
        "cniVersion": "1.1.0",
        "interfaces": [
            {"name": "veth1", "mac": "0a:1b:00:00:00:01"},
            {"name": "net1", "mac": "0a:1b:00:00:00:02", "sandbox": "/var/run/netns/p"},
        ],
        "ips": [
            {"address": "10.6.212.145/16", "gateway": "10.6.0.1", "interface": 1},
            {"address": "fd00::5/64"},
        ],
        "routes": [{"dst": "0.0.0.0/0", "gw": "10.6.0.1"}, {"dst": "::/0"}],
        "dns": {
            "nameservers": ["10.233.0.3"],
            "domain": "cluster.local",
            "search": ["svc"],
            "options": ["ndots:5"],
        },
    }


@pytest.mark.parametrize(("version", "shown"), [("0.3.1", True), ("0.4.0", True), ("1.0.0", False)])
def test_old_versions_say_the_family(version: str, shown: bool) -> None:
    ips = BASIC.to_json(version)["ips"]
    assert [ip.get("version") for ip in ips] == (["4", "6"] if shown else [None, None])


def test_what_only_1_1_0_knows() -> None:
    result = CniResult(
        interfaces=(Interface(IfName("net1"), mtu=1500, socket_path="/s", pci_id="0000:00:1f.6"),),
        routes=(ResultRoute(Prefix("10.0.0.0/8"), None, 1400, 1360, 0, 100, 253),),
    )
    new, old = result.to_json("1.1.0"), result.to_json("1.0.0")
    assert result_from_json(new) == result
    assert new["routes"] == [
        {
            "dst": "10.0.0.0/8",
            "mtu": 1400,
            "advmss": 1360,
            "priority": 0,
            "table": 100,
            "scope": 253,
        }
    ]
    assert old["interfaces"] == [{"name": "net1"}]
    assert old["routes"] == [{"dst": "10.0.0.0/8"}]


def test_an_empty_result() -> None:
    assert CniResult().to_json("1.0.0") == {"cniVersion": "1.0.0", "dns": {}}
    assert result_from_json({"cniVersion": "0.4.0", "dns": None, "ips": None}) == CniResult()


def test_addresses_become_canonical() -> None:
    result = result_from_json(
        {
            "interfaces": [{"name": "net1", "mac": "0A:1B:00:00:00:02"}],
            "ips": [{"version": "6", "address": "FD00:0::5/64"}],
            "routes": [{"dst": "10.6.1.2/16"}],
        }
    )
    assert result.interfaces[0].mac == "0a:1b:00:00:00:02"
    assert result.ips[0].address == "fd00::5/64"
    assert result.routes[0].dst == "10.6.0.0/16"


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        ([], "prevResult: is not a JSON object"),
        ({"ips": {}}, ""),
        ({"ips": "x"}, "prevResult.ips: is not a list"),
        ({"ips": [5]}, "prevResult.ips[0]: is not a JSON object"),
        ({"ips": [{}]}, "prevResult.ips[0].address: '' is not an IP address"),
        ({"ips": [{"address": "10.0.0.1/33"}]}, "prevResult.ips[0].address: "),
        ({"ips": [{"address": 5}]}, "prevResult.ips[0].address: 5 is not a string"),
        (
            {"ips": [{"address": "10.0.0.1/8", "interface": 0}]},
            "prevResult.ips[0].interface: 0 is no",
        ),
        (
            {"ips": [{"address": "10.0.0.1/8", "interface": True}]},
            "prevResult.ips[0].interface: True is not a whole number",
        ),
        ({"routes": [{"dst": "default"}]}, "prevResult.routes[0].dst: 'default'"),
        ({"dns": {"search": [1]}}, "prevResult.dns.search[0]: 1 is not a string"),
    ],
)
def test_what_cannot_be_read_is_named(obj: Any, words: str) -> None:
    if not words:
        assert result_from_json(obj) == CniResult()
        return
    with pytest.raises(BadInput) as caught:
        result_from_json(obj)
    assert str(caught.value).startswith(words)
