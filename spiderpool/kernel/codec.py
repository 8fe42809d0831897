"""Frozen dataclasses <-> JSON between two processes: nothing is guessed, nothing left out.

A dataclass is an object with its attributes as keys; a member of a union is the pair of its
class' name and that object. Reading is strict: types, ranges and the forms of addresses, MACs
and names of links are checked, and what nobody asked for is refused.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import re
import socket
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from spiderpool.netlink.bonding import OPTIONS, BondSetting
from spiderpool.types.address import Address, Family, InterfaceAddress, Prefix, family_of
from spiderpool.types.names import IfName

Reader = Callable[[Any], Any]
"""JSON value -> Python value; raises Malformed."""

LONGEST_TEXT = 4096
_WORD = (0, (1 << 32) - 1)
_RANGES = {
    "action": (0, 255),
    "cookie": (0, (1 << 64) - 1),
    "protocol": (0, 255),
    "vlan": (0, 4095),
    "weight": (1, 256),
}
"""Of whole numbers, by the attribute's name; all others are a word."""
_LINK_NAME = re.compile(r"[^/:\s\0]{1,15}")
_MAC = re.compile(r"([0-9a-f]{2}(:[0-9a-f]{2}){0,31})?")
"""Links of some kinds have addresses of other lengths, or none."""


class Malformed(ValueError):
    """A value is not what its type says."""

    def __init__(self, problem: str, place: str = "") -> None:
        self.problem, self.place = problem, place
        super().__init__(f"{place}: {problem}" if place else problem)

    def inside(self, place: object) -> Malformed:
        """The same, seen from outside."""
        return Malformed(self.problem, f"{place}.{self.place}" if self.place else str(place))


def encode(value: object) -> bytes:
    """JSON of dataclasses, enums, mappings and tuples, as :func:`decode` reads it."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # Names of links are bytes to the kernel; what is no UTF-8 in them are surrogates here.
        return json.dumps(value, default=dataclasses.asdict).encode()


def decode(annotation: Any, data: bytes) -> Any:
    """The value of that type.

    Raises:
        Malformed: it is no JSON, or not of that type.
    """
    try:
        value = orjson.loads(data)
    except ValueError:
        try:
            value = json.loads(data)
        except ValueError as error:
            raise Malformed(f"no JSON: {error}") from None
    return reader_of(annotation)(value)


def tagged(member: object) -> tuple[str, object]:
    """A member of a union, as it is written."""
    return type(member).__name__, member


@functools.cache
def reader_of(annotation: Any, name: str = "") -> Reader:
    """The function that reads one type; ``name`` is the attribute's, which narrows some."""
    if annotation in _FORMS:
        return _FORMS[annotation]
    if name == "mac" and annotation is str:
        return _mac
    if isinstance(annotation, typing.NewType):
        return reader_of(annotation.__supertype__, name)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        return _union(arguments, name)
    if origin is tuple:
        items = [reader_of(one) for one in arguments if one is not Ellipsis]
        return _sequence(items[0]) if Ellipsis in arguments else _pair(items)
    if origin is Mapping:
        return _mapping(*(reader_of(one) for one in arguments))
    if dataclasses.is_dataclass(annotation):
        return _record(typing.cast(type, annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _member(annotation)
    return _scalar(annotation, name)


def _union(members: tuple[Any, ...], name: str) -> Reader:
    kinds = [one for one in members if one is not types.NoneType]
    if types.NoneType in members:
        (kind,) = kinds
        inner = reader_of(kind, name)
        return lambda value: None if value is None else inner(value)
    readers = {kind.__name__: reader_of(kind) for kind in kinds}

    def read(value: Any) -> Any:
        if type(value) is not list or len(value) != 2 or value[0] not in readers:
            raise Malformed(f"{value!r:.80} is none of {', '.join(readers)}")
        try:
            return readers[value[0]](value[1])
        except Malformed as error:
            raise error.inside(value[0]) from None

    return read


def _record(cls: type) -> Reader:
    hints = typing.get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls)]
    readers = [reader_of(hints[name], name) for name in names]

    def read(value: Any) -> Any:
        if type(value) is not dict or [*value] != names:
            raise Malformed(f"{value!r:.80} is no {cls.__name__}")
        try:
            items = zip(readers, value.values(), strict=True)
            return cls(*[reader(item) for reader, item in items])
        except Malformed as error:
            raise error.inside(_at_fault(value, readers)) from None

    return read


