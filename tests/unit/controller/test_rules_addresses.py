"""Rules of pools, subnets and reserved addresses."""

from collections.abc import Sequence
from typing import Any

import pytest

from spiderpool.controller.admission.findings import Cluster, Findings, Request
from spiderpool.controller.admission.poolbook import PoolBook
from spiderpool.controller.admission.review import judge
from spiderpool.ipam.ledger import Entry
from spiderpool.types.address import Address
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import PoolName

GOOD = {"subnet": "10.6.0.0/16", "ips": ["10.6.212.100-10.6.212.200"], "gateway": "10.6.0.1"}


def obj(name: str = "a", /, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec}


def held(*addresses: str) -> Any:
    slot = Slot(generation=1, state=SlotState.HELD, pool=PoolName("a"), pod="default/nginx-x")
    return lambda pool: [Entry(Address(a), slot) for a in addresses if pool == "a"]


def look(
    new: dict[str, Any] | None,
    plural: str = "spiderippools",
    old: dict[str, Any] | None = None,
    pools: Sequence[dict[str, Any]] = (),
    **cluster: Any,
) -> Findings:
    return judge(plural, Request(old, new), Cluster(pools=PoolBook(pools), **cluster))


def problems(*args: Any, **named: Any) -> list[str]:
    return [str(problem) for problem in look(*args, **named).problems]


def test_the_pages_pool_is_good_and_its_nodes_address_is_a_warning() -> None:
    found = look(obj(**GOOD), nodes={"controller": ("10.6.212.132",), "far": ("10.9.0.1",)})
    assert not found.problems
    assert found.warnings == [
        "spec.ips contains node controller's address 10.6.212.132; it is never handed out"
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"subnet": "10.6.1.0/16"},
            "spec.subnet: unformatted subnet 10.6.1.0/16, please change it to 10.6.0.0/16",
        ),
        (
            {"subnet": "10.6.0.0"},
            "spec.subnet: '10.6.0.0' is not a CIDR; write it like 10.6.0.0/16",
        ),
        (
            {"ips": ["10.7.0.1-10.7.0.9"]},
            "spec.ips[0]: 10.7.0.1-10.7.0.9 is outside spec.subnet 10.6.0.0/16",
        ),
        (
            {"ips": ["10.6.0.9-10.6.0.2"]},
            "spec.ips[0]: '10.6.0.9-10.6.0.2': start is greater than end; "
            "write 10.6.0.2-10.6.0.9",
        ),
        ({"ips": ["10.6.0.9", "10.6.0.x"]}, "spec.ips[1]: '10.6.0.x' is not an IP or a range"),
        ({"excludeIPs": ["fd00::1"]}, "spec.excludeIPs[0]: 'fd00::1' is not IPv4"),
        ({"gateway": "10.7.0.1"}, "spec.gateway: 10.7.0.1 is not in spec.subnet 10.6.0.0/16"),
        (
            {"gateway": "10.6.212.101"},
            "spec.gateway: 10.6.212.101 conflicts with spec.ips[0] 10.6.212.100-10.6.212.200; "
            "add it to excludeIPs or shorten the range",
        ),
        ({"ipVersion": 6}, "spec.ipVersion: 6 does not match subnet 10.6.0.0/16"),
        (
            {"routes": [{"dst": "0.0.0.0/0", "gw": "10.6.0.1"}]},
            "spec.routes[0].dst: 0.0.0.0/0 is the default route; please specify 'spec.gateway' "
            "to configure the default route",
        ),
        (
            {"routes": [{"dst": "10.0.0.0/8", "gw": "10.6.0.1"}] * 2},
            "spec.routes[1].dst: duplicates dst 10.0.0.0/8 of spec.routes[0]; remove one",
        ),
        (
            {"routes": [{"dst": "10.0.0.0/8", "gw": "10.9.0.1"}]},
            "spec.routes[0].gw: 10.9.0.1 is not in spec.subnet 10.6.0.0/16",
        ),
        (
            {"routes": [{"dst": "fd00::/8", "gw": "10.6.0.1"}]},
            "spec.routes[0]: dst fd00::/8 and gw 10.6.0.1 are of different families",
        ),
        (
            {"podAffinity": {}},
            "spec.podAffinity: is empty and would match nothing; remove it or add labels",
        ),
        (
            {"nodeAffinity": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
            "spec.nodeAffinity.matchExpressions[0].values: operator In needs values",
        ),
        (
            {"nodeAffinity": {"matchExpressions": [{"key": "a", "operator": "Exists",
                                                    "values": ["x"]}]}},
            "spec.nodeAffinity.matchExpressions[0].values: operator Exists must not have values",
        ),
        (
            {"multusName": ["a/b/c"]},
            "spec.multusName[0]: 'a/b/c' is not name or namespace/name",
        ),
    ],
)  # fmt: skip
def test_what_a_pool_may_not_say(change: dict[str, Any], problem: str) -> None:
    assert [p for p in problems(obj(**GOOD | change)) if problem in p]


