"""YAML with places: every value knows its file and line, so every error can name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from spiderpool.errors import BadInput

MAX_BYTES = 1 << 20

_NULL = "tag:yaml.org,2002:null"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file that a user wrote."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases: they can blow a small file up to any size."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "aliases are not allowed here", event.start_mark
            )
        return super().compose_node(parent, index)


@dataclass(frozen=True, slots=True)
class Item:
    """One value of a YAML file, and where it stands.

    The accessors return the value in the type asked for and raise BadInput, naming file and
    line, when the user wrote something else.
    """

    node: yaml.Node
    where: Where
    name: str

    def fail(self, problem: str, remedy: str = "") -> BadInput:
        """The error to raise about this value."""
        return BadInput(str(self.where), problem, remedy)

    def text(self) -> str:
        """A scalar as written, never empty."""
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value:
            raise self.fail(f"{self.name} must be a text", "write a plain or quoted word")
        if "\0" in self.node.value:
            raise self.fail(f"{self.name} holds a NUL", "no name and no command has one")
        return str(self.node.value)

    def integer(self) -> int:
        value = self.plain()
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fail(f"{self.name} must be a whole number, not {value!r}")
        return value

    def seconds(self) -> float:
        value = self.plain()
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 600:
            raise self.fail(f"{self.name} must be seconds between 0 and 600, not {value!r}")
        return float(value)

    def boolean(self) -> bool:
        value = self.plain()
        if not isinstance(value, bool):
            raise self.fail(f"{self.name} must be true or false, not {value!r}")
        return value

    def one_of(self, *choices: str) -> str:
        """One word of a closed set."""
        word = self.text()
        if word not in choices:
            raise self.fail(f"{self.name} is {word!r}", f"use {listed(choices)}")
        return word

    def many(self, read: Callable[[Item], T]) -> tuple[T, ...]:
        """A list, or one value standing for a list of one."""
        return tuple(read(item) for item in self.items())

    def items(self) -> list[Item]:
        if isinstance(self.node, yaml.SequenceNode):
            return [self._child(node, self.name) for node in self.node.value]
        return [self]

    def mapping(self, *known: str) -> dict[str, Item]:
        """A mapping in the order written; with ``known`` given, other keys are refused."""
        entries = dict(self._entries())
        for key, item in entries.items():
            if known and key not in known:
                raise item.fail(f"{key!r} is not known in {self.name}", f"use {listed(known)}")
        return entries

    def plain(self) -> Any:
        """The value as Python has it: dict, list, str, int, float, bool or None."""
        if isinstance(self.node, yaml.MappingNode):
            return {key: item.plain() for key, item in self._entries()}
        if isinstance(self.node, yaml.SequenceNode):
            return [item.plain() for item in self.items()]
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(self.node, deep=True)
        except (yaml.YAMLError, ValueError) as error:
            raise self.fail(f"{self.name} cannot be read: {error}") from None
        finally:
            loader.dispose()

    def _entries(self) -> Iterator[tuple[str, Item]]:
        if not isinstance(self.node, yaml.MappingNode):
            raise self.fail(f"{self.name} must be a mapping", "write it as `key: value` lines")
        seen: set[str] = set()
        for key_node, value in self.node.value:
            key = str(key_node.value)
            item = Item(value, Where(self.where.file, key_node.start_mark.line + 1), key)
            if key in seen:
                raise item.fail(f"{key!r} is given twice in {self.name}", "keep one of them")
            seen.add(key)
            yield key, item

    def _child(self, node: yaml.Node, name: str) -> Item:
        return Item(node, Where(self.where.file, node.start_mark.line + 1), name)


def read(path: Path) -> Item:
    """The only document of a YAML file.

    Raises:
        BadInput: the file cannot be read, is too large, or is not YAML.
    """
    documents = read_all(path)
    if len(documents) != 1:
        raise BadInput(f"{path}:1", "is empty" if not documents else "has several documents")
    return documents[0]


def read_all(path: Path) -> list[Item]:
    """The documents of a YAML file, without empty ones.

    Raises:
        BadInput: as :func:`read` does.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadInput(str(path), f"cannot be read: {error.strerror}") from None
    if len(text) > MAX_BYTES:
        raise BadInput(str(path), f"has {len(text)} bytes", f"keep it under {MAX_BYTES}")
    try:
        nodes = list(yaml.compose_all(text, Loader=_PlainLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(f"{path}:{line}", f"is not YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        raise BadInput(f"{path}:{_line_of(error, text)}", f"is not YAML: {error.reason}") from None
    except RecursionError:
        raise BadInput(f"{path}:1", "is nested too deeply", "write it flatter") from None
    full = (node for node in nodes if node is not None and node.tag != _NULL)
    return [Item(node, Where(str(path), node.start_mark.line + 1), path.name) for node in full]


def _line_of(error: yaml.reader.ReaderError, text: bytes) -> int:
    """What is no character has a position only."""
    return text[: error.position].count(b"\n") + 1


def required(entries: Mapping[str, Item], key: str, owner: Item) -> Item:
    """The entry of that key. Raises BadInput when it is missing."""
    if key not in entries:
        raise owner.fail(f"{owner.name} has no {key!r}", f"add `{key}: ...`")
    return entries[key]


def listed(words: Sequence[str]) -> str:
    """``a, b or c``; there is at least one."""
    return ", ".join(words[:-1]) + f" or {words[-1]}" if len(words) > 1 else words[0]
