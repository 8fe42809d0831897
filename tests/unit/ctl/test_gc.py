"""``spiderpoolctl gc``: what nobody uses is shown, and released only when told to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spiderpool.ctl import gc
from spiderpool.kube.resources import POD

CONF = {"default_ipv4_ippool": ["a"]}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "BETWEEN_LOOKS", 0.0)


async def one_gone_one_alive(world: Any) -> None:
    await world.node("worker01", "10.6.0.250")
    await world.pool("a", "10.6.0.1-10.6.0.9")
    async with world.agent() as agent:
        for name in ("gone", "alive"):
            await world.pod(f"default/{name}")
            await agent.add(f"default/{name}", ipam=CONF)
    await world.api.delete(POD, "gone", "default", grace_seconds=0)


def test_a_dry_run_shows_the_reason_and_changes_nothing(shell: Any) -> None:
    shell.prepare(one_gone_one_alive)
    status, out, _ = shell.ctl("gc", "--dry-run", "--json")
    assert status == 0
    assert json.loads(out) == [
        {
            "ADDRESS": "10.6.0.1",
            "POOL": "a",
            "POD": "default/gone",
            "NIC": "net1",
            "NODE": "worker01",
            "REASON": "its pod does not exist any more",
            "AFTER": "20s",
        }
    ]
    assert shell.states() == {"10.6.0.1": "held", "10.6.0.2": "held"}


def test_now_releases_what_both_looks_find(shell: Any) -> None:
    shell.prepare(one_gone_one_alive)
    status, out, _ = shell.ctl("gc", "--now")
    assert (status, "10.6.0.1" in out, "10.6.0.2" in out) == (0, True, False)
    assert shell.states() == {"10.6.0.1": "cooling", "10.6.0.2": "held"}
    assert shell.endpoints() == ["alive"]
    assert shell.ctl("gc", "--now")[1] == "nothing to release\n"


def test_a_pod_that_is_back_in_the_second_look_keeps_its_address(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first list may have been wrong."""
    shell.prepare(one_gone_one_alive)
    real, hidden = shell.world.api.list, [True]

    async def list_(kind: Any, *args: Any, **kwargs: Any) -> Any:
        if kind == POD and hidden and hidden.pop():
            return {"items": [], "metadata": {}}
        return await real(kind, *args, **kwargs)

    monkeypatch.setattr(shell.world.api, "list", list_)
    shell.ctl("gc", "--now")
    assert not hidden
    assert shell.states() == {"10.6.0.1": "cooling", "10.6.0.2": "held"}


def test_no_more_than_the_limit_at_once(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: Any) -> None:
        await one_gone_one_alive(world)
        await world.api.delete(POD, "alive", "default", grace_seconds=0)

    shell.prepare(story)
    monkeypatch.setattr(gc, "MOST_AT_ONCE", 1)
    shell.ctl("gc", "--now")
    assert shell.states() == {"10.6.0.1": "cooling", "10.6.0.2": "held"}
