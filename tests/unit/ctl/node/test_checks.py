"""Each check by itself: facts in, findings out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from node_facts import ALL, FACTS, MULTUS, OURS, PLUGIN, SYNCED, SYSCTLS, VIEW, Check, only, wrong

from spiderpool.ctl.node import agent, cluster, cni, kernel, managers, nics, sysctls
from spiderpool.ctl.node.facts import (
    Folder,
    Kernel,
    Managers,
    Nic,
    NodeFacts,
)
from spiderpool.types.address import Prefix
from spiderpool.types.coordinator import CoordinatorStatus
from spiderpool.types.modes import Phase


@pytest.mark.parametrize(
    "check", [kernel.check, sysctls.check, managers.check, nics.check, cni.check, agent.check]
)
def test_a_node_in_good_health(check: Check) -> None:
    found = list(check(FACTS))
    assert found
    assert wrong(found) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Kernel("5.10.0", ALL), "problem kernel 5.10.0: has no cookies"),
        (Kernel("", ALL), "warning kernel: its version cannot be told"),
        (Kernel("6.1", None), "warning kernel 6.1: its modules cannot be told"),
        (Kernel("6.1", ALL - {"macvlan"}), "problem kernel module macvlan: is missing"),
        (Kernel("6.1", ALL - {"bonding"}), "warning kernel module bonding: is missing"),
    ],
)
def test_kernels(change: Kernel, words: str) -> None:
    assert only(kernel.check(replace(FACTS, kernel=change))).startswith(words)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("ipv4/conf/ens192/rp_filter", "1", "warning sysctl net.ipv4.conf.ens192.rp_filter: is st"),
        ("ipv4/conf/default/rp_filter", "1", "warning sysctl net.ipv4.conf.default.rp_filter"),
        ("ipv4/conf/ens192/arp_ignore", "8", "warning sysctl net.ipv4.conf.ens192.arp_ignore: is"),
        ("ipv4/conf/all/arp_ignore", "3", "warning sysctl net.ipv4.conf.ens192.arp_ignore: is 3"),
        ("ipv4/neigh/default/gc_thresh3", "1024", "warning sysctl net.ipv4.neigh.default.gc_th"),
        ("ipv4/ip_forward", "0", "problem sysctl net.ipv4.ip_forward: is off"),
        ("ipv6/conf/all/forwarding", "0", "warning sysctl net.ipv6.conf.all.forwarding: is off"),
        ("ipv6/conf/all/disable_ipv6", "1", "warning sysctl net.ipv6.conf.all.disable_ipv6"),
    ],
)
def test_settings(key: str, value: str, words: str) -> None:
    assert only(sysctls.check(replace(FACTS, sysctls=SYSCTLS | {key: value}))).startswith(words)


def test_the_larger_value_of_all_and_the_nic_counts() -> None:
    """Strict for all is strict for the NIC, unless the NIC is loose (ip-sysctl)."""
    strict = SYSCTLS | {"ipv4/conf/all/rp_filter": "1"}
    assert len(wrong(sysctls.check(replace(FACTS, sysctls=strict)))) == 2
    loose = strict | {"ipv4/conf/ens192/rp_filter": "2"}
    assert len(wrong(sysctls.check(replace(FACTS, sysctls=loose)))) == 1
    all_loose = SYSCTLS | {"ipv4/conf/all/rp_filter": "2", "ipv4/conf/ens192/rp_filter": "1"}
    assert wrong(sysctls.check(replace(FACTS, sysctls=all_loose))) == []


def test_neighbours_are_shared_by_all_pods() -> None:
    few = replace(FACTS, sysctls=SYSCTLS | {"ipv4/neigh/default/gc_thresh3": "1024"})
    assert wrong(sysctls.check(replace(few, pods=20))) == []
    assert "9 for each of 110 pods" in only(sysctls.check(few))


def test_two_nics_in_one_network() -> None:
    """ARP flux: by default a NIC answers for every address of the node."""
    both = replace(FACTS, networks=dict.fromkeys(("ens192", "ens224"), (Prefix("10.6.0.0/16"),)))
    line = only(sysctls.check(both))
    assert line.startswith("warning NICs ens192 and ens224: are in one network")
    assert "net.ipv4.conf.ens224.arp_ignore=1" in line
    assert "net.ipv4.conf.ens224.arp_announce=2" in line
    quiet = {"ipv4/conf/all/arp_ignore": "1", "ipv4/conf/all/arp_announce": "2"}
    assert wrong(sysctls.check(replace(both, sysctls=SYSCTLS | quiet))) == []
    apart = {"ens192": (Prefix("10.6.0.0/16"),), "ens224": (Prefix("10.7.0.0/16"),)}
    assert wrong(sysctls.check(replace(FACTS, networks=apart))) == []


def test_a_kernel_without_ipv6() -> None:
    without = {key: value for key, value in SYSCTLS.items() if not key.startswith("ipv6")}
    assert "the kernel has no IPv6" in only(sysctls.check(replace(FACTS, sysctls=without)))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"/a": "net.ipv4.ip_forward = 0"}, "warning /a: turns IPv4 forwarding off"),
        ({"/a": "-net/ipv6/conf/all/forwarding=0\n"}, "warning /a: turns IPv6 forwarding off"),
        ({"/a": "net.ipv4.conf.all.rp_filter=1"}, "warning /a: makes the reverse path filter"),
        ({"/a": "net.ipv4.ip_forward=0", "/b": "net.ipv4.ip_forward=1"}, ""),
        ({"/a": "#net.ipv4.ip_forward=0\n; x\n"}, ""),
    ],
)
def test_what_the_next_boot_sets(files: dict[str, str], words: str) -> None:
    found = wrong(sysctls.check(replace(FACTS, managers=Managers(sysctl_files=files))))
    assert [line[: len(words)] for line in found] == ([words] if words else [])


@pytest.mark.parametrize(
    ("nic", "words"),
    [
        (Nic(name="ens192", up=False, carrier=False), "problem NIC ens192: is down"),
        (Nic(name="ens192", carrier=False), "problem NIC ens192: has no carrier"),
        (Nic(name="ens192", wireless=True), "problem NIC ens192: is wireless"),
        (Nic(name="ens192", master="br0"), "problem NIC ens192: is part of br0; use br0"),
        (Nic(name="ens192", mtu=1400), "warning NIC ens192: has MTU 1400"),
        (Nic(name="ens192", driver="vmxnet3"), "warning NIC ens192: is virtual (vmxnet3)"),
    ],
)
def test_parents(nic: Nic, words: str) -> None:
    assert only(nics.check(replace(FACTS, nics={"ens192": nic}))).startswith(words)


def test_a_virtual_nic_that_is_promiscuous_is_taken_for_prepared() -> None:
    nic = Nic(name="ens192", driver="vmxnet3", promiscuous=True)
    assert wrong(nics.check(replace(FACTS, nics={"ens192": nic}))) == []


def test_a_parent_that_is_not_there() -> None:
    line = only(nics.check(replace(FACTS, parents=("ens1",))))
    assert line.startswith("problem NIC ens1: does not exist here (there are ens192, ens224)")
    assert "no default route" in only(nics.check(replace(FACTS, parents=())))


def with_plugin(**changes: Any) -> NodeFacts:
    changed = OURS | {"coordinator": replace(PLUGIN, **changes)}
    return replace(FACTS, cni=replace(FACTS.cni, ours=changed))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (with_plugin(executable=False), "problem /opt/cni/bin/coordinator: cannot be executed"),
        (with_plugin(complaint="boom"), "problem /opt/cni/bin/coordinator: does not answer VERS"),
        (with_plugin(versions=("0.3.1",)), "warning /opt/cni/bin/coordinator: speaks CNI 0.3.1, "),
        (with_plugin(static=None), "warning /opt/cni/bin/coordinator: is not static"),
        (with_plugin(static=False), "warning /opt/cni/bin/coordinator: is not static"),
        (
            replace(FACTS, cni=replace(FACTS.cni, names=frozenset(OURS))),
            "problem /opt/cni/bin/macvlan: is missing",
        ),
        (
            replace(FACTS, cni=replace(FACTS.cni, kubeconfigs={"/k": False})),
            "problem /k: does not exist",
        ),
    ],
)
def test_plugins(facts: NodeFacts, words: str) -> None:
    assert only(cni.check(facts)).startswith(words)


def test_no_plugin_at_all() -> None:
    found = wrong(cni.check(replace(FACTS, cni=replace(FACTS.cni, ours={}))))
    assert [line.split(";")[0] for line in found] == [
        f"problem /opt/cni/bin/{name}: is missing" for name in OURS
    ]


CALICO = json.dumps({"name": "k8s-pod-network", "plugins": [{"type": "calico"}]})


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, ["problem /etc/cni/net.d: holds no configuration"]),
        ({"/00-multus.conf": MULTUS, "/10-calico.conflist": CALICO}, []),
        ({"/10-calico.conflist": CALICO, "/20-multus.conf": MULTUS},
         ["problem /10-calico.conflist: comes first, and is not Multus' (plugins calico)",
          "warning /20-multus.conf: is a second one"]),
        ({"/00-multus.conf": MULTUS, "/01-multus.conf": MULTUS},
         ["warning /01-multus.conf: is a second one"]),
        ({"/00-multus.conf": "{"}, ["problem /00-multus.conf: is no CNI configuration"]),
        ({"/00-multus.conf": "[]"}, ["problem /00-multus.conf: is no CNI configuration"]),
        ({"/00-multus.conf": MULTUS, "/10": "x"}, ["warning /10: is no CNI configuration"]),
    ],
)  # fmt: skip
def test_the_order_of_configurations(files: dict[str, str], words: list[str]) -> None:
    found = wrong(cni.check(replace(FACTS, cni=replace(FACTS.cni, configurations=files))))
    assert len(found) == len(words)
    assert all(line.startswith(each) for line, each in zip(found, words, strict=True))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"silence": "does not answer: x"}, "problem agent at /s: does not answer: x"),
        (
            {"answers": {"spiderpool": "no list of pods yet"}},
            "problem agent at /s, spiderpool: wou",
        ),
        ({"folders": (Folder(path="/v", problem="is read-only"),)}, "problem /v: is read-only"),
        ({"waiting": 2}, "warning DELs: 2 wait"),
        ({"refused": 1}, "warning DELs: 1 could never be carried out"),
    ],
)
def test_agents(change: dict[str, Any], words: str) -> None:
    changed = replace(FACTS, agent=replace(FACTS.agent, **change))
    assert only(agent.check(changed)).startswith(words)


def judged(**change: Any) -> list[str]:
    return wrong(cluster.check(replace(VIEW, **change), FACTS))


def test_a_cluster_in_good_health() -> None:
    assert judged() == []


NOT_READY = CoordinatorStatus(phase=Phase.NOT_READY, reason="nothing says it; write it by hand")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"told": None}, "problem CIDR discovery: there is no SpiderCoordinator default"),
        ({"found": NOT_READY, "told": NOT_READY}, "problem CIDR discovery: nothing says it; write"),
        ({"told": NOT_READY}, "warning CIDR discovery: finds pods 10.233.64.0/18 and services"),
        ({"told": replace(SYNCED, service_cidr=())}, "warning CIDR discovery: finds pods 10.233"),
        ({"pools": {"b": Prefix("10.233.1.0/24")}},
         "problem SpiderIPPool b: 10.233.1.0/24 overlaps the service CIDR 10.233.0.0/18"),
        ({"pools": {"b": Prefix("10.0.0.0/8")}}, "problem SpiderIPPool b: 10.0.0.0/8 overlaps"),
        ({"masters": {"default/lan": ("ens9",)}},
         "warning SpiderMultusConfig default/lan: its master ens9 is not on this node"),
        ({"masters": {"default/lan": ("ens192",)}, "pools_of": {"default/lan": ("far", "a")},
          "pools": {"far": Prefix("10.8.0.0/16"), "a": Prefix("10.6.0.0/16")}},
         "warning SpiderMultusConfig default/lan: its SpiderIPPool far is 10.8.0.0/16, but ens192 "
         "of this node is in 10.6.0.0/16; name a pool of that network"),
    ],
)  # fmt: skip
def test_clusters(change: dict[str, Any], words: str) -> None:
    found = judged(**change)
    assert found
    assert found[0].startswith(words)


def test_pods_and_services_and_the_nodes_own_network() -> None:
    wide = replace(SYNCED, overlay_pod_cidr=(Prefix("10.0.0.0/8"),))
    found = judged(found=wide, told=wide)
    assert [line.split(":")[0] for line in found] == [
        "problem the pod CIDR",
        "problem SpiderIPPool a",
        "problem NIC ens192's network",
    ]


def test_masters_are_those_of_every_block() -> None:
    spec = {"cniType": "macvlan", "macvlan": {"master": ["a", "b"]}, "coordinator": {"mode": "x"}}
    assert cluster.masters_of(spec) == ("a", "b")
    assert cluster.masters_of({"ipoib": {"master": "ib0"}}) == ("ib0",)


@pytest.mark.parametrize(
    ("change", "pools"),
    [
        ({}, ("a", "six")),
        ({"vlanID": 5}, ()),
        ({"ippools": None}, ()),
    ],
)
def test_pools_are_in_the_masters_network_without_a_vlan(
    change: dict[str, Any], pools: tuple[str, ...]
) -> None:
    block = {"master": ["m"], "ippools": {"ipv4": ["a"], "ipv6": ["six"]}} | change
    assert cluster.untagged_pools({"cniType": "macvlan", "macvlan": block}) == pools
    assert cluster.untagged_pools({"cniType": "vlan", "vlan": block}) == ()


def test_a_pool_of_the_other_family_or_unknown_is_in_nobodys_way() -> None:
    masters, asked = {"default/lan": ("ens192",)}, {"default/lan": ("six", "gone", "prod-*")}
    six = {"six": Prefix("fd00:6::/64")}
    assert judged(masters=masters, pools_of=asked, pools=six) == []
