"""Services: addresses and node ports are given out once."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from rest import Api, eventually, unique


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


def make(client: Api, core: str, name: str, **spec: Any) -> dict[str, Any]:
    made: dict[str, Any] = client.must(client.create(f"{core}/services", service(name, **spec)))
    return made


def free_address() -> str:
    """From the low band, which the server itself does not give out."""
    return f"10.233.0.{100 + int(unique('x').rpartition('-')[2]) % 150}"


def test_address_is_given_out(client: Api, core: str) -> None:
    first, second = make(client, core, "a"), make(client, core, "b")
    addresses = {each["spec"]["clusterIP"] for each in (first, second)}
    assert len(addresses) == 2
    network = ipaddress.ip_network("10.233.0.0/18")
    assert all(ipaddress.ip_address(address) in network for address in addresses)
    assert first["spec"]["clusterIPs"] == [first["spec"]["clusterIP"]]


def test_defaults(client: Api, core: str) -> None:
    spec = make(client, core, "a")["spec"]
    del spec["clusterIP"], spec["clusterIPs"]
    assert spec == {
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
    }


def test_asked_address(client: Api, core: str) -> None:
    address = free_address()
    assert make(client, core, "a", clusterIP=address)["spec"]["clusterIP"] == address
    answer = client.create(f"{core}/services", service("b", clusterIP=address))
    assert (answer.code, answer.causes) == (422, [("spec.clusterIPs", "FieldValueInvalid")])
    assert answer.message.endswith(
        f"failed to allocate IP {address}: provided IP is already allocated"
    )
    client.must(client.delete(f"{core}/services/a"))
    assert make(client, core, "b", clusterIP=address)["spec"]["clusterIP"] == address


@pytest.mark.parametrize(
    ("address", "field"),
    [("10.1.2.3", "spec.clusterIPs"), ("nonsense", "spec.clusterIPs[0]")],
)
def test_addresses_that_cannot_be(client: Api, core: str, address: str, field: str) -> None:
    answer = client.create(f"{core}/services", service("a", clusterIP=address))
    assert (answer.code, answer.causes) == (422, [(field, "FieldValueInvalid")])


def test_address_is_kept_through_updates(client: Api, core: str) -> None:
    made = make(client, core, "a")
    changed = client.must(client.put(f"{core}/services/a", service("a", selector={"x": "y"})))
    assert changed["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert changed["spec"]["selector"] == {"x": "y"}


def test_address_cannot_change(client: Api, core: str) -> None:
    make(client, core, "a")
    address = free_address()
    patch = {"spec": {"clusterIP": address, "clusterIPs": [address]}}
    answer = client.patch(f"{core}/services/a", patch)
    assert (answer.code, answer.causes) == (422, [("spec.clusterIPs[0]", "FieldValueInvalid")])


def test_headless(client: Api, core: str) -> None:
    spec = make(client, core, "a", clusterIP="None", selector={"x": "y"})["spec"]
    assert (spec["clusterIP"], spec["clusterIPs"]) == ("None", ["None"])


def test_node_port_is_given_out(client: Api, core: str) -> None:
    spec = make(client, core, "a", type="NodePort")["spec"]
    assert 30000 <= spec["ports"][0]["nodePort"] <= 32767
    assert spec["externalTrafficPolicy"] == "Cluster"
    kept = client.must(client.put(f"{core}/services/a", service("a", type="NodePort")))["spec"]
    assert kept["ports"] == spec["ports"]
    back = client.must(client.patch(f"{core}/services/a", {"spec": {"type": "ClusterIP"}}))["spec"]
    assert "nodePort" not in back["ports"][0]
    assert "externalTrafficPolicy" not in back


def test_asked_node_port(client: Api, core: str) -> None:
    ports = [{"port": 80, "nodePort": 31999}]
    make(client, core, "a", type="NodePort", ports=ports)
    answer = client.create(f"{core}/services", service("b", type="NodePort", ports=ports))
    assert answer.causes == [("spec.ports[0].nodePort", "FieldValueInvalid")]
    assert answer.message.endswith("Invalid value: 31999: provided port is already allocated")
    client.must(client.delete(f"{core}/services/a"))
    wrong = [{"port": 80, "nodePort": 80}]
    answer = client.create(f"{core}/services", service("b", type="NodePort", ports=wrong))
    assert answer.message.endswith(
        "Invalid value: 80: provided port is not in the valid range. "
        "The range of valid ports is 30000-32767"
    )


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        ({"ports": []}, [("spec.ports", "FieldValueRequired")]),
        (
            {"ports": [{"port": 80}, {"port": 81}]},
            [
                ("spec.ports[0].name", "FieldValueRequired"),
                ("spec.ports[1].name", "FieldValueRequired"),
            ],
        ),
        (
            {"ports": [{"port": 70000, "targetPort": 80}]},
            [("spec.ports[0].port", "FieldValueInvalid")],
        ),
        (
            {"ports": [{"port": 80, "protocol": "ICMP"}]},
            [("spec.ports[0].protocol", "FieldValueNotSupported")],
        ),
        ({"type": "Magic"}, [("spec.type", "FieldValueNotSupported")]),
    ],
)
def test_refused_services(
    client: Api, core: str, spec: dict[str, Any], causes: list[tuple[str, str]]
) -> None:
    answer = client.create(f"{core}/services", service("a", **spec))
    assert (answer.code, answer.causes) == (422, causes)


def test_name_is_a_dns_label(client: Api, core: str) -> None:
    answer = client.create(f"{core}/services", service("9a"))
    assert answer.causes == [("metadata.name", "FieldValueInvalid")]
    assert "a DNS-1035 label must consist of" in answer.message


def test_the_servers_own_service(client: Api) -> None:
    own = client.must(client.get("/api/v1/namespaces/default/services/kubernetes"))
    assert own["spec"]["clusterIP"] == "10.233.0.1"
    assert own["spec"]["ports"][0]["port"] == 443


def test_the_range_of_services_is_ready(client: Api) -> None:
    path = "/apis/networking.k8s.io/v1/servicecidrs/kubernetes"
    eventually(lambda: bool(client.must(client.get(path)).get("status")))
    (condition,) = client.must(client.get(path))["status"]["conditions"]
    assert condition.pop("lastTransitionTime")
    assert condition == {
        "type": "Ready",
        "status": "True",
        "reason": "",
        "message": "Kubernetes default Service CIDR is ready",
    }
