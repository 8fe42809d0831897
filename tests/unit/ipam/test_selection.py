"""Which pools a NIC may draw from, and the reason of each that it may not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spiderpool.errors import BadInput, NoAddress
from spiderpool.ipam.attachments import attachment_of, position_of
from spiderpool.ipam.facts import Controller, Pod
from spiderpool.ipam.filters import Situation, Skipped, SkipReason
from spiderpool.ipam.netconf import Master
from spiderpool.ipam.pools import Pool, read_pool
from spiderpool.ipam.selection import choices, wanted, why_none
from spiderpool.types.address import Family, Prefix
from spiderpool.types.names import IfName, NodeName, PodUID, PoolName

P = "ipam.spidernet.io/"


def pool(name: str, subnet: str = "10.6.0.0/16", deleted: bool = False, **spec: Any) -> Pool:
    metadata = {"name": name} | ({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {})
    return read_pool({"metadata": metadata, "spec": {"subnet": subnet, **spec}})


def situation(
    annotations: dict[str, Any] | None = None,
    nic: str = "net1",
    labels: dict[str, str] | None = None,
    **kwargs: Any,
) -> Situation:
    pod = Pod(
        uid=PodUID("u"),
        namespace="default",
        name="x",
        labels=labels or {},
        annotations={
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in (annotations or {}).items()
        },
        node=NodeName("worker01"),
        controller=Controller("Pod", "x"),
    )
    return Situation(pod=pod, nic=IfName(nic), **kwargs)


def pools(*given: Pool) -> dict[PoolName, Pool | BadInput]:
    return {pool.name: pool for pool in given}


def usable(where: Situation, *given: Pool) -> list[str]:
    """Names in order, IPv4 before IPv6."""
    known = pools(*given)
    found = choices(where, wanted(where, known), known)
    return [pool.name for choice in found for pool in choice.usable]


def reasons(where: Situation, *given: Pool) -> dict[str, tuple[SkipReason, str]]:
    known = pools(*given)
    found = choices(where, wanted(where, known), known)
    return {item.pool: (item.reason, item.text) for choice in found for item in choice.skipped}


A, B, C = pool("a"), pool("b"), pool("c")
SIX = pool("six", "fd00::/64")
DEFAULT = pool("d", default=True)
IPPOOLS = {P + "ippools": [{"interface": "net1", "ipv4": ["a"]}]}
IPPOOL = {P + "ippool": {"ipv4": ["b"]}}
NAMESPACE: dict[str, Any] = {"namespace_annotations": {P + "default-ipv4-ippool": '["c"]'}}
NETCONF: dict[str, Any] = {"netconf_pools": {Family.V4: (PoolName("b"),)}}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (situation(IPPOOLS | IPPOOL, **NAMESPACE, **NETCONF), "a"),
        (situation(IPPOOL, **NAMESPACE, **NETCONF), "b"),
        (situation(**NAMESPACE, **NETCONF), "c"),
        (situation(**NETCONF), "b"),
        (situation(), "d"),
    ],
    ids=["ippools", "ippool", "namespace", "netconf", "default"],
)
def test_the_nearest_rule_decides(where: Situation, expected: str) -> None:
    assert usable(where, A, B, C, DEFAULT) == [expected]


def test_the_nearest_rule_decides_for_both_families() -> None:
    conf = {Family.V4: (PoolName("a"),), Family.V6: (PoolName("six"),)}
    assert usable(situation(IPPOOL, netconf_pools=conf), A, B, SIX) == ["b"]
    assert usable(situation(netconf_pools=conf), A, B, SIX) == ["a", "six"]


def test_no_rule_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(NoAddress, match=r"no pool selection rules.*spec\.default"):
        usable(situation(), A)


def test_the_written_order_is_kept() -> None:
    bound = pool("z", nodeName=["worker01"])
    where = situation({P + "ippool": {"ipv4": ["c", "z", "a"]}})
    assert usable(where, A, bound, C) == ["c", "z", "a"]


def test_default_pools_that_are_bound_to_more_come_first() -> None:
    given = [
        pool("a", default=True),
        pool("b", default=True, namespaceName=["default"]),
        pool("c", default=True, podAffinity={"matchLabels": {"app": "x"}}),
        pool("d", default=True, nodeAffinity={"matchLabels": {"zone": "1"}}),
        pool("e", default=True, nodeName=["worker01"]),
    ]
    where = situation(labels={"app": "x"}, node_labels={"zone": "1"})
    assert usable(where, *given) == ["c", "e", "d", "b", "a"]


def test_wildcards_match_names_of_the_family_and_give_each_pool_once() -> None:
    where = situation({P + "ippool": {"ipv4": ["b", "[ab]", "?"], "ipv6": ["s*"]}})
    assert usable(where, A, B, C, SIX) == ["b", "a", "c", "six"]
    where = situation({P + "ippool": {"ipv4": ["[^b]"]}})
    assert usable(where, A, B, C, SIX) == ["a", "c"]
    assert reasons(where, A, B, C, SIX) == {}, "others are not even candidates"


@pytest.mark.parametrize(
    ("names", "error", "text"),
    [
        (["a", "a"], BadInput, "duplicate IPPool a specified for NIC net1"),
        (["zz-*"], NoAddress, 'pattern "zz-*" matches no IPv4 pool; existing: a'),
        (["aa", "a"], NoAddress, 'IPPool "aa" does not exist; similar: a'),
    ],
)
def test_names_that_cannot_be_meant(names: list[str], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as refused:
        usable(situation({P + "ippool": {"ipv4": names}}), A)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("given", "reason", "text"),
    [
        (pool("p", deleted=True), "terminating", "it is being deleted"),
        (pool("p", disable=True), "disabled", "disabled (spec.disable)"),
        (pool("p", "fd00::/64"), "family", "its subnet fd00::/64 is not IPv4"),
        (pool("p", nodeName=["w2"]), "node", "node worker01 not in nodeName [w2]"),
        (
            pool("p", nodeAffinity={"matchLabels": {"zone": "1"}}),
            "node",
            "labels of node worker01 do not match nodeAffinity zone=1",
        ),
        (
            pool("p", namespaceName=["a", "b"]),
            "namespace",
            "namespace default not in namespaceName [a b]",
        ),
        (
            pool("p", namespaceAffinity={"matchExpressions": [{"key": "k", "operator": "Exists"}]}),
            "namespace",
            "labels of namespace default do not match namespaceAffinity k Exists []",
        ),
        (
            pool("p", podAffinity={"matchLabels": {"app": "y"}}),
            "pod",
            "the pod's labels do not match podAffinity app=y",
        ),
        (
            pool("p", multusName=["default/a", "b"]),
            "multus",
            "net1 comes from default/z, not in multusName [default/a kube-system/b]",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_each_reason_says_what_was_compared(given: Pool, reason: str, text: str) -> None:
    where = situation({P + "ippool": {"ipv4": ["p"]}}, attachment="default/z")
    assert reasons(where, given) == {"p": (SkipReason(reason), text)}


def test_where_the_master_is_to_match_only_its_networks_are_served() -> None:
    master = Master(IfName("enp5s0f0"), frozenset({Prefix("10.6.0.0/16")}))
    where = situation({P + "ippool": {"ipv4": ["a", "p"]}}, master=master)
    other = pool("p", subnet="10.7.0.0/16", ips=["10.7.0.5"])
    assert usable(where, A, other) == ["a"]
    text = "subnet 10.7.0.0/16 is none of enp5s0f0, which has [10.6.0.0/16]"
    assert reasons(where, A, other) == {"p": (SkipReason.MASTER, text)}


def test_names_win_over_affinity() -> None:
    no_zone = {"matchLabels": {"zone": "1"}}
    given = pool("a", nodeName=["worker01"], nodeAffinity=no_zone)
    assert usable(situation({P + "ippool": {"ipv4": ["a"]}}), given) == ["a"]


def test_a_pool_that_cannot_be_read_is_passed_over_with_its_error() -> None:
    broken = BadInput("SpiderIPPool b: spec.ips[0]", "'x' is not an IP or a range")
    known: dict[PoolName, Pool | BadInput] = {PoolName("b"): broken, **pools(A)}
    where = situation({P + "ippool": {"ipv4": ["b", "a"]}})
    (choice,) = choices(where, wanted(where, known), known)
    assert [p.name for p in choice.usable] == ["a"]
    assert choice.skipped[0].text == str(broken)


@pytest.mark.parametrize(
    ("annotations", "text"),
    [
        ({"ippool": "{"}, "annotation ipam.spidernet.io/ippool: '{' is not JSON"),
        ({"ippool": '["a"]'}, "is not an object"),
        ({"ippool": '{"ipv4":"a"}'}, "ippool.ipv4: 'a' is not a list of names"),
        ({"ippool": '{"ipv4":[1]}'}, "ippool.ipv4[0]: 1 is not a text"),
        ({"ippool": "{}"}, "names no pool"),
        ({"ippools": "[]"}, "value requires at least one item"),
        ({"ippools": '{"ipv4":["a"]}'}, "value requires at least one item"),
        (
            {"ippools": '[{"interface":"net1","ipv4":["a"]},{"ipv4":["b"]}]'},
            "NIC should be either all specified or all unspecified",
        ),
        (
            {"ippools": '[{"interface":"n","ipv4":["a"]},{"interface":"n","ipv4":["b"]}]'},
            "duplicate interface n (items 0 and 1)",
        ),
        (
            {"ippools": '[{"interface":"eth0","ipv4":["a"]}]'},
            'interface net1 must be specified; it uses spiderpool too; add {"interface":"net1"',
        ),
        ({"ippools": '[{"ipv4":["a"],"cleangateway":"yes"}]'}, "'yes' is not true or false"),
        ({"ippool": '{"x":"' + "a" * 70000 + '"}'}, "at most 65536 are possible"),
        ({"ippools": '[{"interface":false,"ipv4":["a"]}]'}, "interface: False is not a text"),
        ({"ippools": '[{"interface":"a/b","ipv4":["a"]}]'}, "'a/b' cannot be the name of a NIC"),
        (
            {"ippool": '{"ipv4":["' + "[" * 60000 + '"]}'},
            "has 60000 characters; names have at most 253",
        ),
        (
            {"ippool": '{"ipv4":[' + '"*",' * 9999 + '"*"]}'},
            "has 10000 names; at most 128 are possible",
        ),
    ],
)
def test_annotations_that_cannot_be_used_name_themselves(
    annotations: dict[str, str], text: str
) -> None:
    where = situation({P + key: value for key, value in annotations.items()})
    with pytest.raises(BadInput) as refused:
        usable(where, A, B)
    assert str(refused.value).startswith("Pod default/x: annotation ipam.spidernet.io/")
    assert text in str(refused.value)


def test_ippools_without_names_go_by_the_order_of_asking() -> None:
    items = {P + "ippools": [{"ipv4": ["a"]}, {"ipv4": ["b"], "cleanGateway": True}]}
    assert usable(situation(items, position=0), A, B) == ["a"]
    assert wanted(situation(items, position=1), pools(A, B)).clean_gateway is True
    with pytest.raises(BadInput, match="has 2 items, but net1 is NIC 3"):
        usable(situation(items, position=2), A, B)


def test_nics_are_counted_in_the_order_of_the_networks_annotation() -> None:
    pod = situation({"k8s.v1.cni.cncf.io/networks": "a,b@blue,c"}).pod
    nics = [IfName(name) for name in ("eth0", "net1", "blue", "net3")]
    assert [position_of(pod, nic, set(nics) - {nic}) for nic in nics] == [0, 1, 2, 3]
    assert position_of(pod, IfName("net3"), [IfName("net1")]) == 1


@pytest.mark.parametrize(
    ("annotations", "nic", "expected"),
    [
        ({"k8s.v1.cni.cncf.io/networks": "macvlan"}, "net1", "default/macvlan"),
        ({"k8s.v1.cni.cncf.io/networks": "kube-system/m, b@blue"}, "net1", "kube-system/m"),
        ({"k8s.v1.cni.cncf.io/networks": "kube-system/m, b@blue"}, "blue", "default/b"),
        ({"k8s.v1.cni.cncf.io/networks": "a,b"}, "net3", None),
        ({"k8s.v1.cni.cncf.io/networks": '[{"name":"a"},{"name":"b"}]'}, "net2", "default/b"),
        ({"k8s.v1.cni.cncf.io/networks": '[{"name":"a","namespace":"n"}]'}, "net1", "n/a"),
        ({"k8s.v1.cni.cncf.io/networks": "[{"}, "net1", None),
        ({"v1.multus-cni.io/default-network": "kube-system/calico"}, "eth0", "kube-system/calico"),
        ({}, "eth0", "kube-system/cluster"),
    ],
)
def test_the_definition_behind_a_nic(
    annotations: dict[str, str], nic: str, expected: str | None
) -> None:
    pod = situation(annotations).pod
    assert attachment_of(pod, IfName(nic), "kube-system/cluster") == expected


def test_pools_with_the_same_reason_share_it() -> None:
    """Or an event, which ends after 1,024 characters, would be names and no reason."""
    many = pools(*(pool(f"pool-{n:03}", disable=True) for n in range(80)), pool("z"))
    where = situation({P + "ippool": {"ipv4": ["z", "pool-*"]}})
    (choice,) = choices(where, wanted(where, many), many)
    full = Skipped(PoolName("z"), SkipReason.FULL, "all IP addresses used out: 5/5")
    told = str(why_none(choice, IfName("net1"), [full]))
    assert "): z: all IP addresses used out: 5/5; pool-000, pool-001, " in told
    assert told.endswith(", pool-079: disabled (spec.disable)")
    assert len(told) < 1024
