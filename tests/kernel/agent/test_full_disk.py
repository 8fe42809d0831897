"""An agent whose disk is full, and a plugin that can leave no note there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from agent_world import World, world
from attached_pod import AttachedPod, attached_pod

pytestmark = pytest.mark.kernel

SMALL_DISK = """
mkdir -p "$0" && mount -t tmpfs -o size=16k tmpfs "$0" && exec "$@"
"""
"""Runs a command to which the folder ``$0`` is a disk of four pages."""
CHAINED = {
    "prevResult": {
        "interfaces": [{"name": "net1", "sandbox": "/run/x"}],
        "ips": [{"address": "10.6.212.145/16", "gateway": "10.6.0.1", "interface": 0}],
    }
}


def run(folder: Path, scenario: Callable[[World, AttachedPod, Path], Awaitable[None]]) -> None:
    """The scenario gets the way to the agent's disk, too, which is the agent's alone."""

    async def main() -> None:
        with attached_pod(folder / "unused") as wired:
            wired.calico()
            wired.macvlan("net1", 145)
            async with world(folder, wired.node, wired.pod) as made:
                state = folder / "state"
                made.prefix = ("unshare", "--mount", "sh", "-c", SMALL_DISK, str(state))
                await made.start_agent()
                assert made.agent is not None
                await scenario(made, wired, Path(f"/proc/{made.agent.pid}/root{state}"))

    asyncio.run(main())


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    filling = disk / "filling"
    with filling.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filling


def test_an_add_says_which_disk_is_full_and_does_nothing(tmp_path: Path) -> None:
    async def scenario(made: World, wired: AttachedPod, disk: Path) -> None:
        before, filling = wired.lasting(), fill(disk)
        status, answer = await made.plugin("ADD", "coordinator", CHAINED)
        assert (status, answer["code"]) == (1, 11)
        words = f"{tmp_path}/state/footprints cannot be written to: No space left on device"
        assert answer["msg"].startswith(words)
        assert wired.lasting() == before
        filling.unlink()
        assert (await made.plugin("ADD", "coordinator", CHAINED))[0] == 0
        assert wired.lasting() != before

    run(tmp_path, scenario)


def test_a_del_needs_no_room(tmp_path: Path) -> None:
    async def scenario(made: World, wired: AttachedPod, disk: Path) -> None:
        before = wired.lasting()
        assert (await made.plugin("ADD", "coordinator", CHAINED))[0] == 0
        assert wired.lasting() != before
        fill(disk)
        assert await made.plugin("DEL", "coordinator", CHAINED) == (0, None)
        assert wired.lasting() == before

    run(tmp_path, scenario)


def test_a_del_that_nobody_does_or_notes_is_to_be_asked_for_again(tmp_path: Path) -> None:
    async def scenario(made: World, wired: AttachedPod, disk: Path) -> None:
        intents = disk / "intents"
        nobody = {"SPIDERPOOL_SOCKET": "/nowhere", "SPIDERPOOL_INTENTS": str(intents)}
        assert await made.plugin("DEL", "coordinator", CHAINED, **nobody) == (0, None)
        assert len(list(intents.glob("*.intent"))) == 1
        fill(disk)
        status, answer = await made.plugin("DEL", "coordinator", CHAINED, **nobody)
        assert (status, answer["code"]) == (1, 11)
        assert answer["msg"].endswith("No space left on device")
        assert not list(intents.glob(".*"))

    run(tmp_path, scenario)
