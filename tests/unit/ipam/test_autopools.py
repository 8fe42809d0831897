"""Pools out of a SpiderSubnet: names, sizes, addresses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from autopool_world import FIVE, P, asks

from spiderpool.controller.subnets import status_of
from spiderpool.errors import BadInput, NoAddress
from spiderpool.ipam.autopools import (
    Application,
    Size,
    addresses_for,
    new_name,
    pool_object,
    wishes,
    wishes_of_nic,
)
from spiderpool.ipam.facts import Controller
from spiderpool.ipam.pools import read_pool
from spiderpool.ipam.ranges import Ranges, parse
from spiderpool.ipam.workloads import WORKLOADS
from spiderpool.types.address import Family
from spiderpool.types.metadata import read
from spiderpool.types.names import IfName, PoolName
from spiderpool.types.subnet import SpiderSubnet

UID = "12345678-aaaa-bbbb-cccc-3f2a9d000000"
WEB = Application("default", Controller("Deployment", "web", "apps/v1", UID))


def subnet(*ips: str, **spec: Any) -> SpiderSubnet:
    body = {"subnet": "10.6.0.0/16", "ips": list(ips), **spec}
    return read(SpiderSubnet, {"metadata": {"name": "s"}, "spec": body})


def ranges(*items: str) -> Ranges:
    return parse(items, Family.V4, "x")


def carved(size: str, replicas: int, own: str = "", held: str = "", others: str = "") -> list[str]:
    (wish,) = wishes(WEB, asks(**{P + "ippool-ip-number": size}))
    pool = None
    if own:
        spec = {"subnet": "10.6.0.0/16", "ips": [own]}
        pool = read_pool({"metadata": {"name": "p"}, "spec": spec})
    found = addresses_for(
        wish,
        subnet("10.6.0.1-10.6.0.20", excludeIPs=["10.6.0.3"], gateway="10.6.0.1"),
        replicas=replicas,
        own=pool,
        others=ranges(*filter(None, [others])),
        held=ranges(*filter(None, [held])),
    )
    return list(found.text())


def test_a_pool_is_named_after_its_application_nic_and_uid() -> None:
    (wish,) = wishes(WEB, asks())
    assert wish.pool == "auto4-web-eth0-3f2a9"
    long = Application("default", Controller("Deployment", "w" * 253, "apps/v1", UID))
    (wish,) = wishes(long, asks())
    assert len(new_name(wish, {wish.pool, PoolName(wish.pool + "-2")})) <= 253
    assert wish.pool.endswith("w-eth0-3f2a9")


@pytest.mark.parametrize("name", ["w" * 253, "w." * 126 + "w"])
@pytest.mark.parametrize("nic", ["eth0", "net10", "net_1", "é@" + "x" * 12, "-"])
def test_whatever_the_names_the_api_takes_the_pool(name: str, nic: str) -> None:
    app = Application("default", Controller("Deployment", name, "apps/v1", UID))
    asked = {"interface": nic, "ipv4": ["s" * 100]}
    (wish,) = wishes(app, {P + "subnet": json.dumps(asked)})
    assert len(wish.pool) <= 253
    assert re.fullmatch(
        r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", wish.pool
    )
    for value in wish.labels.values():
        assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", value)
    assert wish.identity != replace(wish, interface=IfName(nic[:-1] + "y")).identity


def test_subnets_without_names_of_nics_are_of_one_nic() -> None:
    (wish,) = wishes(WEB, {P + "subnets": '[{"ipv4":["a"]}]'})
    assert wish.subnet == "a"
    with pytest.raises(BadInput, match="several items name no interface"):
        wishes(WEB, {P + "subnets": '[{"ipv4":["a"]},{"ipv4":["b"]}]'})


def test_families_that_the_cluster_does_not_use_are_left_out() -> None:
    both = {P + "subnet": '{"ipv4":["a"],"ipv6":["b"]}'}
    assert [wish.subnet for wish in wishes(WEB, both, {Family.V4})] == ["a"]


def test_subnets_make_one_pool_for_each_nic_and_family() -> None:
    items = [{"interface": "eth0", "ipv4": ["a", "b"]}, {"interface": "net1", "ipv6": ["c"]}]
    annotations = {P + "subnets": json.dumps(items), **asks()}
    found = [(wish.interface, wish.family, wish.subnet) for wish in wishes(WEB, annotations)]
    assert found == [("eth0", Family.V4, "a"), ("net1", Family.V6, "c")]
    (wish,) = wishes_of_nic(WEB, annotations, IfName("net1"))
    assert wish.subnet == "c"
    with pytest.raises(BadInput, match="interface net2 must be specified"):
        wishes_of_nic(WEB, annotations, IfName("net2"))
    assert len(wishes_of_nic(WEB, asks(), IfName("net1"))) == 1


@pytest.mark.parametrize(
    ("text", "size"), [("5", Size(5, False)), ("+2", Size(2, True)), ("+0", Size(0, True))]
)
def test_sizes(text: str, size: Size) -> None:
    (wish,) = wishes(WEB, asks(**{P + "ippool-ip-number": text}))
    assert wish.size == size


@pytest.mark.parametrize("text", ["+-1", "1e9", "0", "4097", "+", "", " 5", "5\n"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(BadInput, match="must be N or"):
        wishes(WEB, asks(**{P + "ippool-ip-number": text}))


def test_addresses_are_the_lowest_that_nobody_has() -> None:
    assert carved("+1", 2) == ["10.6.0.2", "10.6.0.4-10.6.0.5"]
    assert carved("2", 9, others="10.6.0.1-10.6.0.6") == ["10.6.0.7-10.6.0.8"]


def test_a_pool_grows_beside_what_it_has() -> None:
    found = carved("+0", 4, own="10.6.0.10-10.6.0.11", held="10.6.0.10")
    assert found == ["10.6.0.2", "10.6.0.4", "10.6.0.10-10.6.0.11"]


def test_a_pool_shrinks_by_what_is_free_only() -> None:
    assert carved("+0", 2, own="10.6.0.10-10.6.0.14", held="10.6.0.13") == [
        "10.6.0.10",
        "10.6.0.13",
    ]
    held = "10.6.0.10-10.6.0.12"
    assert carved("1", 0, own="10.6.0.10-10.6.0.14", held=held) == [held]
    assert carved("2", 0, own="10.6.0.10-10.6.0.11") == ["10.6.0.10-10.6.0.11"]


def test_what_may_not_be_given_any_more_is_replaced_unless_it_is_held() -> None:
    own = "10.6.0.3-10.6.0.6"
    assert carved("4", 0, own=own, held="10.6.0.3", others="10.6.0.5") == [
        "10.6.0.2-10.6.0.4",
        "10.6.0.6",
    ]


def test_a_subnet_that_has_not_enough_says_how_much_is_missing() -> None:
    with pytest.raises(
        NoAddress,
        match="SpiderSubnet s has 18 addresses left, Deployment default/web needs 30 more",
    ):
        carved("30", 0)
    (wish,) = wishes(WEB, {P + "subnet": json.dumps({"ipv6": ["s"]})})
    with pytest.raises(BadInput, match="is not IPv6"):
        addresses_for(
            wish,
            subnet("10.6.0.9"),
            replicas=1,
            own=None,
            others=Ranges(Family.V6),
            held=Ranges(Family.V6),
        )


@pytest.mark.parametrize(
    ("kind", "obj", "count"),
    [
        ("Deployment", {"spec": {}}, 1),
        ("StatefulSet", {"spec": {"replicas": 0}}, 0),
        ("DaemonSet", {"status": {"desiredNumberScheduled": 7}}, 7),
        ("Job", {"spec": {"parallelism": 5, "completions": 3}}, 3),
        ("Job", {"spec": {"parallelism": 5}}, 5),
        ("CronJob", {"spec": {"jobTemplate": {"spec": {"parallelism": 2}}}}, 2),
    ],
)
def test_how_many_pods_a_workload_wants(kind: str, obj: dict[str, Any], count: int) -> None:
    assert WORKLOADS[kind].replicas(obj) == count


def test_a_subnet_says_for_whom_its_pools_are() -> None:
    made = wishes(WEB, asks(**FIVE))[0]
    ips = Ranges.of(Family.V4, [(1, 5)])
    body = pool_object(made, made.pool, subnet("10.6.0.1-10.6.0.9"), ips)
    body["spec"]["ips"] = ["10.6.0.1-10.6.0.5"]
    told = status_of(subnet("10.6.0.1-10.6.0.9"), [read_pool(body)])
    assert json.loads(told.controlled_ip_pools or "") == {
        made.pool: {"ips": ["10.6.0.1-10.6.0.5"], "application": "apps_v1_Deployment_default_web"}
    }
