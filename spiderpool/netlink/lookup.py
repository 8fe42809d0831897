"""Ask the kernel which way a packet would go (``ip route get``)."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spiderpool.errors import OperationFailed
from spiderpool.netlink import decode, uapi
from spiderpool.netlink.channel import Answer, unreadable
from spiderpool.netlink.encode import RTMSG
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import Route
from spiderpool.netlink.reader import LinkNames
from spiderpool.netlink.wire import attribute, message, u32
from spiderpool.types.address import Address, Family, family_of, packed
from spiderpool.types.names import IfName


@dataclass(frozen=True, slots=True)
class Question:
    """A packet to route. ``iif`` makes it one that came in by that link, to be forwarded."""

    destination: Address
    source: Address | None = None
    mark: int | None = None
    iif: IfName | None = None
    oif: IfName | None = None

    def __str__(self) -> str:
        words = [f"ip route get {self.destination}"]
        words += [f"from {self.source}"] if self.source is not None else []
        words += [f"iif {self.iif}"] if self.iif is not None else []
        words += [f"oif {self.oif}"] if self.oif is not None else []
        words += [f"mark {self.mark:#x}"] if self.mark is not None else []
        return " ".join(words)


def route_get(
    target: Namespace | Kernel,
    destination: Address,
    source: Address | None = None,
    *,
    mark: int | None = None,
    iif: IfName | None = None,
    oif: IfName | None = None,
    fib_match: bool = False,
) -> Route:
    """What the kernel decides for one packet.

    Plain, the route is the decision: destination is the address as /32 or /128, with
    gateway, link, table and the source address chosen. With ``fib_match`` it is the entry of
    the table that decided (``RTM_F_FIB_MATCH``).

    Raises:
        OperationFailed: no route (ENETUNREACH, or what an ``unreachable``, ``prohibit`` or
            ``blackhole`` route says: EHOSTUNREACH, EACCES, EINVAL), or no such link (ENODEV).
    """
    question = Question(destination, source, mark, iif, oif)
    if isinstance(target, Namespace):
        with Kernel(target) as kernel:
            (answer,) = ask_all(kernel, [question], fib_match=fib_match)
    else:
        (answer,) = ask_all(target, [question], fib_match=fib_match)
    if isinstance(answer, OperationFailed):
        raise answer
    return answer


def ask_all(
    kernel: Kernel, questions: Sequence[Question], *, fib_match: bool = False
) -> list[Route | OperationFailed]:
    """As :func:`route_get`, for many packets at the cost of a few system calls."""
    names = kernel.link_names()
    links = {link for question in questions for link in (question.iif, question.oif) if link}
    indices = names.indices_of(links)
    known = [question for question in questions if _links_known(question, indices)]
    replies = kernel.request_each([_request(one, indices, fib_match) for one in known])
    answers = dict(zip(known, replies, strict=True))
    no_device = (errno.ENODEV, "")
    return [_decision(one, answers.get(one, no_device), names) for one in questions]


def _links_known(question: Question, indices: Mapping[IfName, int]) -> bool:
    return all(link is None or link in indices for link in (question.iif, question.oif))


def _request(question: Question, indices: Mapping[IfName, int], fib_match: bool) -> bytes:
    family = family_of(question.destination)
    source_length = family.bits if question.source is not None else 0
    flags = uapi.RTM_F_FIB_MATCH if fib_match else 0
    if family is Family.V4:
        flags |= uapi.RTM_F_LOOKUP_TABLE
    header = RTMSG.pack(family, family.bits, source_length, 0, 0, 0, 0, 0, flags)
    parts = [header, attribute(uapi.RTA_DST, packed(question.destination))]
    if question.source is not None:
        parts.append(attribute(uapi.RTA_SRC, packed(question.source)))
    if question.iif is not None:
        parts.append(u32(uapi.RTA_IIF, indices[question.iif]))
    if question.oif is not None:
        parts.append(u32(uapi.RTA_OIF, indices[question.oif]))
    if question.mark is not None:
        parts.append(u32(uapi.RTA_MARK, question.mark))
    return message(uapi.RTM_GETROUTE, uapi.NLM_F_REQUEST, b"".join(parts))


def _decision(
    question: Question, answer: bytes | Answer, names: LinkNames
) -> Route | OperationFailed:
    if not isinstance(answer, bytes):
        return OperationFailed(str(question), *answer)
    try:
        route = decode.decision(answer, names)
    except ValueError as error:
        return unreadable(error)
    return route or OperationFailed(str(question), errno.ENODEV, "the link has just gone")
