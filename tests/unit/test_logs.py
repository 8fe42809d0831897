"""Log lines in both formats, with the fields of the request that they belong to."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import select
from typing import Any

import pytest

from spiderpool import logs


def record(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("a.b", logging.WARNING, __file__, 1, message, args, None)


def line(message: str, *args: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(logs.JsonFormatter("agent").format(record(message, *args)))
    return found


def text(message: str, *args: object) -> str:
    return logs.TextFormatter("agent").format(record(message, *args))


def test_a_line() -> None:
    found = line("%s is %d", 'odd "name"\n', 5)
    assert found["message"] == 'odd "name"\n is 5'
    assert (found["level"], found["component"], found["logger"]) == ("warning", "agent", "a.b")
    assert found["time"].endswith("+00:00")


def test_fields_nest_and_end() -> None:
    with logs.fields(pod="nginx", container=""):
        with logs.fields(ifname="net1"):
            inner = line("x")
        outer = line("x")
    assert (inner["pod"], inner["ifname"]) == ("nginx", "net1")
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


def failed() -> logging.LogRecord:
    try:
        raise ValueError("why")
    except ValueError as exc:
        info = (type(exc), exc, exc.__traceback__)
    return logging.LogRecord("a", logging.ERROR, __file__, 1, "failed", (), info)


def test_a_traceback_is_one_field() -> None:
    found = json.loads(logs.JsonFormatter("agent").format(failed()))
    assert "ValueError: why" in found["traceback"]


def test_text_is_one_line_with_the_fields_behind_it() -> None:
    with logs.fields(pod="nginx", ifname="net1"):
        _, _, rest = text("%s is gone", "x").partition(" ")
    assert rest == "WARNING agent a.b: x is gone pod=nginx ifname=net1"
    assert logs.TextFormatter("agent").format(failed()).splitlines()[-1] == "ValueError: why"


def test_nobody_forges_a_line_or_moves_the_cursor() -> None:
    with logs.fields(pod="x\ny"):
        told = text("%s", "a\n2026 ERROR \x1b[2J\u2028ä")
    assert told.endswith(r"a\n2026 ERROR \x1b[2J\u2028ä pod=x\ny")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "is_terminal", "is_json"),
    [
        ([], False, True),
        ([], True, False),
        (["--log-format=json"], True, True),
        (["--log-format=text"], False, False),
    ],
)
def test_the_format_is_chosen_or_fits_where_it_goes(
    words: list[str],
    is_terminal: bool,
    is_json: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    parser = argparse.ArgumentParser()
    logs.add_options(parser)
    given = parser.parse_args([*words, "--log-level=warn"])
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    logs.to_stderr("agent", given.log_format, given.log_level)
    log = logging.getLogger("a")
    log.info("not told")
    log.warning("told")
    (told,) = capfd.readouterr().err.splitlines()
    assert told.startswith("{") is is_json


def test_a_pipe_that_nobody_reads_stops_nobody() -> None:
    reader, writer = os.pipe()
    handler = logs.WhileRead(writer)
    handler.setFormatter(logs.JsonFormatter("agent"))
    size = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
    long = "x" * select.PIPE_BUF
    sent = size // select.PIPE_BUF + 5
    for number in range(sent):
        handler.emit(record("%d%s", number, long))
    told = os.read(reader, size).decode()
    handler.emit(record("last"))
    *whole, lost, last = (told + os.read(reader, size).decode()).splitlines()
    whole = [one for one in whole if one.endswith("}")]
    assert json.loads(last)["message"] == "last"
    words = f"{sent - len(whole)} lines before this one are lost"
    assert json.loads(lost)["message"].startswith(words)
    assert 0 < len(whole) < sent
    os.close(reader)
    handler.emit(record("nobody is there any more"))
    os.close(writer)