def _at_fault(value: Mapping[str, Any], readers: list[Reader]) -> str:
    """The first key whose value cannot be read."""
    for (key, item), reader in zip(value.items(), readers, strict=True):
        try:
            reader(item)
        except Malformed:
            return key
    raise AssertionError("all can be read")


def _sequence(item: Reader) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not list:
            raise Malformed(f"{value!r:.80} is no list")
        found: list[Any] = []
        try:
            for one in value:
                found.append(item(one))
        except Malformed as error:
            raise error.inside(len(found)) from None
        return tuple(found)

    return read


def _pair(items: list[Reader]) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not list or len(value) != len(items):
            raise Malformed(f"{value!r:.80} is no list of {len(items)}")
        return tuple(item(one) for item, one in zip(items, value, strict=True))

    return read


def _mapping(key: Reader, item: Reader) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise Malformed(f"{value!r:.80} is no map")
        return {key(name): item(one) for name, one in value.items()}

    return read


def _member(cls: type[enum.Enum]) -> Reader:
    known = {member.value: member for member in cls}

    def read(value: Any) -> Any:
        if type(value) not in (int, str) or value not in known:
            raise Malformed(f"{value!r:.80} is no {cls.__name__}")
        return known[value]

    return read


def _scalar(cls: type, name: str) -> Reader:
    if cls is int:
        return _number(*_RANGES.get(name, _WORD))
    if cls is str:
        return _text
    if cls is bool:
        return _truth
    raise TypeError(f"the codec cannot read {cls}")


def _number(least: int, most: int) -> Reader:
    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise Malformed(f"{value!r:.80} is no number from {least} to {most}")
        return value

    return read


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > LONGEST_TEXT:
        raise Malformed(f"{value!r:.80} is no text of up to {LONGEST_TEXT} characters")
    return value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise Malformed(f"{value!r:.80} is neither true nor false")
    return value


def _link_name(value: Any) -> str:
    if type(value) is not str or not _is_link_name(value):
        raise Malformed(f"{value!r:.80} is no name of a link")
    return value


@functools.lru_cache(8192)
def _is_link_name(text: str) -> bool:
    """As the kernel sees it (``dev_valid_name``): at most 15 bytes."""
    fits = len(text.encode(errors="surrogateescape")) <= 15
    return fits and text not in (".", "..") and bool(_LINK_NAME.fullmatch(text))


def _mac(value: Any) -> str:
    if type(value) is not str or not _MAC.fullmatch(value):
        raise Malformed(f"{value!r:.80} is no MAC address")
    return value


def _address(value: Any) -> str:
    if type(value) is not str or not _is_address(value):
        raise Malformed(f"{value!r:.80} is no IP address in canonical form")
    return value


@functools.lru_cache(8192)
def _is_address(text: str) -> bool:
    family = family_of(text)
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, text)) == text
    except (OSError, ValueError):
        return False


def _with_length(value: Any) -> str:
    if type(value) is not str or not _has_length(value):
        raise Malformed(f"{value!r:.80} is no IP address with a prefix length")
    return value


@functools.lru_cache(8192)
def _has_length(text: str) -> bool:
    address, _, length = text.partition("/")
    most = (Family.V6 if ":" in address else Family.V4).bits
    return _is_address(address) and length in _LENGTHS and int(length) <= most


_LENGTHS = frozenset(map(str, range(129)))


def _bond_value(value: Any) -> Any:
    if type(value) is list:
        return tuple(_address(one) for one in value)
    return _text(value) if type(value) is str else _number(*_WORD)(value)


def _bond_option(value: Any) -> str:
    if type(value) is not str or value not in OPTIONS:
        raise Malformed(f"{value!r:.80} is no option of a bond")
    return value


_FORMS: Mapping[Any, Reader] = {
    Address: _address,
    InterfaceAddress: _with_length,
    Prefix: _with_length,
    IfName: _link_name,
    BondSetting: _pair([_bond_option, _bond_value]),
}
