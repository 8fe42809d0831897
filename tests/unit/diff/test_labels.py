"""What two runs draw differently gets one name; nothing else changes."""

from __future__ import annotations

from typing import Any

from harness.diff.labels import Labels, label_pods, labels
from harness.expect.names import Names, PodFacts
from harness.trace.wires import Nic, Wires
from spiderpool.netlink.objects import Link, NetState
from spiderpool.testing.builders import address
from spiderpool.types.names import IfName

PLACE = "default/web-7d9f-x2kq4"
STATE = NetState(
    links=(Link(IfName("eth0"), 2), Link(IfName("net1"), 3)),
    addresses=(
        address("lo", "127.0.0.1/8"),
        address("eth0", "10.233.73.19/32"),
        address("net1", "10.6.212.101/16"),
        address("net1", "10.6.212.1/16"),
    ),
)
WIRES = Wires(peers={Nic(PLACE, "eth0"): Nic("worker01", "cali0123456789a")})
HERE = labels({PLACE: "web"}, {PLACE: STATE}, WIRES)


def pod(name: str, stem: str = "") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"} | ({"generateName": stem} if stem else {})
    return {"metadata": metadata, "spec": {"nodeName": "worker01"}}


def test_addresses_links_and_places_are_named_after_what_they_belong_to() -> None:
    text = "10.6.212.101/32 dev cali0123456789a of default/web-7d9f-x2kq4"
    assert HERE.text(text) == "<web.net1.v4>/32 dev <web.eth0 of the node> of web"
    assert HERE.text("worker01:cali0123456789a") == "worker01:<web.eth0 of the node>"
    assert HERE.nic(Nic(PLACE, "eth0")) == "web.eth0"
    assert HERE.nic(Nic("worker01", "cali0123456789a")) == "worker01.<web.eth0 of the node>"


def test_second_addresses_are_told_apart_and_longer_ones_are_not_mistaken() -> None:
    assert HERE.text("10.6.212.1") == "<web.net1.v4#2>"
    assert HERE.text("10.6.212.10 and 110.6.212.1") == "10.6.212.10 and 110.6.212.1"
    assert HERE.text("127.0.0.1 dev lo") == "127.0.0.1 dev lo"


def test_without_pods_texts_stay() -> None:
    assert Labels().text("10.6.212.1") == "10.6.212.1"


def test_a_pod_is_called_as_the_scenario_does_or_after_what_made_it() -> None:
    names = Names(pods={"web": PodFacts("default/web-7d9f-x2kq4", "web-7d9f-x2kq4", "worker01")})
    listed = [pod("web-7d9f-x2kq4", "web-7d9f-"), pod("dns-1", "dns-"), pod("dns-2", "dns-")]
    listed.append(pod("alone"))
    assert label_pods(listed, names) == {
        "default/web-7d9f-x2kq4": "web",
        "default/dns-1": "default/dns@worker01",
        "default/dns-2": "default/dns@worker01#2",
        "default/alone": "default/alone",
    }
