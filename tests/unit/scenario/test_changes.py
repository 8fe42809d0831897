"""Steps that change a place behind the cluster's back: what they may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.scenario.changes import parse_advertise, parse_ip, parse_redirect
from harness.scenario.document import Item, read
from harness.scenario.model import Ip, Redirect
from harness.scenario.reference import Place, Reference
from spiderpool.errors import BadInput


def written(tmp_path: Path, text: str) -> Item:
    path = tmp_path / "step.yaml"
    path.write_text(text)
    return read(path)


def ip(tmp_path: Path, command: str, place: str = "client") -> Ip:
    return parse_ip(written(tmp_path, f"ip: '{command}'\non: {place}\n"))


@pytest.mark.parametrize(
    "command",
    [
        "address add 10.6.212.100/16 dev eth0",
        "address add fd00:10:6::100/64 dev eth0 nodad",
        "-6 route replace default via fd00::1 dev eth0",
        "neigh replace {web.eth0} lladdr 02:00:00:00:00:01 dev ens192 nud permanent",
        "link set lan6 down",
        "link set dev ens224 down master bond0",
        "link add bond0 type bond mode 1 miimon 100",
        "rule del from {web.eth0} lookup 99 pref 32761",
    ],
)
def test_commands_that_change_a_network(tmp_path: Path, command: str) -> None:
    step = ip(tmp_path, command)
    assert step.words == tuple(command.split())
    assert step.place == Place("client")
    assert str(step) == f"ip {command} on client"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("netns exec x1 sh", ["is no change"]),
        ("-batch /etc/passwd x", ["is no change"]),
        ("address show dev", ["is no change"]),
        ("link set eth0 xdp object x1.o", ["'xdp' is not known"]),
        ("link set eth0 -x1", ["'-x1' is not known"]),
        ("link add x1 type ip6gre", ["'ip6gre' is not known", "use bond"]),
        ("route add 10.0.0.0/8 encap bpf in x1", ["'encap' is not known"]),
        ("address add {nowhere x1} dev eth0", ["names no place"]),
        ("address add {web.net1.colour} dev eth0", ["'colour'"]),
    ],
)
def test_other_commands_are_refused(tmp_path: Path, command: str, words: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        ip(tmp_path, command)
    assert str(caught.value).startswith(f"{tmp_path}/step.yaml:1: ")
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_change_happens_in_a_place_not_in_a_nic(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"step\.yaml:2: .*name the place: client"):
        ip(tmp_path, "link set eth0 down", "client.eth0")


def test_redirect(tmp_path: Path) -> None:
    step = parse_redirect(written(tmp_path, "redirect: 80\nto: 15006\non: web\n"))
    assert (step.place, step.port, step.to) == (Place("web"), 80, 15006)
    assert isinstance(step, Redirect)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("redirect: 80\non: web\n", "no 'to'"),
        ("redirect: 80\nto: 70000\non: web\n", "70000 is no port"),
        ("redirect: 80\nto: 15006\n", "no 'on'"),
    ],
)
def test_redirects_that_cannot_be(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse_redirect(written(tmp_path, text))


def test_what_a_router_advertises(tmp_path: Path) -> None:
    step = parse_advertise(written(tmp_path, "advertise: FD00:10:6::/64\non: router.lan6\n"))
    assert (step.prefix, step.nic) == ("fd00:10:6::/64", Reference(Place("router"), "lan6"))
    assert str(step) == "advertise fd00:10:6::/64 by router.lan6"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("advertise: 10.6.0.0/16\non: router.lan6", "hosts make no addresses of 10.6.0.0/16"),
        ("advertise: fd00::/48\non: router.lan6", "hosts make no addresses of fd00::/48"),
        ("advertise: everything\non: router.lan6", "everything"),
        ("advertise: fd00::/64\non: router", "'router' names no NIC"),
        ("advertise: fd00::/64", "has no 'on'"),
        ("advertise: fd00::/64\non: router.lan6\nfrom: x", "'from' is not known"),
    ],
)
def test_what_no_router_advertises(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem) as caught:
        parse_advertise(written(tmp_path, text + "\n"))
    assert "step.yaml:" in str(caught.value)
