"""``spiderpoolctl ip show|find``."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from spiderpool.ctl import evidence

CONF = {"default_ipv4_ippool": ["a"]}


async def some(world: Any) -> None:
    await world.pool("a", "10.6.0.1-10.6.0.9", gateway="10.6.0.9")
    await world.pod("default/x")
    await world.pod("default/y")
    async with world.agent() as agent:
        await agent.add("default/x", ipam=CONF)
        await agent.add("default/y", ipam=CONF)


def test_pools_say_what_is_free(shell: Any) -> None:
    shell.prepare(some)
    shell.ctl("ip", "release", "default/y", "--force")
    status, out, _ = shell.ctl("ip", "show", "--json")
    assert status == 0
    assert json.loads(out) == [
        {
            "POOL": "a",
            "SUBNET": "10.6.0.0/16",
            "USABLE": 8,
            "HELD": 1,
            "COOLING": 1,
            "ASIDE": 0,
            "FREE": 6,
            "DISABLED": False,
        }
    ]


def test_an_address_leads_to_its_pod_and_back(shell: Any) -> None:
    shell.prepare(some)
    for what in ("10.6.0.1", "default/x"):
        status, out, _ = shell.ctl("ip", "find", what, "--json")
        (row,) = json.loads(out)
        assert (status, row["ADDRESS"], row["POD"], row["STATE"]) == (
            0,
            "10.6.0.1",
            "default/x",
            "held",
        )
    assert shell.ctl("ip", "find", "10.6.0.8")[:2] == (1, "nothing found\n")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_cluster_can_be_named_anywhere(
    shell: Any, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    shell.prepare(some)
    asked: list[str | None] = []

    def connect(kubeconfig: str | None) -> Any:
        asked.append(kubeconfig)
        return shell.world.api

    monkeypatch.setattr(evidence, "connect", connect)
    words = ["ip", "show"]
    words[place:place] = ["--kubeconfig", "/k"]
    assert shell.ctl(*words)[0] == 0
    assert asked == ["/k"]


def test_a_pool_shows_who_holds_what_and_what_is_free(shell: Any) -> None:
    shell.prepare(some)
    asyncio.run(shell.world.reserve("r", "10.6.0.5"))
    _, out, _ = shell.ctl("ip", "show", "a", "--json")
    assert [(row["ADDRESS"], row["STATE"], row["POD"]) for row in json.loads(out)] == [
        ("10.6.0.1", "held", "default/x"),
        ("10.6.0.2", "held", "default/y"),
        ("10.6.0.3-10.6.0.4", "free", None),
        ("10.6.0.6-10.6.0.8", "free", None),
    ]


def test_what_is_free_of_a_pool_beyond_counting_is_one_line(shell: Any) -> None:
    asyncio.run(shell.world.pool("six", "fd00::-fd00::ffff:ffff:ffff:ffff", subnet="fd00::/64"))
    _, out, _ = shell.ctl("ip", "show", "six")
    assert "fd00::1-fd00::ffff:ffff:ffff:ffff  free" in out


def test_a_pool_that_cannot_be_read_does_not_hide_the_others(shell: Any) -> None:
    shell.prepare(some)
    asyncio.run(shell.world.pool("b", "10.6.0.x"))
    status, out, err = shell.ctl("ip", "show")
    assert (status, len(out.splitlines())) == (0, 2)
    assert "SpiderIPPool b: spec.ips[0]: '10.6.0.x' is not an IP" in err


def test_a_pool_that_is_not_there_is_said(shell: Any) -> None:
    shell.prepare(some)
    status, out, err = shell.ctl("ip", "show", "c")
    assert (status, out) == (2, "")
    assert err == "spiderpoolctl: SpiderIPPool c: does not exist; existing: a\n"
