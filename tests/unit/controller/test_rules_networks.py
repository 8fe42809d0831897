"""Rules of SpiderMultusConfigs and SpiderCoordinators."""

from collections.abc import Sequence
from typing import Any

import pytest

from spiderpool.controller.admission.findings import Cluster, Findings, Request
from spiderpool.controller.admission.poolbook import PoolBook
from spiderpool.controller.admission.review import judge

NAME = "multus.spidernet.io/cr-name"
MACVLAN = {"cniType": "macvlan", "macvlan": {"master": ["ens192"]}}


def smc(spec: dict[str, Any], name: str = "net", **annotations: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "annotations": annotations}
    return {"metadata": metadata, "spec": spec}


def macvlan(**block: Any) -> dict[str, Any]:
    return {"cniType": "macvlan", "macvlan": {"master": ["ens192"]} | block}


def look(
    new: dict[str, Any],
    old: dict[str, Any] | None = None,
    pools: Sequence[dict[str, Any]] = (),
    **cluster: Any,
) -> Findings:
    return judge(
        "spidermultusconfigs", Request(old, new), Cluster(pools=PoolBook(pools), **cluster)
    )


def problems(*args: Any, **cluster: Any) -> list[str]:
    return [str(problem) for problem in look(*args, **cluster).problems]


def coordinator(name: str = "default", **spec: Any) -> list[str]:
    new = {"metadata": {"name": name}, "spec": spec}
    found = judge("spidercoordinators", Request(None, new), Cluster())
    return [str(problem) for problem in found.problems] or found.warnings


