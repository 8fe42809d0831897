"""Which service ports a node translates, and to what; and as which nftables elements."""

from __future__ import annotations

from typing import Any

import pytest

from harness.nodes.servicerules import after_change, change, contents
from harness.nodes.services import (
    Backend,
    ClusterPort,
    Forwarding,
    NodePort,
    Protocol,
    forwarding,
)
from spiderpool.types.address import Address, Family

NODE = "worker01"
DNS = ClusterPort(Protocol.UDP, Address("10.233.0.3"), 53)


def service(**spec: Any) -> dict[str, Any]:
    ports = [{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 5353, "nodePort": 30053}]
    return {
        "metadata": {"name": "coredns", "namespace": "kube-system"},
        "spec": {"clusterIP": "10.233.0.3", "ports": ports, "type": "NodePort"} | spec,
    }


def endpoint(address: str, node: str = NODE, **conditions: bool) -> dict[str, Any]:
    return {"addresses": [address], "nodeName": node, "conditions": conditions}


def endpoint_slice(
    *endpoints: dict[str, Any], family: int = 4, port: str = "dns"
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"coredns-{family}",
            "namespace": "kube-system",
            "labels": {"kubernetes.io/service-name": "coredns"},
        },
        "addressType": f"IPv{family}",
        "endpoints": list(endpoints),
        "ports": [{"name": port, "port": 5353, "protocol": "UDP"}],
    }


def found(
    services: list[dict[str, Any]], slices: list[dict[str, Any]], family: Family = Family.V4
) -> Forwarding:
    return forwarding(services, slices, family, NODE)


def backends(*addresses: str) -> tuple[Backend, ...]:
    return tuple(Backend(Address(address), 5353) for address in addresses)


HERE, THERE = "10.233.73.195", "10.233.105.131"


def test_a_port_leads_to_the_ready_endpoints() -> None:
    slices = [endpoint_slice(endpoint(HERE, ready=True), endpoint(THERE, ready=False))]
    result = found([service()], slices)
    assert result.cluster_ports == {DNS: backends(HERE)}
    assert result.node_ports == {NodePort(Protocol.UDP, 30053): backends(HERE)}


def test_slices_of_one_service_add_up() -> None:
    slices = [endpoint_slice(endpoint(HERE)), endpoint_slice(endpoint(THERE))]
    assert found([service()], slices).cluster_ports == {DNS: backends(THERE, HERE)}


def test_without_endpoints_only_the_address_is_known() -> None:
    result = found([service()], [])
    assert (result.cluster_ports, result.node_ports) == ({}, {})
    assert result.addresses == {"10.233.0.3"}


@pytest.mark.parametrize(
    "slices",
    [
        [endpoint_slice(endpoint(HERE), port="metrics")],
        [endpoint_slice(endpoint("fd85::1"), family=6)],
        [endpoint_slice(endpoint(HERE)) | {"metadata": {"name": "x", "namespace": "kube-system"}}],
    ],
    ids=["another port", "another family", "another service"],
)
def test_foreign_slices_are_not_used(slices: list[dict[str, Any]]) -> None:
    assert found([service()], slices).cluster_ports == {}


def test_the_last_endpoints_serve_while_they_terminate() -> None:
    leaving = endpoint(HERE, ready=False, serving=True, terminating=True)
    assert found([service()], [endpoint_slice(leaving)]).cluster_ports == {DNS: backends(HERE)}
    both = [endpoint_slice(leaving, endpoint(THERE, ready=True))]
    assert found([service()], both).cluster_ports == {DNS: backends(THERE)}


def test_local_policies_keep_to_the_node() -> None:
    slices = [endpoint_slice(endpoint(HERE), endpoint(THERE, node="controller"))]
    outer = found([service(externalTrafficPolicy="Local")], slices)
    assert outer.cluster_ports == {DNS: backends(THERE, HERE)}
    assert outer.node_ports == {NodePort(Protocol.UDP, 30053, direct=True): backends(HERE)}
    assert outer.own_node_ports == {
        NodePort(Protocol.UDP, 30053, direct=True): backends(THERE, HERE)
    }
    inner = found([service(internalTrafficPolicy="Local")], slices)
    assert inner.cluster_ports == {DNS: backends(HERE)}
    assert not (inner.own_node_ports or inner.silent or outer.silent)


def test_what_only_other_nodes_may_serve_is_silent_and_what_nobody_serves_is_not() -> None:
    local = service(internalTrafficPolicy="Local", externalTrafficPolicy="Local")
    elsewhere = found([local], [endpoint_slice(endpoint(THERE, node="controller"))])
    assert elsewhere.silent == {DNS, NodePort(Protocol.UDP, 30053, direct=True)}
    assert contents(elsewhere)["silent-udp"] == {"10.233.0.3 . 53"}
    assert contents(elsewhere)["silentnode-udp"] == {"30053"}
    assert contents(elsewhere)["own-udp-1"] == {f"30053 . 0 : {THERE} . 5353"}
    assert found([local], []).silent == set()


def test_backends_are_chosen_by_the_client_where_it_is_to_stay() -> None:
    slices = [endpoint_slice(endpoint(HERE), endpoint(THERE))]
    rules = contents(found([service(sessionAffinity="ClientIP")], slices))
    assert rules.keys() >= {"cluster-udp-2-sticky", "node-udp-2-sticky"}
    script = change({}, rules, Family.V6)
    assert "ip6 daddr . udp dport . jhash ip6 saddr mod 2" in script
    assert "numgen" not in script
    assert "jhash" not in change({}, contents(found([service()], slices)), Family.V6)


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"type": "ExternalName", "clusterIP": ""}])
def test_services_without_an_address_are_passed_over(spec: dict[str, Any]) -> None:
    assert found([service(**spec)], [endpoint_slice(endpoint(HERE))]).addresses == set()


def test_each_family_has_its_own_address_and_endpoints() -> None:
    dual = service(clusterIPs=["10.233.0.3", "fd99::3"])
    slices = [endpoint_slice(endpoint(HERE)), endpoint_slice(endpoint("fd85::1"), family=6)]
    port = ClusterPort(Protocol.UDP, Address("fd99::3"), 53)
    assert found([dual], slices, Family.V6).cluster_ports == {port: backends("fd85::1")}


def test_elements_are_spread_over_random_numbers() -> None:
    rules = contents(found([service()], [endpoint_slice(endpoint(HERE), endpoint(THERE))]))
    assert rules == {
        "cluster-addresses": {"10.233.0.3"},
        "hairpin": {f"{HERE} . {HERE}", f"{THERE} . {THERE}"},
        "cluster-udp-2": {
            f"10.233.0.3 . 53 . 0 : {THERE} . 5353",
            f"10.233.0.3 . 53 . 1 : {HERE} . 5353",
        },
        "node-udp-2": {f"30053 . 0 : {THERE} . 5353", f"30053 . 1 : {HERE} . 5353"},
    }


def test_a_change_touches_its_elements_only() -> None:
    both = contents(found([service()], [endpoint_slice(endpoint(HERE), endpoint(THERE))]))
    one = contents(found([service()], [endpoint_slice(endpoint(HERE))]))
    script = change(both, one, Family.V4)
    assert "delete element ip kube-proxy cluster-udp-2" in script
    assert "add map ip kube-proxy cluster-udp-1" in script
    assert "cluster-addresses" not in script
    again = change(after_change(both, one), both, Family.V4)
    assert "add map" not in again, "the map of two backends is there still"
    assert change(one, one, Family.V4) == ""
