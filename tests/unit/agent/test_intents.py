"""DELs that wait: stored durably, settled once, never lost, never in the way."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from spiderpool.agent.intents import Intents
from spiderpool.agent.wire import RawRequest
from spiderpool.cni import plugin
from spiderpool.errors import CniCode, CniError, KubeError, Unreachable

REQUEST = RawRequest({"CNI_COMMAND": "DEL", "CNI_IFNAME": "net1"}, b'{"name":"n"}')


class Settling:
    """Settles requests, or fails as the test says."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.settled: list[RawRequest] = []

    async def __call__(self, request: RawRequest) -> None:
        if self.problem is not None:
            raise self.problem
        self.settled.append(request)


def test_what_is_saved_is_settled_once(tmp_path: Path) -> None:
    async def main() -> None:
        settling = Settling()
        intents = Intents(tmp_path / "state" / "intents", settling)
        await intents.save(REQUEST)
        assert len(intents.pending()) == 1
        assert await intents.settle_once()
        assert settling.settled == [REQUEST]
        assert intents.pending() == []
        assert await intents.settle_once()
        assert settling.settled == [REQUEST]

    asyncio.run(main())


def test_what_the_plugin_leaves_is_settled_in_order(tmp_path: Path) -> None:
    script = Path(plugin.__file__)
    for name in ("net2", "net1"):
        env = {
            "CNI_COMMAND": "DEL",
            "CNI_IFNAME": name,
            "SPIDERPOOL_SOCKET": str(tmp_path / "none"),
            "SPIDERPOOL_INTENTS": str(tmp_path),
        }
        done = subprocess.run(
            [sys.executable, "-ISE", str(script)],
            input=b'{"name":"n"}',
            env=env,
            capture_output=True,
            check=True,
            timeout=30,
        )
        assert done.stdout == b""

    async def main() -> None:
        settling = Settling()
        assert await Intents(tmp_path, settling).settle_once()
        assert [request.env["CNI_IFNAME"] for request in settling.settled] == ["net2", "net1"]
        assert {request.stdin for request in settling.settled} == {b'{"name":"n"}'}

    asyncio.run(main())


@pytest.mark.parametrize(
    "problem",
    [
        Unreachable("nobody"),
        CniError(CniCode.TRY_AGAIN_LATER, "later"),
        KubeError(403, "Forbidden", "no"),
        ZeroDivisionError("a fault of ours"),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_what_cannot_be_settled_now_stays(tmp_path: Path, problem: Exception) -> None:
    async def main() -> None:
        settling = Settling()
        intents = Intents(tmp_path, settling)
        await intents.save(REQUEST)
        settling.problem = problem
        assert not await intents.settle_once()
        assert len(intents.pending()) == 1
        settling.problem = None
        assert await intents.settle_once()
        assert settling.settled == [REQUEST]

    asyncio.run(main())


def test_what_another_agent_settles_meanwhile_is_no_problem(tmp_path: Path) -> None:
    """While the agent is updated two look at the folder."""

    async def main() -> None:
        async def settle(request: RawRequest) -> None:
            for path in intents.pending():
                path.unlink()

        intents = Intents(tmp_path, settle)
        await intents.save(REQUEST)
        await intents.save(REQUEST)
        assert await intents.settle_once()

    asyncio.run(main())


def test_what_can_never_be_settled_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000001-1.intent").write_bytes(b"power was cut here")

    async def main() -> None:
        settling = Settling()
        intents = Intents(tmp_path, settling)
        await intents.save(REQUEST)
        assert await intents.settle_once()
        assert settling.settled == [REQUEST]
        assert intents.pending() == []

    asyncio.run(main())
    assert [path.name for path in tmp_path.iterdir()] == ["00000000000000000001-1.refused"]


def test_half_written_files_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / ".00000000000000000001-1").write_bytes(b"SP")

    async def main() -> None:
        settling = Settling()
        assert await Intents(tmp_path, settling).settle_once()
        assert settling.settled == []

    asyncio.run(main())


def test_one_that_waits_does_not_hold_up_another(tmp_path: Path) -> None:
    async def main() -> None:
        settled: list[str] = []

        async def settle(request: RawRequest) -> None:
            if request.env["CNI_IFNAME"] == "net1":
                raise Unreachable("nobody")
            settled.append(request.env["CNI_IFNAME"])

        intents = Intents(tmp_path, settle)
        for name in ("net1", "net2"):
            await intents.save(RawRequest({"CNI_IFNAME": name}, b""))
        assert not await intents.settle_once()
        assert settled == ["net2"]
        assert len(intents.pending()) == 1

    asyncio.run(main())


def test_saving_wakes_the_loop(tmp_path: Path) -> None:
    async def main() -> None:
        settling = Settling()
        intents = Intents(tmp_path, settling)
        running = asyncio.create_task(intents.run())
        await asyncio.sleep(0.01)
        await intents.save(REQUEST)
        async with asyncio.timeout(5):
            while not settling.settled:
                await asyncio.sleep(0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(main())
