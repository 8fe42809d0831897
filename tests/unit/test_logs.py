"""Log lines as JSON, with the fields of the request that they belong to."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from spiderpool import logs


def line(message: str, *args: object) -> dict[str, Any]:
    record = logging.LogRecord("a.b", logging.WARNING, __file__, 1, message, args, None)
    found: dict[str, Any] = json.loads(logs.JsonFormatter().format(record))
    return found


def test_a_line() -> None:
    found = line("%s is %d", 'odd "name"\n', 5)
    assert found["message"] == 'odd "name"\n is 5'
    assert (found["level"], found["logger"]) == ("warning", "a.b")
    assert found["time"].endswith("+00:00")


def test_fields_nest_and_end() -> None:
    with logs.fields(pod="web/nginx", container=""):
        with logs.fields(ifname="net1"):
            inner = line("x")
        outer = line("x")
    assert (inner["pod"], inner["ifname"]) == ("web/nginx", "net1")
    assert "container" not in inner
    assert "ifname" not in outer
    assert "pod" not in line("x")


def test_requests_side_by_side_keep_their_own() -> None:
    async def one(name: str) -> str:
        with logs.fields(pod=name):
            await asyncio.sleep(0.001)
            return str((await asyncio.to_thread(line, "x"))["pod"])

    async def main() -> None:
        assert list(await asyncio.gather(one("a"), one("b"))) == ["a", "b"]

    asyncio.run(main())


def test_a_traceback_is_one_field() -> None:
    try:
        raise ValueError("why")
    except ValueError as exc:
        info = (type(exc), exc, exc.__traceback__)
    record = logging.LogRecord("a", logging.ERROR, __file__, 1, "failed", (), info)
    assert "ValueError: why" in json.loads(logs.JsonFormatter().format(record))["traceback"]
