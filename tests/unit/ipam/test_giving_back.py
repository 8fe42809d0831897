"""What was written for a caller who has gone comes back; what was told to another stays his.

Two agents of one node stand for a rolling update: the old one, which is told to end, and its
successor. What the API server applies late was decided on an older generation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from spiderpool.errors import BadInput
from spiderpool.ipam.blocks import seconds
from spiderpool.kube.api import JSON_PATCH
from spiderpool.kube.resources import POD, SPIDERENDPOINT, SPIDERIPBLOCK, SPIDERIPPOOL
from spiderpool.testing.kubefaults import LATE_SECONDS, Fault, Request
from spiderpool.types.ipblock import SlotState

CONF = {"default_ipv4_ippool": ["a"]}
WEB = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "s1"}


class Gate:
    """A client that holds back the requests ``chooses`` picks, until :meth:`open`."""

    def __init__(self, inner: Any, chooses: Callable[[Request], bool]) -> None:
        self._inner, self._chooses = inner, chooses
        self.reached, self._open = asyncio.Event(), asyncio.Event()

    def open(self) -> None:
        self._open.set()

    def __getattr__(self, verb: str) -> Any:
        ask = getattr(self._inner, verb)
        if verb not in ("create", "update", "patch"):
            return ask

        async def held(resource: Any, *args: Any, **more: Any) -> Any:
            if self._chooses(Request(verb, resource)):
                self.reached.set()
                await self._open.wait()
            return await ask(resource, *args, **more)

        return held


def of_endpoint(request: Request) -> bool:
    return request.resource == SPIDERENDPOINT


def of_block(request: Request) -> bool:
    return request.resource == SPIDERIPBLOCK


async def states(world: Any) -> dict[str, str | None]:
    """State by address, of all that is or was given."""
    found = (await world.ledger()).entries()
    return {entry.address: entry.slot.state for entry in found}


async def come_to(world: Any, wanted: dict[str, str | None]) -> None:
    """Wait until the addresses are in these states; the story's deadline ends the wait."""
    while await states(world) != wanted:
        await asyncio.sleep(0.001)


async def hang_up(call: asyncio.Task[Any]) -> None:
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


async def start(world: Any, *ips: str) -> str:
    await world.pool("a", *(ips or ("10.6.0.1-10.6.0.9",)))
    return str(await world.pod("default/x"))


@pytest.mark.parametrize("has_seen", [False, True], ids=["behind", "in step"])
def test_an_ending_agent_cannot_take_back_what_its_successor_has_told(
    play: Any, has_seen: bool
) -> None:
    async def story(world: Any) -> None:
        await start(world)
        async with world.agent() as old, world.agent() as new:
            gate = Gate(world.api, of_endpoint)
            old.client.replace(gate)
            given_up = asyncio.create_task(old.add("default/x", ipam=CONF))
            await gate.reached.wait()
            await world.settle()
            late = Gate(world.api, of_block)
            if not has_seen:  # what the old one decides now is applied after all the rest
                old.client.replace(late)
                await hang_up(given_up)
                await late.reached.wait()
            told = await new.add("default/x", ipam=CONF)
            await world.settle()
            await hang_up(given_up)
            late.open()
            await world.settle()
            assert told == ["10.6.0.1/16"]
            assert await states(world) == {"10.6.0.1": SlotState.HELD}

    play(story)


def test_who_asks_again_in_the_same_sandbox_during_the_write_keeps_what_he_is_told(
    play: Any,
) -> None:
    async def story(world: Any) -> None:
        await start(world)
        async with world.agent() as agent:
            gate = Gate(world.api, of_block)
            agent.client.replace(gate)
            given_up = asyncio.create_task(agent.add("default/x", ipam=CONF))
            await gate.reached.wait()
            await hang_up(given_up)
            again = asyncio.create_task(agent.add("default/x", ipam=CONF))
            await world.settle()
            gate.open()
            (address,) = await again
            await world.settle()
            assert (await states(world))[address.partition("/")[0]] is SlotState.HELD

    play(story)


