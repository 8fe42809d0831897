"""The string formats that schemas name, each as a predicate over text.

Formats that the API server does not know are not checked (apiextensions documents the
list). Addresses follow Go's parsers: no leading zeros, no zones.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import uuid
from collections.abc import Callable
from datetime import date, datetime
from functools import partial

_QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_DURATION = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_HOSTNAME = re.compile(
    r"(?=.{1,255}$)[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*\.?"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}|([0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S*|/\S*")


def is_quantity(text: str) -> bool:
    return bool(_QUANTITY.fullmatch(text))


def is_time(text: str, *, micro: bool = False) -> bool:
    """``micro`` is true where exactly six digits of a second's fraction are expected."""
    if not _TIME.fullmatch(text) or (micro and not re.search(r"\.\d{6}(?!\d)", text)):
        return False
    return _parses(datetime.fromisoformat, re.sub(r"\.\d+", "", text))


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    if "/" not in text or "%" in text or not text.rsplit("/", 1)[1].isdigit():
        return False
    return _parses(partial(ipaddress.ip_network, strict=False), text)


def _is_ipv6(text: str) -> bool:
    return "%" not in text and _parses(ipaddress.IPv6Address, text)


def _is_duration(text: str) -> bool:
    body = text.lstrip("+-")
    if body == "0":
        return True
    pieces = [match.span() for match in _DURATION.finditer(body)]
    return bool(pieces) and sum(end - start for start, end in pieces) == len(body)


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True


FORMATS: dict[str, Callable[[str], bool]] = {
    "ipv4": lambda text: _parses(ipaddress.IPv4Address, text),
    "ipv6": _is_ipv6,
    "cidr": _is_network,
    "mac": lambda text: bool(_MAC.fullmatch(text)),
    "date-time": is_time,
    "date": lambda text: len(text) == 10 and _parses(date.fromisoformat, text),
    "datetime": is_time,
    "duration": _is_duration,
    "byte": _is_base64,
    "hostname": lambda text: bool(_HOSTNAME.fullmatch(text)),
    "email": lambda text: bool(_EMAIL.fullmatch(text)),
    "uri": lambda text: bool(_URI.fullmatch(text)),
    "uuid": lambda text: _parses(uuid.UUID, text),
}
