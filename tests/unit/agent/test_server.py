"""The server with handlers of the test's, over a real unix socket; no privileges needed."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from served_handler import (
    World,
    answer_on,
    request,
    run,
    send,
)

from spiderpool import logs
from spiderpool.agent import server as server_module
from spiderpool.agent.wire import RawRequest
from spiderpool.cni.request import CniRequest
from spiderpool.errors import BadInput, Busy, CniCode, CniError, KubeError, Unreachable
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.modes import CniCommand


def test_a_call_reaches_its_handler_and_the_answer_comes_back(tmp_path: Path) -> None:
    async def work(req: CniRequest, own: Namespace, pod: Namespace | None) -> dict[str, Any]:
        assert pod is not None
        with Namespace.current() as here:
            assert own.cookie == pod.cookie == here.cookie
        return {"cniVersion": req.cni_version, "pod": f"{req.pod_namespace}/{req.pod_name}"}

    async def scenario(world: World) -> None:
        assert await world.call(request()) == (0, {"cniVersion": "1.1.0", "pod": "web/nginx"})
        (seen,) = world.handler.seen
        assert (seen.command, seen.plugin, seen.ifname) == (CniCommand.ADD, "spiderpool", "net1")

    run(tmp_path, scenario, work)


def test_a_del_has_no_output(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        assert await world.call(request("DEL"), namespaces=1) == (0, None)

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput("annotation x", "is wrong", "mend it"), CniCode.INVALID_NETWORK_CONFIG),
        (CniError(CniCode.NO_ADDRESS, "none left"), CniCode.NO_ADDRESS),
        (Unreachable("nobody there"), CniCode.TRY_AGAIN_LATER),
    ],
)
def test_an_error_is_an_error_object(tmp_path: Path, error: Exception, code: CniCode) -> None:
    async def work(*_: object) -> dict[str, Any]:
        raise error

    async def scenario(world: World) -> None:
        status, answer = await world.call(request(config={"cniVersion": "0.4.0"}))
        assert status == 1
        assert answer == {"cniVersion": "0.4.0", "code": code, "msg": str(error)}

    run(tmp_path, scenario, work)


@pytest.mark.parametrize("error", [CniError(CniCode.NO_ADDRESS, "none"), ZeroDivisionError("x")])
def test_the_line_about_a_failure_says_whose_call_it_was(
    tmp_path: Path, error: Exception, capfd: pytest.CaptureFixture[str]
) -> None:
    async def work(*_: object) -> dict[str, Any]:
        raise error

    async def scenario(world: World) -> None:
        assert (await world.call(request()))[0] == 1

    logs.to_stderr("agent", logs.LogFormat.JSON)
    run(tmp_path, scenario, work)
    told = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (failure,) = [line for line in told if line["level"] != "info"]
    assert (
        failure.items()
        >= {
            "component": "agent",
            "pod": "nginx",
            "namespace": "web",
            "container": "c1",
            "ifname": "net1",
        }.items()
    )


def test_a_fault_of_ours_shows_no_traceback(tmp_path: Path) -> None:
    async def work(*_: object) -> dict[str, Any]:
        raise ZeroDivisionError("secret words")

    async def scenario(world: World) -> None:
        status, answer = await world.call(request())
        assert status == 1
        assert answer["code"] == CniCode.INTERNAL
        assert "ZeroDivisionError" in answer["msg"]
        assert "secret" not in json.dumps(answer)

    run(tmp_path, scenario, work)


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("nobody there"),
        Busy(429, "TooManyRequests", "later"),
        KubeError(403, "Forbidden", "no"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_del_that_the_api_does_not_let_be_done_is_kept_and_succeeds(
    tmp_path: Path, error: KubeError
) -> None:
    async def work(*_: object) -> dict[str, Any]:
        raise error

    async def scenario(world: World) -> None:
        assert await world.call(request("DEL"), namespaces=1) == (0, None)
        assert world.postponed.saved == [request("DEL")]

    run(tmp_path, scenario, work)


def test_a_del_that_cannot_be_kept_is_to_be_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(*_: object) -> dict[str, Any]:
        raise Unreachable("nobody there")

    async def save(_: RawRequest) -> None:
        raise CniError(CniCode.TRY_AGAIN_LATER, "/intents is full")

    async def scenario(world: World) -> None:
        monkeypatch.setattr(world.postponed, "save", save)
        status, answer = await world.call(request("DEL"))
        assert (status, answer["code"]) == (1, CniCode.TRY_AGAIN_LATER)
        assert answer["msg"] == "nobody there; not postponed: /intents is full"

    run(tmp_path, scenario, work)


def test_a_del_with_another_error_fails(tmp_path: Path) -> None:
    async def work(*_: object) -> dict[str, Any]:
        raise BadInput("x", "is wrong")

    async def scenario(world: World) -> None:
        assert (await world.call(request("DEL")))[0] == 1
        assert world.postponed.saved == []

    run(tmp_path, scenario, work)


def test_calls_wait_for_the_caches_and_say_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "SYNC_SECONDS", 0.05)
    monkeypatch.setattr(server_module, "SYNC_SECONDS_OF_DEL", 0.05)

    async def scenario(world: World) -> None:
        world.readiness.ready.clear()
        world.readiness.known = ["pods: not listed yet"]
        status, answer = await world.call(request())
        assert (status, answer["code"]) == (1, CniCode.TRY_AGAIN_LATER)
        assert "pods: not listed yet" in answer["msg"]
        assert await world.call(request("DEL"), namespaces=1) == (0, None)
        assert len(world.postponed.saved) == 1
        assert world.handler.seen == []
        asyncio.get_running_loop().call_later(0.01, world.readiness.ready.set)
        assert await world.call(request()) == (0, None)

    run(tmp_path, scenario)


def test_status_tells_whether_an_add_would_be_served(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        assert await world.call(request("STATUS"), namespaces=1) == (0, None)
        world.readiness.known = ["SpiderCoordinator default is NotReady: because"]
        status, answer = await world.call(request("STATUS"), namespaces=1)
        assert (status, answer["code"]) == (1, CniCode.PLUGIN_NOT_AVAILABLE)
        assert answer["msg"] == world.readiness.known[0]

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    "junk", [b"GET / HTTP/1.1\r\n\r\n" + b"x" * 100_000, b"SPCN" + b"\xff" * 12]
)
def test_a_foreign_request_gets_an_answer(tmp_path: Path, junk: bytes) -> None:
    async def scenario(world: World) -> None:
        with await world.open() as connection:
            send(connection, junk)
            status, answer = await answer_on(connection)
        assert (status, answer["code"]) == (1, CniCode.DECODING_FAILURE)

    run(tmp_path, scenario)


def test_a_half_request_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "READ_SECONDS", 0.05)

    async def scenario(world: World) -> None:
        with await world.open() as connection:
            send(connection, request().encode()[:-1])
            assert await asyncio.get_running_loop().sock_recv(connection, 1) == b""
        assert world.handler.seen == []
        assert await world.call(request()) == (0, None)

    run(tmp_path, scenario)


@pytest.mark.parametrize(("command", "ends"), [("ADD", True), ("DEL", False)])
def test_who_hangs_up_ends_an_add_but_not_a_del(
    tmp_path: Path, command: str, ends: bool, caplog: pytest.LogCaptureFixture
) -> None:
    began, outcome = asyncio.Event(), []

    async def work(*_: object) -> dict[str, Any]:
        began.set()
        try:
            await asyncio.sleep(0.05)
            outcome.append("done")
        except asyncio.CancelledError:
            outcome.append("cancelled")
            raise
        return {}

    async def scenario(world: World) -> None:
        with await world.open() as connection:
            send(connection, request(command).encode())
            await began.wait()
        while not outcome:
            await asyncio.sleep(0.001)
        assert outcome == ["cancelled" if ends else "done"]

    run(tmp_path, scenario, work)
    told = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert ["the runtime has hung up" in line for line in told] == ([True] if ends else [])


def test_a_del_begins_after_the_add_that_was_given_up_has_ended(tmp_path: Path) -> None:
    began, order = asyncio.Event(), []

    async def work(req: CniRequest, *_: object) -> dict[str, Any]:
        order.append(f"{req.command} begins")
        began.set()
        try:
            if req.command is CniCommand.ADD:
                await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.02)
            order.append(f"{req.command} ends")
        return {}

    async def scenario(world: World) -> None:
        with await world.open() as connection:
            send(connection, request().encode())
            await began.wait()
        assert await world.call(request("DEL")) == (0, None)
        assert order == ["ADD begins", "ADD ends", "DEL begins", "DEL ends"]

    run(tmp_path, scenario, work)


def test_sandboxes_are_served_side_by_side(tmp_path: Path) -> None:
    met = asyncio.Barrier(3)

    async def work(*_: object) -> dict[str, Any]:
        await met.wait()
        return {}

    async def scenario(world: World) -> None:
        calls = [world.call(request(CNI_CONTAINERID=f"c{number}")) for number in range(3)]
        assert await asyncio.gather(*calls) == [(0, None)] * 3

    run(tmp_path, scenario, work)


def test_calls_in_flight_are_finished_when_the_agent_ends(tmp_path: Path) -> None:
    began = asyncio.Event()

    async def work(*_: object) -> dict[str, Any]:
        began.set()
        await asyncio.sleep(0.05)
        return {"done": True}

    async def main() -> None:
        world = World(tmp_path, work)
        serving = asyncio.create_task(world.server.run())
        call = asyncio.create_task(world.call(request()))
        await began.wait()
        serving.cancel()
        assert await call == (0, {"done": True})
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(main())


def test_a_call_that_takes_too_long_is_left_to_the_next_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection closes without an answer, when its work has ended; so the plugin asks on."""
    monkeypatch.setattr(server_module, "DRAIN_SECONDS", 0.02)
    began, ended = asyncio.Event(), asyncio.Event()

    async def work(*_: object) -> dict[str, Any]:
        began.set()
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.02)
            ended.set()
        return {}

    async def main() -> None:
        world = World(tmp_path, work)
        serving = asyncio.create_task(world.server.run())
        with await world.open() as connection:
            send(connection, request().encode())
            await began.wait()
            serving.cancel()
            assert await asyncio.get_running_loop().sock_recv(connection, 1) == b""
        assert ended.is_set()
        assert world.path.is_socket(), "the next agent's would be there already"
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(main())


def test_a_new_agent_takes_the_socket_over(tmp_path: Path) -> None:
    async def main() -> None:
        old, new = World(tmp_path, None), World(tmp_path, None)
        first = asyncio.create_task(old.server.run())
        await old.call(request())
        second = asyncio.create_task(new.server.run())
        await asyncio.sleep(0.01)
        await new.call(request())
        assert len(new.handler.seen) == 1
        assert new.path.stat().st_mode & 0o777 == 0o600
        for task in (first, second):
            task.cancel()
        await asyncio.gather(first, second, return_exceptions=True)

    asyncio.run(main())


def test_a_socket_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(tmp_path / ("x" * 120), None)
        with pytest.raises(BadInput, match=r"--socket .* cannot be listened on"):
            await world.server.run()

    asyncio.run(main())