@pytest.mark.parametrize(
    "spec",
    [
        MACVLAN,
        macvlan(vlanID=100),
        macvlan(master=["a", "b"], bond={"name": "bond0", "mode": 1, "options": "miimon=100"}),
        {"cniType": "vlan", "vlan": {"master": ["a"], "vlanMode": "auto"}},
        {"cniType": "vlan", "vlan": {"master": ["a"], "vlanID": 0}},
        {"cniType": "sriov", "sriov": {"resourceName": "a/b", "minTxRateMbps": 5}},
        {"cniType": "ib-sriov", "ibsriov": {"resourceName": "a/b"}},
        {"cniType": "ipoib", "ipoib": {"master": "ib0"}},
        {"cniType": "ovs", "ovs": {"bridge": "b", "trunk": [{"id": 5}, {"minID": 1, "maxID": 9}]}},
        {"cniType": "custom", "customCNI": '{"type": "bridge"}'},
        {"cniType": "custom", "customCNI": '{"plugins": [{"type": "bridge"}]}'},
        {"cniType": "custom"},
        MACVLAN | {"chainCNIJsonData": ['{"type":"tuning"}']},
    ],
)  # fmt: skip
def test_good_networks(spec: dict[str, Any]) -> None:
    assert problems(smc(spec)) == []


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (
            {"cniType": "macvlan"},
            "spec.macvlan: no spec.macvlan specified for cniType macvlan; add it",
        ),
        (
            MACVLAN | {"ipvlan": {"master": ["a"]}},
            "spec.cniType: cniType macvlan only supports spec.macvlan; remove spec.ipvlan",
        ),
        (
            MACVLAN | {"customCNI": "{}"},
            "spec.cniType: cniType macvlan only supports spec.macvlan; remove spec.customCNI",
        ),
        (macvlan(master=[]), "spec.macvlan.master: is empty; name at least one host NIC"),
        (macvlan(master=[""]), "spec.macvlan.master[0]: is empty; name a host NIC"),
        (macvlan(master=["a/../b"]), "spec.macvlan.master[0]: 'a/../b' is not the name of a NIC"),
        (macvlan(master=["x" * 16]), "is not the name of a NIC"),
        (macvlan(master=["a", "a"]), "spec.macvlan.master: names a NIC twice; remove one"),
        (
            macvlan(master=["a", "b"]),
            "spec.macvlan.bond.name: is missing; name the bond that is made of the master NICs",
        ),
        (
            macvlan(bond={"name": "bond0", "mode": 1}),
            "spec.macvlan.master: has one NIC only, and a bond is made of several; "
            "add a NIC or remove spec.macvlan.bond",
        ),
        (
            macvlan(master=["a", "b"], bond={"name": "bond0", "mode": 7}),
            "spec.macvlan.bond.mode: 7 is not a bonding mode; use 0 to 6",
        ),
        (
            macvlan(master=["a", "b"], bond={"name": "bond0", "mode": 1, "options": "a=1;b"}),
            'spec.macvlan.bond.options: bond option "a" is unknown; use ',
        ),
        (
            macvlan(master=["a", "b"], bond={"name": "bond0", "mode": 1, "options": "miimon"}),
            'spec.macvlan.bond.options: bond option "miimon" has no "="; write key=value',
        ),
        (
            macvlan(master=["a", "b"], bond={"name": "bond0", "mode": 1, "options": "primary=c"}),
            "spec.macvlan.bond.options: primary c is no member; name one of a, b",
        ),
        (macvlan(master=["a\0b"]), "spec.macvlan.master[0]: 'a\\x00b' is not the name of a NIC"),
        (macvlan(master=["é" * 8]), "is not the name of a NIC"),
        (macvlan(vlanID=4095), "spec.macvlan.vlanID: 4095 is not a VLAN; use 0 to 4094"),
        (
            macvlan(master=["enp129s0f1np1"], vlanID=100),
            "spec.macvlan.vlanID: needs a device enp129s0f1np1.100, a name of more than 15 bytes",
        ),
        (macvlan(mtu=-1), "spec.macvlan.mtu: is negative; 0 leaves the MTU alone"),
        (
            macvlan(ippools={"matchMasterSubnet": True}),
            "spec.macvlan.ippools.matchMasterSubnet: is supported by cniType sriov only",
        ),
        (
            {"cniType": "vlan", "vlan": {"master": ["a"]}},
            "spec.vlan.vlanID: is missing with vlanMode manual; write it, or vlanMode: auto",
        ),
        (
            {"cniType": "vlan", "vlan": {"master": ["a"], "vlanMode": "auto", "vlanID": 5}},
            "spec.vlan.vlanID: is picked by itself with vlanMode auto; remove it",
        ),
        (
            {"cniType": "sriov", "sriov": {"resourceName": ""}},
            "spec.sriov.resourceName: is empty; name the device plugin's resource",
        ),
        (
            {
                "cniType": "sriov",
                "sriov": {"resourceName": "a/b", "minTxRateMbps": 9, "maxTxRateMbps": 5},
            },
            "spec.sriov.minTxRateMbps: 9 > maxTxRateMbps 5; lower it",
        ),
        (
            {"cniType": "ovs", "ovs": {"bridge": "b", "trunk": [{"minID": 20, "maxID": 10}]}},
            "spec.ovs.trunk[0].minID: 20 > maxID 10; swap them",
        ),
        (
            {"cniType": "ovs", "ovs": {"bridge": "b", "trunk": [{"maxID": 10}]}},
            "spec.ovs.trunk[0]: names no VLAN; give id, or minID and maxID",
        ),
        (
            {"cniType": "custom", "customCNI": "{"},
            "spec.customCNI: not JSON at line 1 column 2: ",
        ),
        (
            {"cniType": "custom", "customCNI": '{"a":' * 1500 + "1" + "}" * 1500},
            "spec.customCNI: not JSON at line 1 column 5122: depth limit exceeded",
        ),
        (
            {"cniType": "custom", "customCNI": '{"plugins": []}'},
            'spec.customCNI: "plugins" is not a list of plugins; name at least one',
        ),
        (
            {"cniType": "custom", "customCNI": '{"type": "../x"}'},
            "spec.customCNI: \"type\" '../x' is no plugin; name the plugin's executable",
        ),
        (
            {"cniType": "custom", "customCNI": '{"plugins": [{}]}'},
            'spec.customCNI: "type" is missing; name the plugin',
        ),
        ({"cniType": "custom", "customCNI": "[]"}, "spec.customCNI: is not a JSON object"),
        (
            MACVLAN | {"chainCNIJsonData": ['{"type":"a"}', "x"]},
            "spec.chainCNIJsonData[1]: not JSON at line 1 column 1: ",
        ),
        *(
            (MACVLAN | {"chainCNIJsonData": [text]}, f"spec.chainCNIJsonData[0]: {problem}")
            for text, problem in (
                ('{"type":"a","b":' + "[" * 40 + "]" * 40 + "}", "is nested more than 32 deep"),
                ('{"type":"a","b":' * 1500 + "1" + "}" * 1500, "not JSON"),
                ('{"type":"a","b":NaN}', "not JSON"),
                (
                    '{"type":"a","b":{"c":1,"c":2}}',
                    "key 'c' appears twice in one object; remove one",
                ),
                ('{"type":"a","b":1e999}', "not JSON"),
                ('{"type":"a","b":"\\ud800"}', "not JSON"),
                ('{"type":""}', "\"type\" '' is no name of a plugin"),
                ('{"type":"/bin/sh"}', "\"type\" '/bin/sh' is no name of a plugin"),
            )
        ),
        (
            MACVLAN | {"coordinator": {"hijackCIDR": ["0.0.0.0/0"]}},
            "spec.coordinator.hijackCIDR[0]: 0.0.0.0/0 is a default route; "
            "set podDefaultRouteNIC to move the pod's default route",
        ),
        (
            MACVLAN | {"coordinator": {"podMACPrefix": "01:00"}},
            "spec.coordinator.podMACPrefix: '01:00' begins a multicast MAC",
        ),
        (
            MACVLAN | {"coordinator": {"hijackCIDR": ["10.0.0.0/99"]}},
            "spec.coordinator.hijackCIDR[0]: '10.0.0.0/99' has no valid prefix length",
        ),
    ],
)
def test_what_a_network_may_not_say(spec: dict[str, Any], problem: str) -> None:
    assert [found for found in problems(smc(spec)) if problem in found]


