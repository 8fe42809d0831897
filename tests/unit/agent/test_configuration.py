"""Who wins, and what is refused, when a coordinator's configuration is put together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiderpool.agent.configuration import (
    DEFAULT_ROUTE_NIC,
    configuration,
    removal_configuration,
)
from spiderpool.coordinator.config import PolicyRoute
from spiderpool.errors import BadInput, CniCode, CniError
from spiderpool.types.address import Address, Prefix
from spiderpool.types.modes import Mode


def coordinator(status: Any = None, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "default"},
        "spec": {"mode": "overlay", "podCIDRType": "cluster"} | spec,
        "status": status
        or {
            "phase": "Synced",
            "overlayPodCIDR": ["10.233.64.0/18"],
            "serviceCIDR": ["10.233.0.0/18", "fd00:10::/108"],
        },
    }


def test_the_cluster_speaks_when_nobody_else_does() -> None:
    config = configuration({"type": "coordinator"}, coordinator(hostRPFilter=-1), {})
    assert config.mode is Mode.OVERLAY
    assert config.overlay_pod_cidr == ("10.233.64.0/18",)
    assert config.service_cidr == ("10.233.0.0/18", "fd00:10::/108")
    assert (config.host_rule_table, config.pod_rp_filter, config.host_rp_filter) == (500, 0, None)
    assert (config.default_route_nic, config.default_route_origin) == (None, "")


def test_an_entry_wins_over_the_cluster_field_by_field() -> None:
    netconf = {
        "mode": "underlay",
        "txQueueLen": 0,
        "hijackCIDR": ["1.2.3.4"],
        "tunePodRoutes": False,
    }
    cluster = coordinator(txQueueLen=2000, vethMTU=1400, hijackCIDR=["9.9.9.0/24"])
    config = configuration(netconf, cluster, {})
    assert config.mode is Mode.UNDERLAY
    assert config.tx_queue_len == 0
    assert config.hijack_cidr == ("1.2.3.4/32",)
    assert config.veth_mtu == 1400
    assert config.tune_pod_routes is False


@pytest.mark.parametrize("empty", [None, "", []])
def test_an_empty_entry_says_nothing(empty: Any) -> None:
    netconf = {"hijackCIDR": empty, "podMACPrefix": empty} if empty != [] else {"hijackCIDR": []}
    if empty == "":
        netconf = {"podMACPrefix": ""}
    cluster = coordinator(hijackCIDR=["9.9.9.0/24"], podMACPrefix="0a:1b")
    config = configuration(netconf, cluster, {})
    assert (config.hijack_cidr, config.mac_prefix) == (("9.9.9.0/24",), "0a:1b")


@pytest.mark.parametrize("key", ["podDefaultRouteNic", "podDefaultRouteNIC"])
def test_the_default_route_is_the_pods_to_choose(key: str) -> None:
    cluster = coordinator(podDefaultRouteNIC="net3")
    chosen = configuration({}, cluster, {})
    assert chosen.default_route_nic == "net3"
    assert chosen.default_route_origin == "SpiderCoordinator default: spec.podDefaultRouteNIC"
    chosen = configuration({key: "net2"}, cluster, {})
    assert chosen.default_route_nic == "net2"
    assert chosen.default_route_origin == "network configuration: podDefaultRouteNIC"
    chosen = configuration({key: "net2"}, cluster, {DEFAULT_ROUTE_NIC: " net1 "})
    assert chosen.default_route_nic == "net1"
    assert chosen.default_route_origin == f"annotation {DEFAULT_ROUTE_NIC}"


def test_policy_routes_and_host_bits() -> None:
    routes = [{"dst": "10.10.1.2/16", "gw": "10.6.0.1"}, {"dst": "fd01::1", "gw": "fd00::1"}]
    assert configuration({"policyRoutes": routes}, coordinator(), {}).policy_routes == (
        PolicyRoute(Prefix("10.10.0.0/16"), Address("10.6.0.1")),
        PolicyRoute(Prefix("fd01::1/128"), Address("fd00::1")),
    )


@pytest.mark.parametrize("word", ["disable", "disabled"])
def test_disabled_needs_no_cluster(word: str) -> None:
    assert configuration({"mode": word}, None, {}).mode is Mode.DISABLED
    not_ready = coordinator(status={"phase": "NotReady"}, mode=word)
    assert configuration({}, not_ready, {}).mode is Mode.DISABLED


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        (None, "there is no SpiderCoordinator named default"),
        (coordinator() | {"status": None}, "has no status yet"),
        (
            coordinator(status={"phase": "NotReady", "reason": "no kubeadm-config"}),
            "SpiderCoordinator default is NotReady: no kubeadm-config",
        ),
    ],
)
def test_a_cluster_that_is_not_ready_refuses_with_its_reason(cluster: Any, words: str) -> None:
    with pytest.raises(CniError, match=words) as caught:
        configuration({}, cluster, {})
    assert caught.value.code is CniCode.TRY_AGAIN_LATER


@pytest.mark.parametrize(
    ("netconf", "words"),
    [
        ({"mode": "bridge"}, "network configuration: mode: 'bridge' is not known"),
        ({"hijackCIDR": ["1.2.3.4/33"]}, "network configuration: hijackCIDR[0]: "),
        ({"hijackCIDR": "1.2.3.4"}, "network configuration: hijackCIDR: '1.2.3.4' is not a list"),
        ({"overlayPodCIDR": ["x"]}, "network configuration: overlayPodCIDR[0]: 'x'"),
        ({"podRPFilter": 3}, "network configuration: podRPFilter: 3 is no mode"),
        ({"hostRuleTable": 254}, "network configuration: hostRuleTable: 254 cannot be used"),
        ({"hostRuleTable": 1 << 32}, "network configuration: hostRuleTable: 4294967296"),
        ({"vethMTU": 0}, "network configuration: vethMTU: 0 is no MTU of a veth"),
        ({"vethMTU": 65536}, "network configuration: vethMTU: 65536 is no MTU of a veth"),
        (
            {"hijackCIDR": ["1.0.0.0/8", "0.0.0.0/0"]},
            "network configuration: hijackCIDR[1]: 0.0.0.0/0 is a default route",
        ),
        ({"txQueueLen": -1}, "network configuration: txQueueLen: -1 is too small"),
        ({"podMACPrefix": "0b:1b"}, "network configuration: podMACPrefix: '0b:1b' is no prefix"),
        ({"vethLinkAddress": "x"}, "network configuration: vethLinkAddress: 'x'"),
        (
            {"policyRoutes": [{"dst": "1.0.0.0/8", "gw": "fd00::1"}]},
            "network configuration: policyRoutes[0]: dst 1.0.0.0/8 and gw fd00::1",
        ),
    ],
)
def test_what_is_wrong_is_named(netconf: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        configuration(netconf, coordinator(), {})
    assert str(caught.value).startswith(words)


def test_an_error_names_the_cluster_when_it_is_the_clusters() -> None:
    with pytest.raises(
        BadInput, match=r"SpiderCoordinator default: spec\.podRPFilter: 3 is no mode"
    ):
        configuration({}, coordinator(podRPFilter=3), {})


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
_keys = st.sampled_from(
    [
        "mode",
        "hijackCIDR",
        "policyRoutes",
        "hostRuleTable",
        "vethMTU",
        "podRPFilter",
        "spec",
        "status",
    ]
)


@given(st.dictionaries(_keys, _json), st.none() | st.dictionaries(_keys, _json))
def test_a_removal_never_refuses(netconf: dict[str, Any], cluster: dict[str, Any] | None) -> None:
    assert removal_configuration(netconf, cluster).host_rule_table > 0


def test_a_removal_uses_what_can_be_read() -> None:
    assert removal_configuration({"hostRuleTable": 7}, None).host_rule_table == 7
    assert (
        removal_configuration({"hostRuleTable": "x"}, coordinator(hostRuleTable=8)).host_rule_table
        == 8
    )
    assert removal_configuration(
        {}, coordinator(status={"phase": "NotReady"}, mode="underlay")
    ).mode is (Mode.UNDERLAY)
