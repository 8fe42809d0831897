"""Services as nftables elements."""

from __future__ import annotations

from typing import Any

from harness.topology.services import SLOTS, elements, update_script
from spiderpool.types.address import Family


def a_service(**port: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "default", "name": "dns"},
        "spec": {
            "clusterIPs": ["10.233.0.3"],
            "ports": [{"name": "dns", "port": 53, "protocol": "UDP"} | port],
        },
    }


def a_slice(*addresses: str, ready: bool = True, port: int = 5353) -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "default",
            "name": "dns-ipv4",
            "labels": {"kubernetes.io/service-name": "dns"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "dns", "port": port, "protocol": "UDP"}],
        "endpoints": [
            {"addresses": [address], "conditions": {"ready": ready}} for address in addresses
        ],
    }


def compiled(*slices: dict[str, Any], **port: Any) -> dict[str, dict[str, str]]:
    found = elements(Family.V4, [a_service(**port)], slices).contents
    return {name: dict(entries) for name, entries in found.items()}


def test_endpoints_share_the_slots_evenly() -> None:
    found = compiled(a_slice("10.1.0.1", "10.1.0.2", "10.1.0.3"))["udp-services"]
    assert len(found) == SLOTS
    targets = list(found.values())
    assert {targets.count(f"10.1.0.{n} . 5353") for n in (1, 2, 3)} == {SLOTS // 3}


def test_a_service_without_ready_endpoints_is_refused_and_not_translated() -> None:
    found = compiled(a_slice("10.1.0.1", ready=False))
    assert list(found["no-endpoints"]) == ["10.233.0.3 . udp . 53"]
    assert not found["udp-services"] and not found["cluster-ips"]


def test_node_ports_lead_to_the_same_endpoints() -> None:
    found = compiled(a_slice("10.1.0.1"), nodePort=30053)
    assert set(found["udp-node-ports"].values()) == {"10.1.0.1 . 5353"}
    assert list(found["udp-open-node-ports"]) == ["30053"]


def test_headless_services_and_other_families_are_left_alone() -> None:
    service = a_service()
    service["spec"]["clusterIPs"] = ["None"]
    found = elements(Family.V4, [service], [a_slice("10.1.0.1")]).contents
    assert not any(found.values())
    assert not any(elements(Family.V6, [a_service()], [a_slice("10.1.0.1")]).contents.values())


def test_an_update_names_only_what_changed() -> None:
    one = elements(Family.V4, [a_service()], [a_slice("10.1.0.1")])
    two = elements(Family.V4, [a_service()], [a_slice("10.1.0.1", "10.1.0.2")])
    assert update_script(Family.V4, one, one) == ""
    script = update_script(Family.V4, one, two)
    assert script.count("10.1.0.2 . 5353") == SLOTS // 2
    assert "10.233.0.3 . 53 . 0" not in script
