"""What IPAM does about addresses that somebody has whom nobody here knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from spiderpool.cni.request import Attachment
from spiderpool.errors import BadInput, CniCode, CniError
from spiderpool.kernel.role import Wire
from spiderpool.kube.reasons import Reason
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import Link, NetState
from spiderpool.testing.netlink import FakeKernel
from spiderpool.types.address import Address
from spiderpool.types.names import ContainerID, IfName

IPAM = {"default_ipv4_ippool": ["a"], "detect_ip_conflict": True}
NET1 = Attachment(ContainerID("c1"), IfName("net1"))
RIVAL = "02:00:00:00:00:99"


class Inside(FakeKernel):
    """A pod in memory, with a NIC that is down."""

    def __enter__(self) -> Inside:
        return self

    def __exit__(self, *_: object) -> None:
        return


class OnePod:
    """:class:`spiderpool.kernel.role.KernelRole` for one pod, of which RIVAL has ``taken``."""

    def __init__(self, *taken: str) -> None:
        self.pod = Inside(NetState(links=(Link(IfName("net1"), 2, mac="02:00:00:00:00:02"),)))
        self.taken, self.asked = taken, list[tuple[bool, list[Address]]]()

    def open(self, namespace: Namespace) -> Inside:
        return self.pod

    async def cookie(self, namespace: Namespace) -> int:
        return namespace.cookie

    async def conflicts(self, wire: Wire, addresses: Iterable[Address]) -> dict[Address, str]:
        link = self.pod.state.link(wire.nic)
        assert link is not None
        asked = list(addresses)
        self.asked.append((link.up, asked))
        return {each: RIVAL for each in asked if each in self.taken}

    async def silent(self, wire: Wire, gateways: Mapping[Address, Address]) -> tuple[Address, ...]:
        raise NotImplementedError

    def announce(self, wire: Wire, addresses: Iterable[Address]) -> None:
        raise NotImplementedError


def test_an_address_that_nobody_else_has(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.pod("default/web")
        kernel = OnePod()
        async with world.agent(kernel=kernel) as agent:
            assert await agent.add("default/web", ipam=IPAM) == ["10.6.0.1/16"]
            assert kernel.asked == [(True, ["10.6.0.1"])], "the NIC was up while it was asked"
            assert not kernel.pod.state.links[0].up
            assert agent.service.probed == {NET1}
            await agent.call("DEL", "default/web")
            assert agent.service.probed == set()

    play(story)


def test_an_address_that_somebody_has(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.pod("default/web")
        kernel = OnePod("10.6.0.1")
        async with world.agent(kernel=kernel) as agent:
            with pytest.raises(CniError, match=r"10\.6\.0\.1 is in use by") as caught:
                await agent.add("default/web", ipam=IPAM)
            assert caught.value.code is CniCode.ADDRESS_CONFLICT
            ((pod, reason, words),) = agent.warnings
            assert (pod, reason) == ("default/web", Reason.ADDRESS_CONFLICT)
            assert words.startswith(f"net1: 10.6.0.1 is in use by {RIVAL}: it is set aside")
            assert agent.service.probed == set()
            assert not kernel.pod.state.links[0].up
            again = await agent.add("default/web", ipam=IPAM, container="c2")
            assert again == ["10.6.0.2/16"]

    play(story)


def test_nothing_is_asked_unless_it_is_wanted(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.pod("default/web")
        kernel = OnePod("10.6.0.1")
        async with world.agent(kernel=kernel) as agent:
            await agent.add("default/web", ipam={"default_ipv4_ippool": ["a"]})
            assert kernel.asked == []
            with pytest.raises(BadInput, match=r"ipam\.detect_ip_conflict"):
                await agent.add("default/web", ipam=IPAM | {"detect_ip_conflict": "yes"})

    play(story)
