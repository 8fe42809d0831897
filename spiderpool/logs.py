"""Log lines on stderr, with the request that they belong to: JSON for machines, text for people.

Whatever the format, a line has time, level, component, logger and message, and, where it is
about a CNI call, ``pod``, ``namespace``, ``container`` (the sandbox's id) and ``ifname``.
"""

from __future__ import annotations

import argparse
import contextvars
import enum
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import orjson

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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(component))
    logging.basicConfig(level=LEVELS[level], handlers=[handler], force=True)
