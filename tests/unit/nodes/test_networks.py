"""Multus' annotations: what a pod may ask for, and what it is told."""

from __future__ import annotations

import json

import pytest

from harness.nodes.multus import read_network
from harness.nodes.networks import Connected, default_selection, selections, status_text
from spiderpool.cni.result import CniResult, Interface, IpConfig
from spiderpool.errors import BadInput
from spiderpool.types.address import InterfaceAddress
from spiderpool.types.names import IfName


def asked(text: str) -> list[str]:
    found = selections(text, "default/nginx", "default")
    return [f"{item}@{item.nic}" for item in found]


def test_short_form_names_networks_in_order() -> None:
    assert asked("macvlan-ens192") == ["default/macvlan-ens192@net1"]
    assert asked("a, kube-system/b@store ,c") == [
        "default/a@net1",
        "kube-system/b@store",
        "default/c@net3",
    ]
    assert asked("") == []


def test_json_form_compact_or_pretty_means_the_same() -> None:
    value = [{"name": "a"}, {"name": "b", "namespace": "other", "interface": "eth9"}]
    wanted = ["default/a@net1", "other/b@eth9"]
    assert asked(json.dumps(value)) == wanted
    assert asked(json.dumps(value, indent=2)) == wanted


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a/b/c", "names no network"),
        ("a@../../x", "names no network"),
        ('[{"namespace": "x"}]', "has no name"),
        ("[1", "is no JSON"),
        ("a@net1,b@net1", "two networks ask for one NIC"),
        ('[{"name": "a", "ips": ["10.6.0.9"]}]', "'ips' is not emulated"),
    ],
)
def test_a_bad_annotation_is_refused_by_pod_and_item(text: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem) as caught:
        asked(text)
    assert "Pod default/nginx" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("macvlan-ens192", "kube-system/macvlan-ens192@eth0"),
        ("default/macvlan-ens192@eth9", "default/macvlan-ens192@eth9"),
    ],
)
def test_the_default_network_makes_eth0(text: str, wanted: str) -> None:
    found = default_selection(text, "default/nginx")
    assert f"{found}@{found.nic}" == wanted


def test_status_tells_each_nic_with_its_addresses() -> None:
    result = CniResult(
        interfaces=(Interface(IfName("net1"), "02:00:00:00:00:01", "/proc/1/fd/9"),),
        ips=(IpConfig(InterfaceAddress("10.6.212.100/16"), interface=0),),
    )
    told = json.loads(status_text([Connected("default/macvlan", IfName("net1"), result)]))
    assert told == [
        {
            "name": "default/macvlan",
            "interface": "net1",
            "ips": ["10.6.212.100"],
            "mac": "02:00:00:00:00:01",
            "dns": {},
        }
    ]


def test_a_plugin_type_cannot_be_a_path() -> None:
    with pytest.raises(BadInput, match="no name of a plugin"):
        read_network('{"name": "n", "plugins": [{"type": "../../bin/sh"}]}', "NAD default/n")


def test_one_plugin_alone_is_a_list_of_one() -> None:
    network = read_network('{"cniVersion":"0.3.1","name":"n","type":"macvlan"}', "NAD default/n")
    assert [plugin["type"] for plugin in network.plugins] == ["macvlan"]
