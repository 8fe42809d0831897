"""Log lines as JSON objects on stderr, each with the request that it belongs to."""

from __future__ import annotations

import contextvars
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import orjson

_context: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("log_fields")


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
    """One object a line: time (UTC, RFC 3339), level, logger, message, the context's fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _utc(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_context.get({}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def to_stderr(level: int = logging.INFO) -> None:
    """Send this process' log lines to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
