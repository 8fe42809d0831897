"""Reading and writing API objects."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any

import pytest

from spiderpool.errors import BadInput
from spiderpool.types.codec import Schema, attributes, decode, encode, key_of
from spiderpool.types.coordinator import CoordinatorSettings, CoordinatorSpec, SpiderCoordinator
from spiderpool.types.endpoint import EndpointIP
from spiderpool.types.ippool import SpiderIPPool
from spiderpool.types.metadata import read
from spiderpool.types.modes import Mode
from spiderpool.types.multusconfig import SpiderMultusConfig
from spiderpool.types.registry import KINDS

POOL = {
    "apiVersion": "spiderpool.spidernet.io/v2beta1",
    "kind": "SpiderIPPool",
    "metadata": {"name": "10-6-v4"},
    "spec": {
        "disable": False,
        "gateway": "10.6.0.1",
        "ips": ["10.6.212.100-10.6.212.200"],
        "subnet": "10.6.0.0/16",
    },
}


def pool_with(**spec: Any) -> dict[str, Any]:
    return POOL | {"spec": POOL["spec"] | spec}  # type: ignore[operator]


@pytest.mark.parametrize(
    ("attribute", "key"),
    [
        ("ip_version", "ipVersion"),
        ("exclude_ips", "excludeIPs"),
        ("pod_cidr_type", "podCIDRType"),
        ("hijack_cidr", "hijackCIDR"),
        ("pod_mac_prefix", "podMACPrefix"),
        ("pod_default_route_nic", "podDefaultRouteNIC"),
        ("detect_ip_conflict", "detectIPConflict"),
        ("host_rp_filter", "hostRPFilter"),
        ("veth_mtu", "vethMTU"),
        ("vlan_id", "vlanID"),
        ("mtu", "mtu"),
        ("disable_ipam", "disableIPAM"),
        ("custom_cni", "customCNI"),
        ("allocated_ip_count", "allocatedIPCount"),
        ("pod_uid", "podUid"),
        ("ipv4_pool", "ipv4Pool"),
    ],
)
def test_keys_are_spelled_as_the_api_does(attribute: str, key: str) -> None:
    assert key_of(attribute) == key


def test_the_pages_pool_is_read_whole() -> None:
    pool = read(SpiderIPPool, POOL)
    assert pool.metadata.name == "10-6-v4"
    assert pool.spec.subnet == "10.6.0.0/16"
    assert pool.spec.gateway == "10.6.0.1"
    assert pool.spec.ips == ("10.6.212.100-10.6.212.200",)
    assert not pool.spec.disable
    assert pool.status.allocated_ips is None


@pytest.mark.parametrize(
    ("obj", "error"),
    [
        (pool_with(ips=["10.6.0.1", 5]), "SpiderIPPool 10-6-v4: spec.ips[1]: 5 is not text"),
        (pool_with(ips="10.6.0.1"), "SpiderIPPool 10-6-v4: spec.ips: '10.6.0.1' is not a list"),
        (pool_with(disable="no"), "SpiderIPPool 10-6-v4: spec.disable: 'no' is not true or false"),
        (pool_with(ipVersion=True), "10-6-v4: spec.ipVersion: True is not a whole number"),
        (pool_with(subnet=None), "SpiderIPPool 10-6-v4: spec.subnet: is required"),
        (pool_with(subnet="10.6.1.0/16"), "spec.subnet: '10.6.1.0/16' has host bits set"),
        (pool_with(gateway="gw"), "SpiderIPPool 10-6-v4: spec.gateway: 'gw' is not an IP address"),
        (
            pool_with(namespaceAffinity={"matchExpressions": [{"key": "a", "operator": "Near"}]}),
            "spec.namespaceAffinity.matchExpressions[0].operator: 'Near' is not known",
        ),
        (pool_with(nodeAffinity={"matchLabels": {"a": 1}}), "nodeAffinity.matchLabels['a']: 1 is"),
        (POOL | {"spec": []}, "SpiderIPPool 10-6-v4: spec: [] is not an object"),
    ],
)
def test_errors_name_object_and_field(obj: dict[str, Any], error: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(SpiderIPPool, obj)
    assert error in str(caught.value)


def test_a_namespaced_object_is_named_with_its_namespace() -> None:
    obj = {"metadata": {"name": "m", "namespace": "ns"}, "spec": {"cniType": "bridge"}}
    with pytest.raises(BadInput, match=r"^SpiderMultusConfig ns/m: spec\.cniType: 'bridge'"):
        read(SpiderMultusConfig, obj)


def test_unknown_fields_are_left_out() -> None:
    assert read(SpiderIPPool, pool_with(foo=1)) == read(SpiderIPPool, POOL)


def test_empty_text_and_null_mean_absent_where_a_member_is_optional() -> None:
    spec = {"podCIDRType": "auto", "podDefaultRouteNIC": "", "podMACPrefix": None}
    obj = {"metadata": {"name": "default"}, "spec": spec}
    coordinator = read(SpiderCoordinator, obj)
    assert coordinator.spec.pod_default_route_nic is None
    assert coordinator.spec.pod_mac_prefix is None


def test_disable_is_disabled() -> None:
    assert decode(CoordinatorSettings, {"mode": "disable"}, "x").mode is Mode.DISABLED


def test_addresses_become_canonical() -> None:
    ip = decode(EndpointIP, {"interface": "net1", "ipv6": "fd00:0::A/64"}, "x")
    assert ip.ipv6 == "fd00::a/64"


def test_what_is_written_is_read_again() -> None:
    pool = read(SpiderIPPool, POOL)
    assert read(SpiderIPPool, encode(pool)) == pool
    assert encode(pool)["spec"]["ips"] == ["10.6.212.100-10.6.212.200"]
    assert "ipVersion" not in encode(pool)["spec"]


def test_settings_of_a_network_and_of_the_cluster_are_the_same_but_for_the_clusters_own() -> None:
    settings = {a.name: a.annotation for a in attributes(CoordinatorSettings)}
    spec = {a.name: a.annotation for a in attributes(CoordinatorSpec)}
    assert set(settings) - set(spec) == {"tune_mode"}
    assert set(spec) - set(settings) == {"overlay_pod_cidr", "service_cidr"}
    for name in set(settings) & set(spec):
        assert settings[name] in (spec[name], spec[name] | None)


@pytest.mark.parametrize("cls", KINDS, ids=lambda cls: cls.KIND.kind)
def test_every_kind_says_which_member_is_missing(cls: Any) -> None:
    assert attributes(cls)[0].name == "metadata"
    with pytest.raises(BadInput, match=f"^{cls.KIND.kind} .no name.: metadata: is required"):
        read(cls, {})


def test_a_type_that_the_codec_cannot_read_is_a_programming_error() -> None:
    @dataclasses.dataclass
    class Odd:
        value: bytes

    Odd.__annotations__["value"] = bytes
    with pytest.raises(TypeError, match="cannot read"):
        decode(Odd, {"value": "x"}, "x")


@dataclasses.dataclass(frozen=True)
class Nested:
    plain: Annotated[Mapping[str, Any], Schema(name="Plain")]


def test_any_value_is_kept_as_it_is() -> None:
    assert decode(Nested, {"Plain": {"a": [1, {"b": None}]}}, "x").plain == {"a": [1, {"b": None}]}
