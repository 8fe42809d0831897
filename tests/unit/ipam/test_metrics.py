"""Every ADD and DEL is counted, and every failure under its reason."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from spiderpool.agent.metrics import MeasuredIpam, condition
from spiderpool.errors import SpiderpoolError
from spiderpool.kube.resources import POD
from spiderpool.metrics.text import exposition

CONF = {"default_ipv4_ippool": ["a"]}
ALLOCATION = "spiderpool_ipam_allocation"


def measured(agent: Any) -> MeasuredIpam:
    handler = MeasuredIpam(agent.handler, agent.service.counters)
    agent.handler = handler
    return handler


def values(handler: MeasuredIpam) -> dict[str, float]:
    lines = exposition(handler.metrics()).splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines)
        if not name.startswith("#")
    }


def test_what_waits_is_told_with_its_age() -> None:
    made = time.time_ns() - 90 * 10**9
    intents = [Path(f"{made + n:020d}-7.intent") for n in (0, 10**9)]
    waits = {metric.name: metric.samples[0].value for metric in condition(["no pools"], intents)}
    oldest = waits.pop("spiderpool_agent_oldest_intent_seconds")
    assert 90 <= oldest < 100
    assert waits == {"spiderpool_agent_ready": 0, "spiderpool_agent_intent_counts": 2}
    idle = {metric.name: metric.samples[0].value for metric in condition([], [])}
    assert idle == dict.fromkeys(waits, 0) | {
        "spiderpool_agent_ready": 1,
        "spiderpool_agent_oldest_intent_seconds": 0,
    }


def test_calls_are_counted(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.pod("default/x")
        async with world.agent() as agent:
            handler = measured(agent)
            await agent.add("default/x", ipam=CONF)
            await agent.call("CHECK", "default/x", previous={"ips": [{"address": "10.6.0.1/16"}]})
            await world.api.delete(POD, "x", "default", grace_seconds=0)
            await agent.call("DEL", "default/x", ipam=CONF)
            found = values(handler)
        assert found[f"{ALLOCATION}_counts"] == 1
        assert found["spiderpool_ipam_release_counts"] == 1
        assert found[f"{ALLOCATION}_failure_counts"] == 0
        assert found[f"{ALLOCATION}_duration_seconds_count"] == 1
        assert found[f"{ALLOCATION}_limit_duration_seconds_count"] == 1
        assert found["spiderpool_ipam_release_limit_duration_seconds_count"] == 1
        assert found["spiderpool_ipam_writes_counts"] == 2

    play(story)


@pytest.mark.parametrize(
    ("ips", "spec", "annotation", "name"),
    [
        ("10.6.0.1", {}, None, "err_ip_used_out_counts"),
        ("10.6.0.1-10.6.0.9", {"disable": True}, None, "err_no_available_pool_counts"),
        ("10.6.0.1-10.6.0.9", {}, "[", "err_wrong_input_counts"),
    ],
)
def test_failures_have_names(
    play: Any, ips: str, spec: dict[str, Any], annotation: str | None, name: str
) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", ips, **spec)
        notes = {"ipam.spidernet.io/ippool": annotation} if annotation else {}
        async with world.agent() as agent:
            handler = measured(agent)
            await world.pod("default/x", annotations=notes)
            await world.pod("default/y", annotations=notes)
            failures = 0
            for pod in ("x", "y"):
                try:
                    await agent.add(f"default/{pod}", ipam=CONF)
                except SpiderpoolError:
                    failures += 1
            found = values(handler)
        assert failures > 0
        assert found[f"{ALLOCATION}_{name}"] == failures
        assert found[f"{ALLOCATION}_failure_counts"] == failures
        assert found[f"{ALLOCATION}_counts"] == 2

    play(story)


def test_an_api_that_does_not_answer_is_told_apart(play: Any, monkeypatch: Any) -> None:
    async def story(world: Any) -> None:
        monkeypatch.setattr("spiderpool.agent.ipam.ADD_SECONDS", 0.05)
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.pod("default/x")
        async with world.agent() as agent:
            handler = measured(agent)
            await world.settle()
            agent.client.down = True
            with pytest.raises(SpiderpoolError):
                await agent.add("default/x", ipam=CONF)
            found = values(handler)
        assert found[f"{ALLOCATION}_err_retries_exhausted_counts"] == 1

    play(story)