def test_a_stale_cache_promises_nothing(play: Any) -> None:
    """Somebody took the address away, and the watch has not told of it yet."""

    async def story(world: Any) -> None:
        await start(world, "10.6.0.1")
        await world.pod("default/y", node="worker02")
        async with world.agent() as agent, world.agent("worker02") as other:
            uid = (await world.api.get(POD, "x", "default"))["metadata"]["uid"]
            first = await agent.add("default/x", ipam=CONF)
            await world.settle()
            await agent.informers.close()  # its watches tell nothing from now on
            entry = (await world.ledger()).of_pod(uid)[0]
            await other.service.release([entry], 1)
            world.now += 31
            assert await other.add("default/y", ipam=CONF) == first
            with pytest.raises(Exception, match="used out"):
                await agent.add("default/x", ipam=CONF)

    play(story)


def test_an_inherited_address_stays_when_the_caller_hangs_up(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        owners = [{**WEB, "controller": True}]
        await world.pod("default/web-0", ownerReferences=owners)
        async with world.agent() as agent:
            first = await agent.add("default/web-0", ipam=CONF, container="c1")
            await world.api.delete(POD, "web-0", "default", grace_seconds=0)
            await world.pod("default/web-0", ownerReferences=owners)
            await world.settle()
            gate = Gate(world.api, of_endpoint)
            agent.client.replace(gate)
            call = asyncio.create_task(agent.add("default/web-0", ipam=CONF, container="c2"))
            await gate.reached.wait()
            await hang_up(call)
            await world.settle()
            assert await states(world) == {"10.6.0.1": SlotState.HELD}
            agent.client.replace(world.api)
            assert await agent.add("default/web-0", ipam=CONF, container="c3") == first

    play(story)


@pytest.mark.parametrize("chooses", [of_block, of_endpoint], ids=["block", "endpoint"])
def test_what_rested_before_rests_on_after_it_is_given_back(
    play: Any, chooses: Callable[[Request], bool]
) -> None:
    async def story(world: Any) -> None:
        uid = await start(world)
        async with world.agent() as agent:
            await agent.add("default/x", ipam=CONF)
            entry = (await world.ledger()).of_pod(uid)[0]
            await agent.service.release([entry], 1)
            gate = Gate(world.api, chooses)
            agent.client.replace(gate)
            world.now += 10
            call = asyncio.create_task(agent.add("default/x", ipam=CONF, container="c2"))
            await gate.reached.wait()
            await hang_up(call)
            gate.open()
            while (slot := (await world.ledger()).slot("10.6.0.1")).generation < 4:
                await asyncio.sleep(0.001)
            assert slot.state is SlotState.COOLING
            assert seconds(slot.until) == world.now + 20

    play(story)


def test_what_was_not_acknowledged_is_not_taken_back_by_guess(play: Any) -> None:
    """The write got lost, and the successor's has the same generation."""

    async def story(world: Any) -> None:
        await start(world)
        async with world.agent() as old, world.agent() as new:
            gate = Gate(old.client, of_block)
            old.service.client = gate
            old.client.inject(Fault.UNREACHABLE, 1, of_block)
            given_up = asyncio.create_task(old.add("default/x", ipam=CONF))
            await gate.reached.wait()
            told = await new.add("default/x", ipam=CONF)
            await hang_up(given_up)
            gate.open()
            while old.client.faults_left:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.1)  # for what must not follow
            assert told == ["10.6.0.1/16"]
            assert await states(world) == {"10.6.0.1": SlotState.HELD}

    play(story)


def test_an_answer_that_was_lost_gives_no_second_address(play: Any) -> None:
    """Nor is any question about it, for some time; so others seem to be faster again and again."""

    async def story(world: Any) -> None:
        await start(world)
        async with world.agent() as agent:
            await world.pod("default/y")
            await agent.add("default/y", ipam=CONF)
            agent.client.inject(Fault.LOST_REPLY, 1, of_block)
            agent.client.inject(Fault.UNREACHABLE, 5, lambda request: request.verb == "get")
            await agent.informers.close()  # nor do watches tell
            assert await agent.add("default/x", ipam=CONF) == ["10.6.0.2/16"]
            assert list(await states(world)) == ["10.6.0.1", "10.6.0.2"]

    play(story)


