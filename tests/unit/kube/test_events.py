"""Events: counted, bounded, never in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from spiderpool.kube.api import Object
from spiderpool.kube.events import LONGEST_MESSAGE, MOST_WAITING, EventRecorder, Subject
from spiderpool.kube.reasons import Reason
from spiderpool.kube.resources import EVENT
from spiderpool.testing.kube import FakeClient
from spiderpool.testing.kubefaults import Fault, FaultyClient, nothing

POD = Subject("v1", "Pod", "nginx", "web", "uid-1")


class World:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)
        self.faulty = FaultyClient(FakeClient())
        self.recorder = EventRecorder(self.faulty, "spiderpool-agent", "worker01", self._clock)

    def _clock(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    async def events(self) -> list[Object]:
        items: list[Object] = (await self.faulty.list(EVENT))["items"]
        return items


def run(scenario: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario(World())

    asyncio.run(main())


def test_an_event_says_who_what_and_why() -> None:
    async def scenario(world: World) -> None:
        world.recorder.warn(POD, Reason.NO_ADDRESS, "pool a: full")
        await world.recorder.flush()
        (event,) = await world.events()
        assert event["metadata"]["namespace"] == "web"
        assert event["involvedObject"] == {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": "nginx",
            "namespace": "web",
            "uid": "uid-1",
        }
        assert (event["type"], event["reason"]) == ("Warning", "NoAddress")
        assert event["message"] == "pool a: full"
        assert event["source"] == {"component": "spiderpool-agent", "host": "worker01"}
        assert event["count"] == 1

    run(scenario)


def test_repeats_are_counted_in_one_object() -> None:
    async def scenario(world: World) -> None:
        for _ in range(3):
            world.recorder.warn(POD, Reason.NO_ADDRESS, "pool a: full")
        await world.recorder.flush()
        world.recorder.warn(POD, Reason.NO_ADDRESS, "pool a: full")
        await world.recorder.flush()
        (event,) = await world.events()
        assert event["count"] == 4
        assert event["lastTimestamp"] > event["firstTimestamp"]

    run(scenario)


def test_another_message_is_another_event() -> None:
    async def scenario(world: World) -> None:
        world.recorder.warn(POD, Reason.NO_ADDRESS, "pool a: full")
        world.recorder.warn(POD, Reason.NO_ADDRESS, "pool b: full")
        await world.recorder.flush()
        assert len(await world.events()) == 2

    run(scenario)


def test_an_event_that_expired_is_written_anew() -> None:
    async def scenario(world: World) -> None:
        world.recorder.warn(POD, Reason.NO_ADDRESS, "full")
        await world.recorder.flush()
        (event,) = await world.events()
        await world.faulty.delete(EVENT, event["metadata"]["name"], "web")
        world.recorder.warn(POD, Reason.NO_ADDRESS, "full")
        await world.recorder.flush()
        (event,) = await world.events()
        assert event["count"] == 1

    run(scenario)


def test_events_on_cluster_objects_live_in_default_and_long_ones_are_cut() -> None:
    async def scenario(world: World) -> None:
        subject = Subject("spiderpool.spidernet.io/v2beta1", "SpiderIPPool", "a" * 253)
        world.recorder.warn(subject, Reason.POOL_EXHAUSTED, "x" * 5000)
        await world.recorder.flush()
        (event,) = await world.events()
        assert event["metadata"]["namespace"] == "default"
        assert len(event["metadata"]["name"]) <= 253
        assert len(event["message"]) == LONGEST_MESSAGE

    run(scenario)


def test_a_server_that_does_not_take_it_harms_nobody() -> None:
    async def scenario(world: World) -> None:
        world.faulty.inject(Fault.UNREACHABLE)
        world.recorder.warn(POD, Reason.OLD_NAME, "lost")
        world.recorder.warn(POD, Reason.NOT_USABLE, "kept")
        await world.recorder.flush()
        assert [event["reason"] for event in await world.events()] == ["NotUsable"]

    run(scenario)


def test_a_flood_keeps_the_newest() -> None:
    async def scenario(world: World) -> None:
        for number in range(MOST_WAITING + 5):
            world.recorder.warn(POD, Reason.NO_ADDRESS, str(number))
        await world.recorder.flush()
        messages = {event["message"] for event in await world.events()}
        assert len(messages) == MOST_WAITING
        assert "0" not in messages
        assert str(MOST_WAITING + 4) in messages

    run(scenario)


def test_a_subject_that_cannot_be_leaves_the_others_theirs() -> None:
    """Names come from a runtime's CNI_ARGS, where anybody may have written anything."""

    async def scenario(world: World) -> None:
        world.recorder.warn(Subject("v1", "Pod", "x", ".."), Reason.BAD_INPUT, "words")
        world.recorder.warn(POD, Reason.NO_ADDRESS, "words")
        await world.recorder.flush()
        (event,) = await world.events()
        assert event["involvedObject"]["name"] == "nginx"

    run(scenario)


def test_events_that_may_not_be_written_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(world: World) -> None:
        world.faulty.forbidden = lambda request: True
        for number in range(3):
            world.recorder.warn(POD, Reason.OLD_NAME, f"lost {number}")
            await world.recorder.flush()
        world.faulty.forbidden = nothing
        world.recorder.warn(POD, Reason.OLD_NAME, "kept")
        await world.recorder.flush()
        assert [event["message"] for event in await world.events()] == ["kept"]

    run(scenario)
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "event OldName on nginx is lost: "
        'events is forbidden: User "me" cannot create resource "events"'
    ]
