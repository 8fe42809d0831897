"""What the agent asks the kernel role, and what it is told.

The namespaces of a connection are numbered as they come: the first request about one brings
its descriptor, ahead of those that the request itself needs. Each request but Announce has one
answer, and the next comes after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from spiderpool.kernel.codec import Malformed, decode, encode, tagged
from spiderpool.netlink.objects import NetState
from spiderpool.netlink.operations import CreateLink, Operation
from spiderpool.netlink.selection import Selection
from spiderpool.types.address import Address
from spiderpool.types.names import IfName


@dataclass(frozen=True, slots=True)
class Dump:
    """Answered by :class:`State`."""

    selection: Selection


@dataclass(frozen=True, slots=True)
class Execute:
    """Answered by :class:`Outcomes`; descriptors in the plan are places among those sent along."""

    plan: tuple[Operation, ...]
    until_refused: bool


@dataclass(frozen=True, slots=True)
class AskCookie:
    """Answered by :class:`Cookie`."""


@dataclass(frozen=True, slots=True)
class FindRivals:
    """Who else has the addresses; answered by :class:`Rivals`."""

    nic: IfName
    mac: str
    siblings: tuple[str, ...]
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class FindSilent:
    """Gateways, each with the address to ask from; answered by :class:`Silent`."""

    nic: IfName
    mac: str
    gateways: Mapping[Address, Address]


@dataclass(frozen=True, slots=True)
class Announce:
    """Not answered: nobody would wait for it."""

    nic: IfName
    mac: str
    addresses: tuple[Address, ...]


Question = Dump | Execute | AskCookie | FindRivals | FindSilent
Request = Question | Announce


@dataclass(frozen=True, slots=True)
class Asked:
    """A request about the namespace of that number."""

    inside: int
    request: Request


@dataclass(frozen=True, slots=True)
class State:
    """What a namespace holds, and its cookie."""

    state: NetState
    cookie: int


@dataclass(frozen=True, slots=True)
class Outcomes:
    """An errno and the kernel's words for each operation that was tried."""

    answers: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Cookie:
    cookie: int


@dataclass(frozen=True, slots=True)
class Rivals:
    """The MAC of who has an address."""

    rivals: Mapping[Address, str]


@dataclass(frozen=True, slots=True)
class Silent:
    gateways: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The kernel refused a dump: :class:`spiderpool.errors.OperationFailed`."""

    operation: str
    errno: int
    detail: str


@dataclass(frozen=True, slots=True)
class Gone:
    """:class:`spiderpool.errors.NamespaceGone`."""

    message: str


@dataclass(frozen=True, slots=True)
class CannotSend:
    """A NIC cannot be probed: OSError."""

    errno: int


@dataclass(frozen=True, slots=True)
class Fault:
    """The request makes no sense to the kernel role, or met a fault of it."""

    message: str


Answer = State | Outcomes | Cookie | Rivals | Silent | Refused | Gone | CannotSend | Fault


def encode_asked(asked: Asked) -> bytes:
    request: object = asked.request
    if isinstance(request, Execute):
        plan = [tagged(operation) for operation in request.plan]
        request = Execute.__name__, {"plan": plan, "until_refused": request.until_refused}
    else:
        request = tagged(request)
    return encode({"inside": asked.inside, "request": request})


def decode_asked(data: bytes) -> Asked:
    """Raises Malformed."""
    asked: Asked = decode(Asked, data)
    return asked


def encode_answer(answer: Answer) -> bytes:
    return encode(tagged(answer))


def decode_answer(data: bytes) -> Answer:
    """Raises Malformed."""
    answer: Answer = decode(Answer, data)
    return answer


def without_descriptors(
    plan: Sequence[Operation],
) -> tuple[tuple[Operation, ...], tuple[int, ...]]:
    """The plan with places instead of descriptors, and these in order."""
    found = tuple(dict.fromkeys(fd for operation in plan for fd in _descriptors(operation)))
    if not found:
        return tuple(plan), ()
    places = {fd: place for place, fd in enumerate(found)}
    return tuple(_replaced(operation, places) for operation in plan), found


def with_descriptors(plan: Sequence[Operation], descriptors: Sequence[int]) -> list[Operation]:
    """The inverse.

    Raises:
        Malformed: the plan names a descriptor that did not come with it.
    """
    places = dict(enumerate(descriptors))
    try:
        return [_replaced(operation, places) for operation in plan]
    except KeyError as error:
        raise Malformed(f"descriptor {error} did not come along") from None


def _descriptors(operation: Operation) -> Iterator[int]:
    if isinstance(operation, CreateLink):
        if operation.namespace is not None:
            yield operation.namespace
        if operation.peer is not None and operation.peer.namespace is not None:
            yield operation.peer.namespace


def _replaced(operation: Operation, places: Mapping[int, int]) -> Operation:
    if not isinstance(operation, CreateLink):
        return operation
    peer, namespace = operation.peer, operation.namespace
    if peer is not None and peer.namespace is not None:
        peer = replace(peer, namespace=places[peer.namespace])
    return replace(operation, peer=peer, namespace=None if namespace is None else places[namespace])
