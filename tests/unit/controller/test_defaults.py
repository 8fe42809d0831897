"""What is filled in before an object is stored."""

from typing import Any

import pytest

from spiderpool.controller.admission.defaults import DEFAULTS, defaulted
from spiderpool.types.metadata import FINALIZER


def stored(plural: str, spec: Any, **metadata: Any) -> dict[str, Any]:
    new, _ = DEFAULTS[plural]({"metadata": {"name": "a"} | metadata, "spec": spec})
    return new


def test_a_pool() -> None:
    pool = stored("spiderippools", {"subnet": "fd00:7::/64", "excludeIPs": ["fd00:7::2"]})
    assert pool["spec"] == {"subnet": "fd00:7::/64", "excludeIPs": ["fd00:7::2"], "ipVersion": 6}
    assert pool["metadata"] == {
        "name": "a",
        "labels": {"ipam.spidernet.io/ippool-cidr": "fd00-7---64"},
        "finalizers": [FINALIZER],
    }


def test_a_subnet_whose_cidr_is_no_label() -> None:
    subnet = stored("spidersubnets", {"subnet": "::/0"}, labels={"mine": "x"})
    assert subnet["metadata"]["labels"] == {"mine": "x"}


SUBNETS: list[dict[str, Any]] = [
    {"metadata": {"name": "other"}, "spec": {"subnet": "10.7.0.0/16", "gateway": "10.7.0.1"}},
    {
        "metadata": {"name": "s"},
        "spec": {
            "subnet": "10.6.0.0/16",
            "gateway": "10.6.0.1",
            "routes": [{"dst": "10.8.0.0/16", "gw": "10.6.0.2"}],
        },
    },
]
OWNER = "ipam.spidernet.io/owner-spider-subnet"


def in_subnet(spec: Any, **metadata: Any) -> dict[str, Any]:
    new, _ = defaulted("spiderippools", {"metadata": metadata, "spec": spec}, SUBNETS)
    return new


def test_a_new_pool_has_gateway_and_routes_of_its_subnet_unless_it_names_its_own() -> None:
    """Documented as D00008."""
    new = in_subnet({"subnet": "10.6.0.0/16"})
    assert new["spec"]["gateway"] == "10.6.0.1"
    assert new["spec"]["routes"] == [{"dst": "10.8.0.0/16", "gw": "10.6.0.2"}]
    assert new["metadata"]["labels"][OWNER] == "s"
    assert in_subnet(new["spec"], labels={OWNER: "t"})["metadata"]["labels"][OWNER] == "t"
    routes = [{"dst": "10.9.0.0/16", "gw": "10.6.0.3"}]
    new = in_subnet({"subnet": "10.6.0.0/16", "gateway": "10.6.0.9", "routes": routes})
    assert (new["spec"]["gateway"], new["spec"]["routes"]) == ("10.6.0.9", routes)


def test_a_pool_of_no_subnet_or_one_that_is_known_stays_as_it_is() -> None:
    assert "gateway" not in in_subnet({"subnet": "10.9.0.0/16"})["spec"]
    known = in_subnet({"subnet": "10.6.0.0/16"}, finalizers=[FINALIZER])
    assert "gateway" not in known["spec"]


def test_an_object_that_goes_gets_no_finalizer() -> None:
    pool = stored("spiderippools", {"subnet": "10.6.0.0/16"}, deletionTimestamp="now")
    assert "finalizers" not in pool["metadata"]


def test_reserved_addresses() -> None:
    spec = {"ips": ["10.6.0.2", "10.6.0.1", "10.6.0.9"]}
    assert stored("spiderreservedips", spec)["spec"] == {
        "ipVersion": 4,
        "ips": ["10.6.0.1-10.6.0.2", "10.6.0.9"],
    }


def test_a_coordinator() -> None:
    spec = {
        "mode": "disable",
        "hijackCIDR": ["10.0.0.5", "10.1.2.3/16", "x"],
        "policyRoutes": [{"dst": "fd00::1", "gw": "fd00::2"}, "x"],
    }
    assert stored("spidercoordinators", spec)["spec"] == {
        "mode": "disabled",
        "hijackCIDR": ["10.0.0.5/32", "10.1.0.0/16", "x"],
        "policyRoutes": [{"dst": "fd00::1/128", "gw": "fd00::2"}, "x"],
    }


def test_annotations_that_pods_select_by_become_labels() -> None:
    key = "cni.spidernet.io/rdma-resource-inject"
    smc = stored("spidermultusconfigs", {}, annotations={key: "x", "other": "y"})
    assert smc["metadata"]["labels"] == {key: "x"}


@pytest.mark.parametrize("plural", DEFAULTS)
@pytest.mark.parametrize(
    "spec",
    [
        None,
        [],
        "x",
        {"subnet": 5, "ips": 5},
        {"subnet": "x", "ips": [5, {}]},
        {"subnet": "10.6.0.0/16", "ipVersion": "x", "ips": ["x", "y"]},
        {"ips": ["x", "10.6.0.1"]},
        {"hijackCIDR": [5], "policyRoutes": [{"dst": None}]},
        {"macvlan": 5, "coordinator": 5},
    ],
)
def test_nonsense_is_left_for_the_schema_to_refuse(plural: str, spec: Any) -> None:
    assert "spec" in stored(plural, spec)
