"""Text that the tests against iproute2 do not reach."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiderpool.errors import BadInput
from spiderpool.netlink.lines import as_lines, as_link_line, as_rule_line
from spiderpool.netlink.objects import Link, LinkKind, Neighbour, NetState, Rule
from spiderpool.netlink.operations import CreateLink, DeleteLink, MarkReplies, Peer, SetSysctl
from spiderpool.netlink.sysctl import ROOT, read_sysctl, sysctl_path, write_sysctl
from spiderpool.netlink.text import as_command
from spiderpool.types.address import Address
from spiderpool.types.names import IfName, TableID


@given(st.text(min_size=1, max_size=15))
def test_a_name_is_one_word_of_a_shell(name: str) -> None:
    assert shlex.split(as_command(DeleteLink(IfName(name)))) == ["ip", "link", "del", "dev", name]


@given(st.text(min_size=1, max_size=15))
def test_nft_gets_one_argument(name: str) -> None:
    assert len(shlex.split(as_command(MarkReplies(IfName(name))))) == 2


def test_a_link_that_is_born_elsewhere() -> None:
    peer = Peer(IfName("eth0"), namespace=8, mtu=1400)
    operation = CreateLink(IfName("cali1"), LinkKind.VETH, namespace=7, peer=peer)
    assert as_command(operation) == (
        "ip link add name cali1 netns /proc/self/fd/7 type veth "
        "peer name eth0 mtu 1400 netns /proc/self/fd/8"
    )


def test_links_and_states() -> None:
    link = Link(IfName("eth0"), 7, LinkKind.VETH, "02:00:00:00:00:07", 1430, True, parent_index=9)
    assert as_link_line(link) == (
        "7: eth0@if9: <BROADCAST,MULTICAST,UP> mtu 1430 qlen 1000 address 02:00:00:00:00:07 veth"
    )
    state = NetState(
        links=(link,),
        neighbours=(Neighbour(IfName("eth0"), Address("10.0.0.1"), "02:00:00:00:00:01", False),),
        reply_marks=(IfName("veth0"),),
        sysctls={"ipv4/ip_forward": "1"},
    )
    assert list(as_lines(state))[1:] == [
        "10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE",
        "replies marked for veth0",
        "net/ipv4/ip_forward = 1",
    ]


def test_a_rule_that_rejects() -> None:
    assert as_rule_line(Rule(5, TableID(0), action=8)) == "5:\tfrom all prohibit"


@pytest.mark.parametrize("key", ["", "/ipv4", "ipv4//x", "ipv4/../../kernel/x", "./x", "a\0b"])
def test_a_key_cannot_leave_proc_sys_net(key: str) -> None:
    with pytest.raises(BadInput, match="is no key below net"):
        sysctl_path(key)


def test_keys_with_dots() -> None:
    key = "ipv4/conf/eth0.10/rp_filter"
    assert sysctl_path(key) == "/proc/sys/net/ipv4/conf/eth0.10/rp_filter"
    assert as_command(SetSysctl(key, "0")) == f"sysctl -w net/{key}=0"


def test_sysctls_are_written_where_the_deployment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "ipv4"
    folder.mkdir()
    (folder / "ip_forward").write_text("0\n")
    monkeypatch.setenv(ROOT, f"{tmp_path}/")
    assert write_sysctl("ipv4/ip_forward", "1") == 0
    assert read_sysctl("ipv4/ip_forward") == "1"
    assert (folder / "ip_forward").read_text() == "1\n"
