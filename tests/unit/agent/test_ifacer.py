"""The plugin ifacer on the model of a node: shared, counted, taken back, restored."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spiderpool.agent import ifacer as agent_ifacer
from spiderpool.agent.devices import Devices
from spiderpool.agent.ifacer import IfacerHandler
from spiderpool.cni.request import Attachment, CniRequest
from spiderpool.errors import BadInput, CniError, OperationFailed
from spiderpool.netlink.model import after
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkKind, NetState
from spiderpool.netlink.operations import ChangeLink, CreateLink, DeleteLink
from spiderpool.netlink.selection import EVERYTHING, Selection
from spiderpool.netlink.transport import Transport
from spiderpool.testing.builders import down, pair
from spiderpool.testing.netlink import FRESH, FakeKernel, Faulting
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import ContainerID, IfName

NODE = after(FRESH, (pair("eth1", "lan1", 10), pair("eth2", "lan2", 20)))
VLAN = {"name": "tagged", "interfaces": ["eth1"], "vlanID": 100}
BOND = {
    "name": "bonded",
    "interfaces": ["eth1", "eth2"],
    "bond": {"name": "bond0", "mode": 1, "options": "arp_ip_target=10.6.0.1;miimon=100"},
    "vlanID": 7,
}


def request(
    command: CniCommand, container: str = "a", config: dict[str, Any] = VLAN, **more: Any
) -> CniRequest:
    return CniRequest(
        command, "ifacer", ContainerID(container), "/ns", IfName("net1"), config=config, **more
    )


class World:
    """A node whose agent may restart, and whose kernel may forget."""

    def __init__(self, folder: Path, own: Namespace) -> None:
        self._folder, self._own = folder, own
        self.kernel = FakeKernel(NODE)
        self.node: Transport = self.kernel

    def call(self, *given: Any, **more: Any) -> dict[str, Any]:
        handler = IfacerHandler(self._folder, lambda _: self.node)
        return asyncio.run(handler.handle(request(*given, **more), self._own, None))

    def restart_agent(self) -> None:
        asyncio.run(IfacerHandler(self._folder, lambda _: self.node).restore(self._own))

    def reboot(self) -> None:
        self.kernel.state = NODE

    @property
    def links(self) -> list[str]:
        """What came besides the NICs."""
        return [link.name for link in self.kernel.state.links if NODE.link(link.name) is None]

    @property
    def known(self) -> list[str]:
        return [each.device.name for each in Devices(self._folder)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Namespace.current() as own:
        yield World(tmp_path / "devices", own)


def test_the_result_is_empty_in_the_version_asked_for(world: World) -> None:
    answer = world.call(CniCommand.ADD, cni_version="0.4.0")
    assert answer == {"cniVersion": "0.4.0", "dns": {}}


def test_a_device_goes_with_the_last_that_asked_for_it(world: World) -> None:
    world.call(CniCommand.ADD, "a")
    world.call(CniCommand.ADD, "b")
    world.call(CniCommand.ADD, "b")
    assert world.links == ["eth1.100"]
    world.call(CniCommand.DEL, "a")
    world.call(CniCommand.DEL, "a")
    assert world.links == ["eth1.100"]
    world.call(CniCommand.DEL, "b")
    assert world.kernel.state == NODE
    assert world.known == []
    world.call(CniCommand.DEL, "b")


def test_a_bond_outlives_the_first_of_its_vlans(world: World) -> None:
    other = BOND | {"vlanID": 8}
    world.call(CniCommand.ADD, "a", BOND)
    world.call(CniCommand.ADD, "b", other)
    assert world.links == ["bond0", "bond0.7", "bond0.8"]
    world.call(CniCommand.DEL, "a", BOND)
    assert world.links == ["bond0", "bond0.8"]
    world.call(CniCommand.DEL, "b", other)
    assert world.kernel.state == NODE


def test_a_del_needs_no_configuration(world: World) -> None:
    world.call(CniCommand.ADD, "a", BOND)
    world.call(CniCommand.DEL, "a", {"name": "bonded", "interfaces": "nonsense"})
    assert world.kernel.state == NODE


def test_what_was_there_before_is_used_and_stays(world: World) -> None:
    by_hand = CreateLink(
        IfName("eth1.100"), LinkKind.VLAN, parent=IfName("eth1"), vlan=100, up=False
    )
    world.kernel.state = after(NODE, (by_hand,))
    world.call(CniCommand.ADD)
    world.call(CniCommand.DEL)
    link = world.kernel.state.link("eth1.100")
    assert link is not None
    assert link.up
    assert world.known == []


def test_a_bond_of_others_gets_no_member_of_ours(world: World) -> None:
    """Whatever asks: nobody would take it out again."""
    eth1, bond0 = IfName("eth1"), IfName("bond0")
    by_hand = CreateLink(bond0, LinkKind.BOND, bond=(("mode", 1),))
    before = after(NODE, (by_hand, down("eth1"), ChangeLink(eth1, master=bond0)))
    world.kernel.state = before
    for command in (CniCommand.ADD, CniCommand.CHECK):
        with pytest.raises(BadInput, match="no bond of eth1, eth2: eth2 is not in it"):
            world.call(command, "a", BOND)
    assert world.kernel.state == before
    assert world.known == []


def test_a_member_that_comes_back_is_taken_again(world: World) -> None:
    """As when a virtual function is taken away and given back."""
    world.call(CniCommand.ADD, "a", BOND)
    before = world.kernel.state
    world.kernel.state = after(before, (DeleteLink(IfName("eth2")), pair("eth2", "lan2", 20)))
    with pytest.raises(CniError, match="need: ip link set dev eth2 down; ip link set dev eth2 mas"):
        world.call(CniCommand.CHECK, "a", BOND)
    world.restart_agent()
    assert world.kernel.state.link("eth2") == before.link("eth2")


class WithoutCarrier(FakeKernel):
    """Its links have none for so many looks after the first."""

    def __init__(self, looks: int) -> None:
        super().__init__(NODE)
        self.looks = looks + 1

    def dump(self, selection: Selection = EVERYTHING) -> NetState:
        state = super().dump(selection)
        self.looks -= 1
        links = tuple(replace(link, carrier=self.looks < 0) for link in state.links)
        return replace(state, links=links)


@pytest.mark.parametrize(("looks", "seconds"), [(3, 10.0), (100_000, 0.01)])
def test_a_new_device_has_some_time_to_get_its_carrier(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    looks: int,
    seconds: float,
) -> None:
    """A NIC that is set up agrees with its switch first; detection must not ask before that."""
    monkeypatch.setattr(agent_ifacer, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(agent_ifacer, "CARRIER_SECONDS", seconds)
    world.node = world.kernel = slow = WithoutCarrier(looks)
    world.call(CniCommand.ADD, "a", BOND)
    assert world.links == ["bond0", "bond0.7"]
    comes = looks == 3
    assert ("bond0.7 has no carrier" not in caplog.text) is comes
    assert (slow.looks == -1) is comes
    before = slow.looks
    world.call(CniCommand.ADD, "b", BOND)
    assert slow.looks == before - 1  # who comes later does not wait


@pytest.mark.parametrize("place", range(7))
def test_a_failure_takes_everything_back(world: World, place: int) -> None:
    """Whichever operation the kernel refuses; there are seven."""
    world.node = Faulting(world.kernel, place, errno.EPERM)
    with pytest.raises(OperationFailed):
        world.call(CniCommand.ADD, "a", BOND)
    assert world.kernel.state == NODE
    assert world.known == []


def test_a_failure_leaves_the_devices_of_others(world: World) -> None:
    world.call(CniCommand.ADD, "a", BOND)
    before = world.kernel.state
    world.node = Faulting(world.kernel, 0, errno.EPERM)
    with pytest.raises(OperationFailed):
        world.call(CniCommand.ADD, "b", BOND | {"vlanID": 8})
    assert world.kernel.state == before
    world.node = world.kernel
    world.call(CniCommand.DEL, "a", BOND)
    assert world.kernel.state == NODE


def test_a_refused_entry_touches_nothing(world: World) -> None:
    world.call(CniCommand.ADD)
    before = world.kernel.state
    with pytest.raises(BadInput, match=r"VLAN 100 is taken by eth1\.100"):
        world.call(CniCommand.ADD, "b", {"name": "n", "interfaces": ["eth2"], "vlanID": 100})
    assert world.kernel.state == before
    world.call(CniCommand.DEL, "b")
    assert world.kernel.state == before


def test_a_reboot_is_made_good_when_the_agent_starts(world: World) -> None:
    world.call(CniCommand.ADD, "a", BOND)
    before = world.kernel.state
    world.reboot()
    world.restart_agent()
    assert world.kernel.state == before
    world.restart_agent()
    assert world.kernel.state == before


def test_or_by_the_next_pod(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.call(CniCommand.ADD, "a")
    world.kernel.state = FRESH
    world.restart_agent()
    assert "eth1.100 is not restored: ifacer: interfaces: this node has no NIC eth1" in caplog.text
    world.reboot()
    world.call(CniCommand.ADD, "b")
    world.call(CniCommand.DEL, "a")
    assert world.links == ["eth1.100"]
    world.call(CniCommand.DEL, "b")
    assert world.links == []


def test_gc_drops_those_whom_the_runtime_does_not_know(world: World) -> None:
    for container in "ab":
        world.call(CniCommand.ADD, container)
    world.call(CniCommand.ADD, "c", BOND)
    valid = frozenset({Attachment(ContainerID("b"), IfName("net1"))})
    world.call(CniCommand.GC, valid_attachments=valid)
    assert world.links == ["eth1.100", "bond0", "bond0.7"]
    world.call(CniCommand.GC, valid_attachments=frozenset())
    assert world.links == ["bond0", "bond0.7"]


def test_check_names_what_is_amiss(world: World) -> None:
    world.call(CniCommand.ADD)
    assert world.call(CniCommand.CHECK) == {}
    world.kernel.state = after(world.kernel.state, (down("eth1.100"),))
    with pytest.raises(CniError, match=r"need: ip link set dev eth1\.100 up"):
        world.call(CniCommand.CHECK)


def test_a_torn_file_counts_as_missing(world: World, tmp_path: Path) -> None:
    world.call(CniCommand.ADD)
    (file,) = (tmp_path / "devices").iterdir()
    file.write_bytes(b'{"device"')
    assert world.known == []
    world.call(CniCommand.DEL)
    assert world.links == ["eth1.100"]
