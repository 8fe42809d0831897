"""API objects as JSON has them <-> frozen dataclasses.

A dataclass describes its own JSON: attribute ``pod_cidr_type`` is key ``podCIDRType``, the
annotation gives the type, and ``Annotated[..., Schema(...)]`` adds what the CRD says beyond
that (:mod:`spiderpool.types.crd`). Reading is lenient where the API server is: unknown keys
are left out, ``null`` and, for optional text, ``""`` mean absent. It is strict in types, and
an error names object and field: ``SpiderIPPool 10-6-v4: spec.ips[2]: 5 is not text``.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from spiderpool.errors import BadInput
from spiderpool.types.address import (
    Address,
    InterfaceAddress,
    Prefix,
    parse_address,
    parse_interface_address,
    parse_prefix,
)

T = TypeVar("T")
Decoder = Callable[[Any, str], Any]
"""(JSON value, where it stands) -> Python value; raises BadInput."""

ACRONYMS = {
    "cidr": "CIDR",
    "cni": "CNI",
    "id": "ID",
    "ip": "IP",
    "ipam": "IPAM",
    "ips": "IPs",
    "mac": "MAC",
    "mtu": "MTU",
    "nic": "NIC",
    "rp": "RP",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a field's annotation cannot say; every member has its meaning in OpenAPI v3.

    ``name`` is the JSON key where camelCase of the attribute is not it. ``rules`` are CEL
    validations (``x-kubernetes-validations``) of the field.
    """

    doc: str = ""
    name: str = ""
    minimum: int | None = None
    maximum: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    item_max_length: int | None = None
    pattern: str = ""
    enum: tuple[str | int, ...] = ()
    format: str = ""
    rules: tuple[Rule, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """A CEL rule: ``self`` is the value it stands at; ``message`` says what is wrong.

    ``field`` is the member that the API server names, where it is not the value itself;
    ``words`` is CEL text that says the same as ``message`` with the values in it.
    """

    rule: str
    message: str
    field: str = ""
    words: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Attribute:
    """One field of a dataclass, as the codec and the CRD generator see it."""

    name: str
    key: str
    annotation: Any
    schema: Schema
    required: bool
    default: Any


def key_of(attribute: str) -> str:
    """``pod_cidr_type`` -> ``podCIDRType``."""
    head, *tail = attribute.split("_")
    return head + "".join(ACRONYMS.get(word, word.capitalize()) for word in tail)


@functools.cache
def attributes(cls: type) -> tuple[Attribute, ...]:
    """The fields of a dataclass with their JSON keys, types and schemas, in written order."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return tuple(_attribute(field, hints[field.name]) for field in dataclasses.fields(cls))


def _attribute(field: dataclasses.Field[Any], hint: Any) -> Attribute:
    annotation, schema = split_annotated(hint)
    factory = field.default_factory
    required = field.default is dataclasses.MISSING and factory is dataclasses.MISSING
    default = None if required else field.default
    if not required and factory is not dataclasses.MISSING:
        default = factory()
    key = schema.name or key_of(field.name)
    return Attribute(field.name, key, annotation, schema, required, default)


def split_annotated(hint: Any) -> tuple[Any, Schema]:
    """``Annotated[X, Schema] | None`` -> (``X | None``, Schema); without one, an empty Schema.

    Of nested ones the outer wins, member by member.
    """
    if typing.get_origin(hint) is typing.Annotated:
        inner, *extras = typing.get_args(hint)
        return inner, functools.reduce(_merged, (e for e in extras if isinstance(e, Schema)))
    inner = without_none(hint)
    if inner is not None:
        annotation, schema = split_annotated(inner)
        return annotation | None, schema
    return hint, Schema()


def _merged(inner: Schema, outer: Schema) -> Schema:
    """A named type's schema with what a field adds to it."""
    said = {f.name: getattr(outer, f.name) for f in dataclasses.fields(Schema)}
    added = {name: value for name, value in said.items() if value not in (None, "", ())}
    return dataclasses.replace(inner, **added)


def without_none(hint: Any) -> Any | None:
    """``X`` when ``hint`` is ``X | None``, else None."""
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        return None
    members = [arg for arg in typing.get_args(hint) if arg is not types.NoneType]
    if len(members) != 1:
        raise TypeError(f"{hint}: the codec reads no union but with None")
    return members[0]


def decode(cls: type[T], data: object, where: str) -> T:
    """A ``cls`` from JSON data. ``where`` stands before each path in an error.

    Raises:
        BadInput: a required field is missing, or a value has the wrong type.
    """
    return typing.cast(T, decoder_of(typing.cast(Any, cls))(data, where))


@functools.cache
def decoder_of(annotation: Any) -> Decoder:
    """The function that reads one annotation; built once, so that reading stays cheap."""
    if (inner := without_none(annotation)) is not None:
        return _optional(decoder_of(split_annotated(inner)[0]))
    if annotation in _PARSED:
        return _parsed(_PARSED[annotation])
    if isinstance(annotation, typing.NewType):
        return decoder_of(annotation.__supertype__)
    origin = typing.get_origin(annotation)
    if origin is tuple:
        return _sequence(decoder_of(split_annotated(typing.get_args(annotation)[0])[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(decoder_of(typing.get_args(annotation)[1]))
    if annotation is Any:
        return lambda value, where: value
    if dataclasses.is_dataclass(annotation):
        return _record(typing.cast(type, annotation))
    if issubclass(annotation, enum.Enum):
        return _member(annotation)
    return _scalar(annotation)


_PARSED: dict[Any, Callable[[str, str], str]] = {
    Address: parse_address,
    Prefix: parse_prefix,
    InterfaceAddress: parse_interface_address,
}


_WORDS = {str: "text", int: "a whole number", bool: "true or false", float: "a number"}


def _scalar(cls: type) -> Decoder:
    if cls not in _WORDS:
        raise TypeError(f"the codec cannot read {cls}")

    def read(value: Any, where: str) -> Any:
        if type(value) is not cls and not (cls is float and type(value) is int):
            raise BadInput(where, f"{value!r} is not {_WORDS[cls]}")
        return value

    return read


def _parsed(parse: Callable[[str, str], str]) -> Decoder:
    text = _scalar(str)
    return lambda value, where: parse(text(value, where), where)


def _member(cls: type[enum.Enum]) -> Decoder:
    def read(value: Any, where: str) -> Any:
        try:
            return cls(value)
        except ValueError:
            words = ", ".join(str(member.value) for member in cls)
            raise BadInput(where, f"{value!r} is not known", f"use one of: {words}") from None

    return read


def _optional(inner: Decoder) -> Decoder:
    return lambda value, where: None if value is None or value == "" else inner(value, where)


def _sequence(inner: Decoder) -> Decoder:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, list | tuple):
            raise BadInput(where, f"{value!r} is not a list")
        return tuple(inner(item, f"{where}[{index}]") for index, item in enumerate(value))

    return read


def _mapping(inner: Decoder) -> Decoder:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, Mapping):
            raise BadInput(where, f"{value!r} is not a map")
        return {key: inner(item, f"{where}[{key!r}]") for key, item in value.items()}

    return read


def _record(cls: type) -> Decoder:
    members = [(a, decoder_of(a.annotation)) for a in attributes(cls)]

    def read(value: Any, where: str) -> Any:
        if not isinstance(value, Mapping):
            raise BadInput(where, f"{value!r} is not an object")
        found: dict[str, Any] = {}
        for attribute, member in members:
            item = value.get(attribute.key)
            if item is not None:
                found[attribute.name] = member(item, join(where, attribute.key))
            elif attribute.required:
                raise BadInput(join(where, attribute.key), "is required")
        return cls(**found)

    return read


def join(where: str, key: str) -> str:
    """``SpiderIPPool a`` + ``spec`` -> ``SpiderIPPool a: spec``; then dots."""
    if not where:
        return key
    return f"{where}.{key}" if ": " in where else f"{where}: {key}"


def encode(value: Any) -> Any:
    """JSON data of a dataclass (or part of one); absent (None) members are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((a.key, getattr(value, a.name)) for a in attributes(type(value)))
        return {key: encode(item) for key, item in pairs if item is not None}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    return value
