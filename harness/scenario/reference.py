"""How a scenario points at things: ``web``, ``web.net1``, ``web.node.ens192``, ``{web.net1}``.

A *place* is a namespace of the emulated network: a pod by the scenario's own name for it,
the node that it runs on (``web.node``), or a node, router or host by the topology's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from spiderpool.errors import BadInput

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_NIC = r"[A-Za-z0-9][A-Za-z0-9_@-]{0,14}(?:\.[0-9]{1,4})?"
"""With the number of a VLAN at the end, as in ``ens192.100``."""

_REFERENCE = re.compile(rf"({_NAME})(\.node)?(?:\.({_NIC}))?(?:\.({_NIC}))?\Z")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

IT = "it"
"""The name that stands for each name of an expectation's ``each`` in turn."""


@dataclass(frozen=True, slots=True)
class Place:
    """``name``, or the node that the pod called ``name`` runs on."""

    name: str
    node: bool = False

    def __str__(self) -> str:
        return f"{self.name}.node" if self.node else self.name


@dataclass(frozen=True, slots=True)
class Reference:
    """A place, perhaps one NIC of it, perhaps one property of that NIC."""

    place: Place
    nic: str | None = None
    property: str | None = None

    def __str__(self) -> str:
        return ".".join(filter(None, (str(self.place), self.nic, self.property)))


PROPERTIES = ("mac", "v6")


def parse_reference(text: str, where: str, bound: str | None = None) -> Reference:
    """``web.net1`` as a Reference; ``bound`` is what ``it`` stands for.

    Raises:
        BadInput: the text is none, or says ``it`` outside of ``each``.
    """
    match = _REFERENCE.match(text)
    if not match:
        raise BadInput(
            where, f"{text!r} names no place", "write it like web, web.net1 or node.eth0"
        )
    name, node, nic, prop = match.groups()
    if name == IT and bound is None:
        raise BadInput(where, f"{text!r} stands for nothing here", "add `each: [name, ...]`")
    if prop is not None and prop not in PROPERTIES:
        raise BadInput(where, f"{text!r} asks for {prop!r}", f"use one of {', '.join(PROPERTIES)}")
    place = Place(bound if name == IT and bound else name, node is not None)
    return Reference(place, nic, prop)


def parse_nic(text: str, where: str, bound: str | None = None) -> Reference:
    """A reference that names a NIC, as paths consist of. Raises BadInput otherwise."""
    reference = parse_reference(text, where, bound)
    if reference.nic is None or reference.property is not None:
        raise BadInput(where, f"{text!r} names no NIC", f"write it like {reference.place}.eth0")
    return reference


def placeholders(text: str, where: str, bound: str | None = None) -> tuple[Reference, ...]:
    """What the ``{...}`` of a text point at, in order. Raises BadInput for a bad one."""
    return tuple(parse_reference(inner, where, bound) for inner in _PLACEHOLDER.findall(text))


def fill(text: str, bound: str | None, value_of: Callable[[Reference], str]) -> str:
    """``text`` with each placeholder replaced by its value."""

    def value(match: re.Match[str]) -> str:
        return value_of(parse_reference(match[1], match[0], bound))

    return _PLACEHOLDER.sub(value, text)
