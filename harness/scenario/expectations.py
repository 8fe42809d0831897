"""What a scenario may expect, one class a word. They say what; ``harness.expect`` judges."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.scenario.document import Where
from harness.scenario.reference import Place, Reference


class Protocol(enum.StrEnum):
    """How a probe travels. The word in a scenario for ICMP echo is ``ping``."""

    ICMP = "ping"
    UDP = "udp"
    TCP = "tcp"


class Outcome(enum.StrEnum):
    """How a probe ended. A closed set."""

    REPLIED = "replied"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    PROHIBITED = "prohibited"
    NO_ROUTE = "no-route"


class Table(enum.Enum):
    """Which printed table of a namespace an expectation reads."""

    RULES = "ip rule"
    ROUTES = "ip route"
    NEIGHBOURS = "ip neigh"


@dataclass(frozen=True, slots=True)
class _Common:
    """``id`` is unique in its file; ``bound`` is what ``it`` stands for in its texts."""

    id: str
    where: Where
    bound: str | None


@dataclass(frozen=True, slots=True)
class ObjectHas(_Common):
    """An API object contains ``has``: mappings as subsets, lists element by element.

    Where a mapping or list is expected and the object has a text, the text is read as JSON
    (NAD configurations, network-status annotations). ``has`` None: the object is absent.
    """

    object: str
    namespace: str
    has: Any
    within: float


@dataclass(frozen=True, slots=True)
class EventSays(_Common):
    """An Event about an object has this reason, and each of ``words`` in its message."""

    object: str
    namespace: str
    reason: str
    words: tuple[str, ...]
    within: float


@dataclass(frozen=True, slots=True)
class Refused(_Common):
    """``kubectl apply`` of a file is refused, with each of ``words`` in what it says."""

    file: Path
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableHas(_Common):
    """What ``kubectl get`` prints has these columns, and a row with each of these cells."""

    arguments: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    count: int | None
    within: float


@dataclass(frozen=True, slots=True)
class Invariants(_Common):
    """Every rule of :mod:`spiderpool.ipam.invariants` holds in the cluster."""

    within: float


@dataclass(frozen=True, slots=True)
class NetworkHas(_Common):
    """Rules, routes or neighbours of a place include ``lines`` and none of ``without``.

    ``number`` is the routing table's, ``family`` 4 or 6. Lines are written as ``ip`` prints
    them, with ``*`` for any one word; a line without ``proto`` says nothing about the protocol.
    ``only``: no other lines.
    """

    place: Place
    table: Table
    number: int
    family: int
    lines: tuple[str, ...]
    without: tuple[str, ...]
    only: bool
    within: float = 0.0


@dataclass(frozen=True, slots=True)
class NicsHave(_Common):
    """A place has these NICs with these attributes."""

    place: Place
    nics: Mapping[str, Mapping[str, Any]]
    within: float = 0.0


@dataclass(frozen=True, slots=True)
class Checked(_Common):
    """CNI CHECK of the chain that made a pod's NIC finds nothing amiss, or, where there are
    ``words``, fails with each of them in what it says."""

    nic: Reference
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """One question asked on the wire.

    ``sender.nic`` binds the source address to that NIC's, ``device`` the socket to a NIC.
    ``target`` is a place's NIC, a service's name, or an address.
    """

    protocol: Protocol
    sender: Reference
    target: Reference | str
    port: int | None
    device: str | None
    family: int

    def __str__(self) -> str:
        port = f" port {self.port}" if self.port else ""
        return f"{self.protocol} {self.sender} -> {self.target}{port}"


@dataclass(frozen=True, slots=True)
class Reaches(_Common):
    """The probe is answered, and the answer comes back by the way of the request.

    ``path`` lists every NIC crossed by the request, without the two ends of wires that only
    carry (the node's end of a pod's veth, ports of a switch); ``leaves`` and ``arrives`` are
    its first and last NIC. ``source`` is the address that the target sees. ``vlan`` is what all
    frames between machines are tagged with, in both directions; None: they are not tagged.
    """

    probe: Probe
    path: tuple[Reference, ...]
    leaves: Reference | None
    arrives: tuple[Reference, ...]
    source: Reference | None
    vlan: int | None = None


@dataclass(frozen=True, slots=True)
class Blocked(_Common):
    """The probe ends in one of ``outcomes``, while the control, asked right after, is answered.

    ``leaves`` is the NIC by which the request sets out all the same.
    """

    probe: Probe
    outcomes: tuple[Outcome, ...]
    control: str
    leaves: Reference | None = None


Expectation = (
    ObjectHas
    | EventSays
    | Refused
    | TableHas
    | Invariants
    | NetworkHas
    | NicsHave
    | Checked
    | Reaches
    | Blocked
)