def test_the_attachments_name() -> None:
    assert problems(smc(MACVLAN, **{NAME: "X_Y"})) == [
        f"metadata.annotations: {NAME}: 'X_Y' is not a DNS name; "
        "use lower case letters, digits, '-' and '.'"
    ]
    taken = (smc(MACVLAN, "other"), smc(MACVLAN, "third", **{NAME: "renamed"}))
    for name, owner in (("other", "other"), ("renamed", "third")):
        assert problems(smc(MACVLAN, **{NAME: name}), networks=taken) == [
            f"metadata.annotations: NetworkAttachmentDefinition default/{name} is owned by "
            f"SpiderMultusConfig {owner}; choose another name"
        ]
    assert problems(smc(MACVLAN, "net", **{NAME: "mine"}), networks=taken) == []


def test_of_two_that_want_one_attachment_the_younger_is_wrong() -> None:
    old, young = smc(MACVLAN, "old", **{NAME: "x"}), smc(MACVLAN, "young", **{NAME: "x"})
    for minute, obj in enumerate((old, young)):
        obj["metadata"]["creationTimestamp"] = f"2026-01-01T00:0{minute}:00Z"
    assert problems(old, networks=(old, young)) == []
    assert "is owned by SpiderMultusConfig old" in problems(young, networks=(old, young))[0]


@pytest.mark.parametrize(
    ("before", "after"), [({NAME: "a"}, {NAME: "b"}), ({}, {NAME: "b"}), ({NAME: "a"}, {})]
)
def test_the_attachments_name_stays(before: dict[str, str], after: dict[str, str]) -> None:
    (problem,) = problems(smc(MACVLAN, **after), smc(MACVLAN, **before))
    assert f"{NAME} is not changeable from" in problem


def test_the_networks_name() -> None:
    (problem,) = problems(smc(MACVLAN, **{"cni.spidernet.io/cniconfig-name": "a/b"}))
    assert "cni.spidernet.io/cniconfig-name: 'a/b' is no name of a CNI network; use " in problem


def test_the_cni_version() -> None:
    (problem,) = problems(smc(MACVLAN, **{"multus.spidernet.io/cni-version": "0.2.0"}))
    assert "unsupported CNI version 0.2.0; use one of: 0.3.1, 0.4.0, 1.0.0, 1.1.0" in problem


@pytest.mark.parametrize(
    ("key", "spec", "problem"),
    [
        (
            "rdma-resource-inject",
            {"cniType": "ovs", "ovs": {"bridge": "b"}},
            "spec.cniType: cniType ovs does not support cni.spidernet.io/rdma-resource-inject",
        ),
        (
            "rdma-resource-inject",
            MACVLAN,
            "spec.macvlan.rdmaResourceName: cni.spidernet.io/rdma-resource-inject needs a resource",
        ),
        (
            "network-resource-inject",
            macvlan(rdmaResourceName="a/b"),
            "spec.macvlan.ippools: cni.spidernet.io/network-resource-inject needs at least one",
        ),
    ],
)
def test_networks_to_be_injected(key: str, spec: dict[str, Any], problem: str) -> None:
    (found,) = problems(smc(spec, **{f"cni.spidernet.io/{key}": "x"}))
    assert problem in found


def test_a_network_without_resource_may_be_injected_without_pools() -> None:
    assert problems(smc(MACVLAN, **{"cni.spidernet.io/network-resource-inject": "x"})) == []


def test_the_older_page_is_accepted_with_warnings() -> None:
    old = {
        "cniType": "macvlan",
        "macvlan": {
            "master": ["ens192"],
            "spiderpoolConfigPools": {"IPv4IPPool": ["10-6-v4", "prod-*"]},
        },
        "coordinator": {"podCIDRType": "cluster", "tuneMode": "overlay"},
    }
    found = look(smc(old))
    assert not found.problems
    assert found.warnings == [
        "spec.macvlan.spiderpoolConfigPools was renamed in v0.6: write spec.macvlan.ippools",
        "spec.coordinator.tuneMode was renamed in v0.6: write spec.coordinator.mode",
        "spec.coordinator.podCIDRType has no effect in a network: it is set in the "
        "SpiderCoordinator",
        'spec.macvlan.ippools.ipv4[0] "10-6-v4" does not exist yet',
    ]


