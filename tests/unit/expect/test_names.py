"""A scenario's names become places, addresses and texts; unknown ones say what there is."""

from __future__ import annotations

import pytest

from harness.expect.names import Names, NicFacts, PodFacts, UnknownName, nics_of
from harness.expect.resolve import resolve
from harness.scenario.expectations import Probe, Protocol
from harness.scenario.reference import parse_reference
from harness.trace.observe import Sending
from spiderpool.netlink.objects import Link, LinkAddress, NetState, Scope
from spiderpool.testing.builders import address
from spiderpool.types.address import Address, Family, InterfaceAddress
from spiderpool.types.names import IfName

NET1 = NicFacts(
    (InterfaceAddress("10.6.212.145/16"), InterfaceAddress("fd00:10:6::2/64")), "2a:1e:a1:db:2a:9a"
)
ENS192 = NicFacts((InterfaceAddress("10.6.212.132/16"),), "02:00:00:00:00:01")
NAMES = Names(
    pods={"web": PodFacts("default/nginx-x", "nginx-x", "worker01")},
    services={"dns": (Address("10.233.0.3"), Address("fd00::3"))},
    nics={"default/nginx-x": {"net1": NET1}, "worker01": {"ens192": ENS192}},
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("from {web.net1} lookup 100", "from 10.6.212.145 lookup 100"),
        ("{web.net1.v6} {web.net1.mac}", "fd00:10:6::2 2a:1e:a1:db:2a:9a"),
        ("{web} {web.node} {worker01}", "nginx-x worker01 worker01"),
        ("{web.node.ens192} {dns}", "10.6.212.132 10.233.0.3"),
        ("{it.net1}", "10.6.212.145"),
        ("plain", "plain"),
    ],
)
def test_placeholders(text: str, value: str) -> None:
    assert NAMES.text(text, "web") == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{web.eth0}", "web has no NIC eth0; it has net1"),
        ("{nowhere.eth0}", "there is no place nowhere; there are web, worker01"),
        ("{worker01.node}", "worker01 is no pod here"),
        ("{web.node.ens192.v6}", "web.node.ens192.v6 has no IPv6 address"),
    ],
)
def test_unknown_names(text: str, words: str) -> None:
    with pytest.raises(UnknownName, match=words):
        NAMES.text(text, None)


def probe(sender: str, target: str, *, family: int = 4, device: str | None = None) -> Probe:
    to = target if target[0].isdigit() else parse_reference(target, "f")
    return Probe(Protocol.UDP, parse_reference(sender, "f"), to, 53, device, family)


def test_a_probe_is_resolved() -> None:
    assert resolve(probe("web.net1", "dns"), NAMES) == Sending(
        Protocol.UDP,
        "default/nginx-x",
        Address("10.233.0.3"),
        53,
        source=Address("10.6.212.145"),
    )
    assert resolve(probe("web.node", "10.7.0.1", device="ens192"), NAMES) == Sending(
        Protocol.UDP, "worker01", Address("10.7.0.1"), 53, device=IfName("ens192")
    )


def test_the_family_chooses_both_ends() -> None:
    by_number = resolve(probe("web.net1", "dns", family=6), NAMES)
    assert (by_number.source, by_number.target) == ("fd00:10:6::2", "fd00::3")
    by_target = resolve(probe("web.net1", "web.net1.v6"), NAMES)
    assert (by_target.source, by_target.target) == ("fd00:10:6::2", "fd00:10:6::2")


def test_a_place_alone_is_no_target() -> None:
    with pytest.raises(UnknownName, match=r"web is no service: name a NIC, like web\.eth0"):
        resolve(probe("worker01", "web"), NAMES)


def test_what_a_nic_was_given_comes_before_what_it_has_learned() -> None:
    given = address("net1", "fd00:10:6::145/64")
    learned = address("net1", "fd00:10:6::1ea1:dbff:fe2a:9195/64", learned=True)
    state = NetState(links=(Link(IfName("net1"), 5),), addresses=(learned, given))
    assert nics_of(state)["net1"].addresses == (given.address, learned.address)


def test_nics_are_read_from_a_state_without_link_local_addresses() -> None:
    local = LinkAddress(IfName("net1"), InterfaceAddress("fe80::1/64"), Scope.LINK)
    state = NetState(
        links=(Link(IfName("net1"), 5, mac="02:00:00:00:00:05"), Link(IfName("lo"), 1)),
        addresses=(local, address("net1", "10.6.212.145/16")),
    )
    assert nics_of(state) == {
        "net1": NicFacts((InterfaceAddress("10.6.212.145/16"),), "02:00:00:00:00:05"),
        "lo": NicFacts((), ""),
    }
    assert NAMES.address(parse_reference("dns", "f"), Family.V6) == "fd00::3"
