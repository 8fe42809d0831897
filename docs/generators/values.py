"""The chart's values, from its schema and its defaults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from docs.generators.markdown import code, plain, table
from spiderpool.types.coordinator import CoordinatorSpec
from spiderpool.types.openapi import object_schema

CHART = Path(__file__).parents[2] / "deploy/chart/spiderpool"
Schema = dict[str, Any]


def values() -> str:
    """One table a top-level value."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    comments = _comments((CHART / "values.yaml").read_text())
    parts = []
    for name, section in schema["properties"].items():
        rows = [
            (
                code(path),
                _type(member),
                _default(path, member, defaults),
                _meaning(path, member, comments),
            )
            for path, member in _leaves(section, name, schema["definitions"])
        ]
        parts += [
            f"## {name}",
            comments.get(name, ""),
            table(("Value", "Type", "Default", "Meaning"), rows),
        ]
    return "\n\n".join(part for part in parts if part)


def _leaves(schema: Schema, path: str, known: Schema) -> Iterator[tuple[str, Schema]]:
    """Values that are no mere groups of others."""
    schema = _resolved(schema, known)
    if not schema.get("properties") or path.endswith(".resources"):
        yield path, schema
        return
    for name, member in schema["properties"].items():
        yield from _leaves(member, f"{path}.{name}", known)


def _resolved(schema: Schema, known: Schema) -> Schema:
    reference = schema.get("$ref")
    return known[reference.rpartition("/")[2]] if reference else schema


def _type(schema: Schema) -> str:
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    if "enum" in schema:
        return " or ".join(code(str(word)) for word in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    return str(schema.get("type", "any"))


def _default(path: str, schema: Schema, defaults: Any) -> str:
    value = defaults
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return ""
        value = value[name]
    return code(json.dumps(value))


def _meaning(path: str, schema: Schema, comments: dict[str, str]) -> str:
    return (
        plain(schema.get("description", ""))
        or comments.get(path, "")
        or plain(_of_the_coordinator().get(path, ""))
    )


def _of_the_coordinator() -> dict[str, str]:
    """What the kind says of its fields; values of ``coordinator`` bear the same names."""
    fields = object_schema(CoordinatorSpec)["properties"]
    return {f"coordinator.{name}": field.get("description", "") for name, field in fields.items()}


def _comments(text: str) -> dict[str, str]:
    """The comments of values.yaml, each by the path of the value that it stands above."""
    found: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    waiting: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if not bare:
            waiting = []
        elif bare.startswith("#"):
            waiting.append(bare.lstrip("# "))
        else:
            name, colon, _ = bare.partition(":")
            if not colon or bare.startswith("-"):
                continue
            depth = len(line) - len(line.lstrip())
            path = [(d, n) for d, n in path if d < depth] + [(depth, name)]
            if waiting:
                found[".".join(n for _, n in path)] = plain(" ".join(waiting))
            waiting = []
    return found
