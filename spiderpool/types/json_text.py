"""JSON that users wrote: inside an API object, or as a CNI configuration. It is read as every
other reader will read it, or refused."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import orjson

from spiderpool.errors import BadInput

DEEPEST = 32
"""Objects and lists inside each other; what later writes and reads them has limits, too."""


def read_json(text: str | bytes, where: str, remedy: str) -> Any:
    """The value. Raises BadInput naming ``where``, with ``remedy`` as the way out.

    NaN, numbers beyond a double and half a surrogate pair are no JSON (RFC 8259), though
    Python's own reader takes them: the plugins that get the text would refuse it.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        place = f"line {exc.lineno} column {exc.colno}"
        raise BadInput(where, f"not JSON at {place}: {exc.msg}", remedy) from None
    plain = text if isinstance(text, str) else text.decode()
    if plain.count("{") + plain.count("[") > DEEPEST and depth_of(value) > DEEPEST:
        raise BadInput(where, f"is nested more than {DEEPEST} deep", remedy)
    if twice := key_given_twice(plain):
        raise BadInput(where, f"key {twice!r} appears twice in one object", "remove one")
    return value


def key_given_twice(text: str) -> str:
    """The first key that an object has twice, of which readers take either; empty: none."""
    try:
        _EACH_ONCE.decode(text)
    except _GivenTwiceError as error:
        return error.key
    return ""


class _GivenTwiceError(Exception):
    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)


def _refuse_twice(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        (key, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise _GivenTwiceError(key)


_EACH_ONCE = json.JSONDecoder(object_pairs_hook=_refuse_twice)


def depth_of(value: Any) -> int:
    """How many objects and lists stand inside each other; 0 for anything else."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [
            inner for item in level for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def is_plugin_type(value: Any) -> bool:
    """Whether libcni would look for an executable of this name (invoke.FindInPath)."""
    return isinstance(value, str) and bool(value) and "/" not in value and "\0" not in value
