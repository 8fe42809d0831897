"""Log lines on stderr, with the request that they belong to: JSON for machines, text for people.

Whatever the format, a line has time, level, component, logger and message, and, where it is
about a CNI call, ``pod``, ``namespace``, ``container`` (the sandbox's id) and ``ifname``.
"""

from __future__ import annotations

import argparse
import contextvars
import enum
import fcntl
import logging
import os
import select
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import orjson

PIPE_BYTES = 1 << 20
"""How much the pipe behind stderr may hold (Linux: /proc/sys/fs/pipe-max-size)."""

_context: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("log_fields")


class LogFormat(enum.StrEnum):
    """``--log-format``."""

    JSON = "json"
    TEXT = "text"


LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
"""``--log-level``, by upstream's words."""


@contextmanager
def fields(**given: str) -> Iterator[None]:
    """Add fields, like ``pod`` and ``container``, to every line logged in the body."""
    before = _context.get({})
    token = _context.set({**before, **{key: value for key, value in given.items() if value}})
    try:
        yield
    finally:
        _context.reset(token)


class JsonFormatter(logging.Formatter):
    """One object a line."""

    def __init__(self, component: str) -> None:
        super().__init__()
        self._component = component

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _utc(record.created),
            "level": record.levelname.lower(),
            "component": self._component,
            "logger": record.name,
            "message": record.getMessage(),
            **_context.get({}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


class TextFormatter(logging.Formatter):
    """``time level component logger: message key=value ...``; a traceback follows on its lines.

    What others chose, names and messages, cannot begin a line or move a cursor.
    """

    def __init__(self, component: str) -> None:
        super().__init__()
        self._component = component

    def format(self, record: logging.LogRecord) -> str:
        words = [f"{_utc(record.created)} {record.levelname:7} {self._component}"]
        words.append(f"{record.name}: {_printable(record.getMessage())}")
        words += [f"{key}={_printable(value)}" for key, value in _context.get({}).items()]
        line = " ".join(words)
        return line + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


class WhileRead(logging.Handler):
    """Writes lines to a descriptor for as long as somebody reads them.

    A runtime that is stuck leaves the pipe full, and a process that waited for it would be
    stuck as well: lines are lost instead, and the next one that is read says how many.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor, self._lost, self._is_cut = descriptor, 0, False
        self._room = select.poll()
        self._room.register(descriptor, select.POLLOUT)
        with suppress(OSError):  # no pipe
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, or count it as lost."""
        if self._lost:
            words = "%d lines before this one are lost: nobody read them"
            told = logging.LogRecord(__name__, logging.WARNING, "", 0, words, (self._lost,), None)
            self._lost = 0 if self._is_written(told) else self._lost
        if self._lost or not self._is_written(record):
            self._lost += 1

    def _is_written(self, record: logging.LogRecord) -> bool:
        text = ("\n" if self._is_cut else "") + self.format(record) + "\n"
        line = text.encode("utf-8", "backslashreplace")
        with suppress(OSError):  # nobody is there any more
            for start in range(0, len(line), select.PIPE_BUF):  # so much fits if POLLOUT is said
                if not self._room.poll(0):
                    self._is_cut = self._is_cut or start > 0
                    return False
                os.write(self._descriptor, line[start : start + select.PIPE_BUF])
        self._is_cut = False
        return True


def add_options(parser: argparse.ArgumentParser) -> None:
    """``--log-format`` and ``--log-level``."""
    parser.add_argument(
        "--log-format",
        type=LogFormat,
        choices=list(LogFormat),
        help="default: text on a terminal, else json",
    )
    parser.add_argument(
        "--log-level", choices=list(LEVELS), default="info", help="(default: %(default)s)"
    )


def to_stderr(component: str, form: LogFormat | None = None, level: str = "info") -> None:
    """Send this process' log lines to stderr; ``level`` is one of :data:`LEVELS`."""
    chosen = form or (LogFormat.TEXT if sys.stderr.isatty() else LogFormat.JSON)
    formatter = {LogFormat.JSON: JsonFormatter, LogFormat.TEXT: TextFormatter}[chosen]
    handler = WhileRead(sys.stderr.fileno())
    handler.setFormatter(formatter(component))
    logging.basicConfig(level=LEVELS[level], handlers=[handler], force=True)