def test_every_problem_is_told_at_once() -> None:
    bad = obj(**GOOD | {"ips": ["x", "10.6.0.2"], "gateway": "10.7.0.1", "multusName": ["/"]})
    assert len(problems(bad)) == 3


def test_a_family_that_is_off() -> None:
    (problem,) = problems(obj(subnet="fd00::/64"), families=frozenset({4}))
    assert problem == ("spec.ipVersion: IPv6 is disabled; set ipam.enableIPv6=true in the chart")


def test_a_huge_pool_costs_nothing() -> None:
    found = look(obj(subnet="fd00::/8", ips=["fd00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]))
    assert not found.problems


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (
            {"subnet": "10.6.4.0/24"},
            "spec.subnet: 10.6.0.0/16 overlap with IPPool b which 'spec.subnet' is 10.6.4.0/24; "
            "use the very same subnet, or one that shares no address with it",
        ),
        (
            {"subnet": "10.6.0.0/16", "ips": ["10.6.212.190-10.6.213.5"]},
            "spec.ips: overlap with IPPool b in IP ranges [10.6.212.190-10.6.212.200]; "
            "take them out of one of the two; "
            "total IP addresses are 'spec.ips' without 'spec.excludeIPs'",
        ),
    ],
)
def test_pools_share_nothing(other: dict[str, Any], problem: str) -> None:
    assert problems(obj(**GOOD), pools=(obj("b", **other),)) == [problem]


def test_pools_of_one_network_may_lie_side_by_side() -> None:
    others = (
        obj("b", subnet="10.6.0.0/16", ips=["10.6.212.150-10.6.213.5"]),
        obj("unreadable", subnet="x"),
        obj("a", **GOOD),
    )
    assert not problems(obj(**GOOD | {"excludeIPs": ["10.6.212.150-10.6.212.200"]}), pools=others)


def test_a_pool_lies_inside_its_subnet() -> None:
    subnet = obj("s", subnet="10.6.0.0/16", ips=["10.6.212.1-10.6.212.150"])
    assert problems(obj(**GOOD), subnets=(subnet,)) == [
        "spec.ips: IP ranges [10.6.212.151-10.6.212.200] are not in SpiderSubnet s; "
        "add them to the SpiderSubnet first"
    ]


def test_addresses_that_are_never_handed_out_are_warned_of() -> None:
    found = look(obj(subnet="10.6.0.0/24", ips=["10.6.0.0-10.6.0.255"]))
    assert found.warnings == [
        "spec.ips contains the network address 10.6.0.0; it is never handed out",
        "spec.ips contains the broadcast address 10.6.0.255; it is never handed out",
    ]
    assert look(obj(subnet="10.6.0.0/31", ips=["10.6.0.0-10.6.0.1"])).warnings == []
    assert look(obj(subnet="10.6.0.0/24")).warnings == [
        "spec.ips names no address: the pool hands out nothing"
    ]


def test_what_is_fixed() -> None:
    old = obj(**GOOD | {"ipVersion": 4})
    assert problems(obj(**GOOD | {"ipVersion": 4, "subnet": "10.7.0.0/16"}), old=old)[0] == (
        "spec.subnet: is not changeable from '10.6.0.0/16' to '10.7.0.0/16'; create a new object"
    )
    assert problems(obj(**GOOD | {"gateway": "10.6.0.2"}), old=old) == [
        "spec.ipVersion: is not changeable from 4 to None; create a new object"
    ]


def test_an_address_in_use_stays() -> None:
    smaller = obj(**GOOD | {"ips": ["10.6.212.100-10.6.212.109"]})
    assert problems(smaller, old=obj(**GOOD), held=held("10.6.212.101", "10.6.212.150")) == [
        "spec.ips: remove an IP address 10.6.212.150 that is being used by Pod default/nginx-x; "
        "delete the pod first"
    ]
    assert not problems(smaller, old=obj(**GOOD), held=held("10.6.212.101"))


def test_an_unchanged_spec_is_not_judged_again_so_that_finalizers_come_off() -> None:
    bad = obj(subnet="nonsense")
    assert problems(bad)
    assert not problems(bad, old=bad)


def test_an_object_that_goes_changes_no_more() -> None:
    going = {"metadata": {"name": "a", "deletionTimestamp": "now"}, "spec": GOOD}
    changed = going | {"spec": GOOD | {"gateway": "10.6.0.2"}}
    assert problems(changed, old=going) == [
        "spec: is not changeable while the object is being deleted; "
        "wait for its end, and create it again"
    ]
    assert not problems(going, old=going)


def test_deletion_is_guarded_when_asked_for() -> None:
    old = obj(**GOOD)
    assert not problems(None, old=old, held=held("10.6.212.101"))
    assert problems(None, old=old, held=held("10.6.212.101"), guard_deletion=True) == [
        "metadata.name: cannot delete a pool with allocated IPs(1); "
        "first: default/nginx-x 10.6.212.101; delete the pods first"
    ]


@pytest.mark.parametrize(
    ("spec", "cluster", "problem"),
    [
        ({"subnet": "x"}, {}, "spec.subnet: 'x' is not a CIDR; write it like 10.6.0.0/16"),
        (
            {"subnet": "10.6.0.0/16"},
            {"subnets": (obj("t", subnet="10.6.4.0/24"),)},
            "spec.subnet: overlap with Subnet t which 'spec.subnet' is 10.6.4.0/24; "
            "use one that shares no address with it",
        ),
        (
            {"subnet": "10.6.0.0/24"},
            {"pools": (obj("p", **GOOD),)},
            "spec.subnet: overlap with IPPool p which 'spec.subnet' is 10.6.0.0/16; "
            "use the very same subnet, or one that shares no address with it",
        ),
        (
            {"subnet": "10.6.0.0/16", "ips": ["10.6.212.100-10.6.212.150"]},
            {"pools": (obj("p", **GOOD),)},
            "spec.ips: lacks IP ranges [10.6.212.151-10.6.212.200] of IPPool p; add them; "
            "total IP addresses are 'spec.ips' without 'spec.excludeIPs'",
        ),
    ],
)
def test_subnets(spec: dict[str, Any], cluster: dict[str, Any], problem: str) -> None:
    assert problems(obj("s", **spec), "spidersubnets", **cluster) == [problem]


def test_a_subnet_that_holds_pools_is_guarded_when_asked_for() -> None:
    old = obj("s", subnet="10.6.0.0/16") | {"status": {"controlledIPPools": '{"p": {}}'}}
    assert not problems(None, "spidersubnets", old)
    assert problems(None, "spidersubnets", old, guard_deletion=True) == [
        "metadata.name: cannot delete a subnet that holds IPPools p; delete them first"
    ]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({}, "spec.ips: is empty; name addresses or ranges"),
        ({"ips": ["10.6.0.1", "fd00::1"]}, "spec.ips[1]: 'fd00::1' is not IPv4"),
        ({"ipVersion": 6, "ips": ["10.6.0.1"]}, "spec.ips[0]: '10.6.0.1' is not IPv6"),
    ],
)
def test_reserved_addresses(spec: dict[str, Any], problem: str) -> None:
    (found,) = problems(obj("r", **spec), "spiderreservedips")
    assert found.startswith(problem)


def test_reserving_what_is_in_use_is_a_warning() -> None:
    reserved = obj("r", ips=["10.6.212.100-10.6.212.105"])
    found = look(
        reserved, "spiderreservedips", pools=(obj("a", **GOOD),), held=held("10.6.212.101")
    )
    assert not found.problems
    assert found.warnings == [
        "10.6.212.101 is in use by default/nginx-x; it is reserved after its release"
    ]