def test_a_pool_in_the_list_of_the_other_family_is_a_warning() -> None:
    pool = {"metadata": {"name": "p6"}, "spec": {"subnet": "fd00::/64"}}
    found = look(smc(macvlan(ippools={"ipv4": ["p6"], "ipv6": ["p6"]})), pools=(pool,))
    assert found.warnings == [
        'spec.macvlan.ippools.ipv4[0] "p6" is an IPv6 pool; move it to the other list'
    ]


@pytest.mark.parametrize(
    ("spec", "warning"),
    [
        (macvlan() | {"coordinator": {"hijackCIDR": ["10.1.0.0/16", "10.0.0.1/8", "10.0.0.1"]}},
         "spec.coordinator.hijackCIDR[1] 10.0.0.1/8 has host bits; it means 10.0.0.0/8"),
        (macvlan() | {"chainCNIJsonData": ['{"type":"coordinattor"}']},
         'spec.chainCNIJsonData[0]: no plugin of ours is called "coordinattor"; '
         "did you mean coordinator?"),
        ({"cniType": "custom", "customCNI": '{"plugins":[{"type":"coordinator"},{"type":"x"}]}'},
         "spec.customCNI: coordinator comes first; put it behind the plugin that makes the NIC"),
        ({"cniType": "custom", "customCNI": '{"type":"macvlan","ipam":{"type":"spiderpol"}}'},
         'spec.customCNI: no plugin of ours is called "spiderpol"; did you mean spiderpool?'),
        ({"cniType": "custom", "customCNI": '{"plugins":[{"type":"macvlan","ipam":'
          '{"type":"host-local"}},{"type":"coordinator"}]}'},
         "spec.customCNI: addresses of host-local are unique on one node only, pods on others get "
         "the same; use ipam spiderpool"),
    ],
)  # fmt: skip
def test_what_is_probably_not_meant_is_a_warning(spec: dict[str, Any], warning: str) -> None:
    found = look(smc(spec))
    assert not found.problems
    assert found.warnings == [warning]


def test_the_pages_coordinator_is_good() -> None:
    assert not coordinator(
        detectGateway=False,
        detectIPConflict=False,
        hijackCIDR=["169.254.0.0/16"],
        hostRPFilter=0,
        hostRuleTable=500,
        mode="auto",
        podCIDRType="calico",
        podDefaultRouteNIC="",
        podMACPrefix="",
        tunePodRoutes=True,
    )


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (
            {"podCIDRType": ""},
            "spec.podCIDRType: is not allowed to be empty; "
            "use one of: auto, cluster, calico, cilium, none",
        ),
        ({"mode": "foo"}, "spec.mode: 'foo' is not known"),
        ({"podCIDRType": "weave"}, "spec.podCIDRType: 'weave' is not known"),
        (
            {"policyRoutes": [{"dst": "10.0.0.0/8", "gw": "fd00::1"}]},
            "spec.policyRoutes[0]: dst 10.0.0.0/8 and gw fd00::1 are of different families",
        ),
        ({"podMACPrefix": "zz:00"}, "spec.podMACPrefix: 'zz:00' is not two bytes of a MAC"),
        (
            {"hostRuleTable": 254},
            "spec.hostRuleTable: 254 is the kernel's table main; choose another, like 500",
        ),
        ({"hostRuleTable": -1}, "spec.hostRuleTable: -1 is not a routing table"),
        ({"podRPFilter": 5}, "spec.podRPFilter: 5 is not 0, 1 or 2; negative: leave alone"),
        ({"txQueueLen": -1}, "spec.txQueueLen: -1 is negative"),
        ({"vethMTU": 67}, "spec.vethMTU: 67 is no MTU of a veth; use 68 to 65535, best 1500"),
        ({"serviceCIDR": ["::/0"]}, "spec.serviceCIDR[0]: ::/0 is a default route"),
        ({"vethLinkAddress": "x"}, "spec.vethLinkAddress: 'x' is not an IP address"),
        ({"overlayPodCIDR": ["x"]}, "spec.overlayPodCIDR[0]: 'x' is not an IP address"),
        ({"podDefaultRouteNIC": "a b"}, "spec.podDefaultRouteNIC: 'a b' is not the name of a NIC"),
    ],
)
def test_what_a_coordinator_may_not_say(spec: dict[str, Any], problem: str) -> None:
    (found,) = coordinator(**{"podCIDRType": "auto"} | spec)
    assert found.startswith(problem)


def test_a_second_coordinator_is_a_warning() -> None:
    assert coordinator("second", podCIDRType="auto") == [
        "only the SpiderCoordinator 'default' is used"
    ]