def test_a_write_that_comes_late_gives_no_second_address(play: Any) -> None:
    """It was sent for an address that is not the lowest free one any more when it is decided
    again."""

    async def story(world: Any) -> None:
        await start(world, "10.6.0.1-10.6.0.9", "10.6.0.64-10.6.0.70")
        for name in ("y", "z"):
            await world.pod(f"default/{name}")
        async with world.agent() as agent:
            for name, container in (("y", "c1"), ("z", "c1")):
                await agent.add(f"default/{name}", ipam=CONF, container=container)
            first, _ = (await world.ledger()).entries()
            agent.client.inject(Fault.LATE, 1, of_block)
            call = asyncio.create_task(agent.add("default/x", ipam=CONF))
            while agent.client.faults_left:
                await asyncio.sleep(0)
            free = {"op": "replace", "path": f"/spec/slots/{first.address}"}
            value = {"generation": first.slot.generation + 1}
            await world.api.patch(
                SPIDERIPBLOCK, "10-6-0-0", [free | {"value": value}], content_type=JSON_PATCH
            )
            await call
            await asyncio.sleep(2 * LATE_SECONDS)
            held = [e for e in (await world.ledger()).entries() if e.slot.pod == "default/x"]
            assert len(held) == 1

    play(story)


def test_what_is_written_in_the_moment_the_caller_goes_comes_back(play: Any) -> None:
    """Whichever step of the loop he goes at."""

    async def story(world: Any) -> None:
        await start(world)
        async with world.agent() as agent:
            for ticks in range(40):
                call = asyncio.create_task(agent.add("default/x", ipam=CONF, container=f"c{ticks}"))
                for _ in range(ticks):
                    await asyncio.sleep(0)
                call.cancel()
                await asyncio.wait({call})
                if call.cancelled():
                    await come_to(world, {})

    play(story)


def test_one_family_that_fails_gives_the_other_back_by_its_generation(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world)
        await world.pool("six", "fd00::10", subnet="fd00::/64")
        conf = {**CONF, "default_ipv6_ippool": ["six"]}
        await world.pod("default/y")
        async with world.agent() as agent:
            await agent.add("default/y", ipam={"default_ipv6_ippool": ["six"]})
            with pytest.raises(Exception, match="IPv6"):
                await agent.add("default/x", ipam=conf)
            await come_to(world, {"fd00::10": SlotState.HELD})

    play(story)


def test_nothing_that_cannot_be_read_keeps_an_address_from_being_released(play: Any) -> None:
    """A SpiderReservedIP that cannot be read stops what is given, not what is given back."""

    async def story(world: Any) -> None:
        uid = await start(world)
        async with world.agent() as agent:
            await agent.add("default/x", ipam=CONF)
            await world.reserve("r", "10.6.212.100-oops")
            await world.settle()
            with pytest.raises(BadInput, match="SpiderReservedIP r"):
                await agent.add("default/x", ipam=CONF, nic="net2")
            await world.api.delete(POD, "x", "default", grace_seconds=0)
            await agent.call("DEL", "default/x", uid=uid)
            assert await states(world) == {"10.6.0.1": SlotState.COOLING}

    play(story)


def test_a_block_made_anew_is_not_the_one_that_a_release_means(play: Any) -> None:
    """Its generations begin again, so that one of them may be the same."""

    async def story(world: Any) -> None:
        uid = await start(world, "10.6.0.1")
        await world.pod("default/y", node="worker02")
        async with world.agent() as agent, world.agent("worker02") as other:
            await agent.add("default/x", ipam=CONF)
            await world.settle()
            await agent.informers.close()
            await world.api.delete(SPIDERIPBLOCK, "10-6-0-0")
            await world.settle()
            await other.add("default/y", ipam=CONF)
            await world.api.delete(POD, "x", "default", grace_seconds=0)
            await agent.call("DEL", "default/x", uid=uid)
            (held,) = (await world.ledger()).in_pool("a")
            assert (held.slot.pod, held.slot.state) == ("default/y", SlotState.HELD)

    play(story)


def test_a_pool_that_is_gone_leaves_a_nic_no_second_address(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world)
        await world.pool("b", "10.6.0.64-10.6.0.70")
        async with world.agent() as agent:
            await agent.add("default/x", ipam=CONF)
            await world.api.delete(SPIDERIPPOOL, "a")
            await world.settle()
            conf = {"default_ipv4_ippool": ["b"]}
            assert await agent.add("default/x", ipam=conf, container="c2") == ["10.6.0.64/16"]
            found = await states(world)
            assert found == {"10.6.0.1": SlotState.COOLING, "10.6.0.64": SlotState.HELD}

    play(story)
