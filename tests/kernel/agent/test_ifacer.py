"""The plugin ifacer on a real kernel, as far as this one has VLANs and bonds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.netns import isolated
from harness.netns.capabilities import link_kinds
from spiderpool.agent.ifacer import IfacerHandler
from spiderpool.cni.request import CniRequest
from spiderpool.errors import OperationFailed
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import Link, LinkKind
from spiderpool.netlink.operations import SetSysctl
from spiderpool.testing.builders import pair, up
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import ContainerID, IfName

pytestmark = pytest.mark.kernel

VLAN = {"name": "tagged", "interfaces": ["eth1"], "vlanID": 100}
BOND = {
    "name": "bonded",
    "interfaces": ["eth1", "eth2"],
    "bond": {"name": "bond0", "mode": 1, "options": "miimon=100;primary=eth2"},
}


@pytest.fixture
def node(netns: Namespace) -> Iterator[Namespace]:
    # without IPv6: link-local addresses come when they like, between two looks too
    still = SetSysctl("ipv6/conf/default/disable_ipv6", "1")
    pairs = (pair("eth1", "lan1", 10), pair("eth2", "lan2", 20), up("lan1"), up("lan2"))
    apply(netns, (still, *pairs))
    yield netns


class Ifacer:
    def __init__(self, folder: Path, own: Namespace) -> None:
        self._handler, self._own = IfacerHandler(folder, Kernel), own

    def call(self, command: CniCommand, container: str, config: dict[str, Any]) -> None:
        made = CniRequest(
            command, "ifacer", ContainerID(container), "/ns", IfName("net1"), config=config
        )
        asyncio.run(self._handler.handle(made, self._own, None))

    def link(self, name: str) -> Link | None:
        return dump(self._own).link(name)


@pytest.mark.link("vlan")
def test_a_vlan_is_shared_and_goes_with_the_last(node: Namespace, tmp_path: Path) -> None:
    ifacer = Ifacer(tmp_path, node)
    for container in "ab":
        ifacer.call(CniCommand.ADD, container, VLAN)
    made, parent = ifacer.link("eth1.100"), ifacer.link("eth1")
    assert made is not None
    assert parent is not None
    assert (made.kind, made.vlan, made.up) == (LinkKind.VLAN, 100, True)
    assert made.parent_index == parent.index
    ifacer.call(CniCommand.CHECK, "a", VLAN)
    ifacer.call(CniCommand.DEL, "a", VLAN)
    assert ifacer.link("eth1.100") is not None
    ifacer.call(CniCommand.DEL, "b", VLAN)
    assert ifacer.link("eth1.100") is None


@pytest.mark.link("bond")
def test_a_bond_takes_and_returns_its_members(node: Namespace, tmp_path: Path) -> None:
    ifacer = Ifacer(tmp_path, node)
    before = [ifacer.link(name) for name in ("eth1", "eth2")]
    ifacer.call(CniCommand.ADD, "a", BOND)
    made = ifacer.link("bond0")
    assert made is not None
    assert (made.kind, made.bond_mode, made.up) == (LinkKind.BOND, 1, True)
    ifacer.call(CniCommand.CHECK, "a", BOND)
    ifacer.call(CniCommand.DEL, "a", BOND)
    assert ifacer.link("bond0") is None
    assert [ifacer.link(name) for name in ("eth1", "eth2")] == before


def test_a_kernel_without_the_kind_says_so_and_keeps_nothing(
    node: Namespace, tmp_path: Path
) -> None:
    if LinkKind.VLAN in isolated.call(link_kinds):
        pytest.skip("the kernel has vlan")
    ifacer = Ifacer(tmp_path / "devices", node)
    before = dump(node)
    with pytest.raises(OperationFailed, match=r"name eth1\.100 up type vlan id 100: "):
        ifacer.call(CniCommand.ADD, "a", VLAN)
    assert dump(node) == before
    assert list((tmp_path / "devices").iterdir()) == []
