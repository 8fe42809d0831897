"""Operators and functions: the standard ones, strings, lists, sets, regular expressions, IPs."""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Callable
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Interface | ipaddress.IPv6Interface


class EvaluationError(Exception):
    """The expression has no value, for the reason given."""


def equal(left: Any, right: Any) -> bool:
    """Numbers are equal by value, everything else only within its own type."""
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    if numbers and isinstance(left, bool) is isinstance(right, bool):
        return bool(left == right)
    return type(left) is type(right) and bool(left == right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _comparable(left: Any, right: Any) -> None:
    if not (_is_number(left) and _is_number(right)) and type(left) is not type(right):
        raise EvaluationError("no such overload")


def _compare(operator: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(left: Any, right: Any) -> bool:
        _comparable(left, right)
        return operator(left, right)

    return compared


def _add(left: Any, right: Any) -> Any:
    _comparable(left, right)
    return left + right


def _divide(left: Any, right: Any) -> Any:
    if isinstance(left, float) or isinstance(right, float):
        return left / right
    if right == 0:
        raise EvaluationError("division by zero")
    return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)


def _modulo(left: int, right: int) -> int:
    if right == 0:
        raise EvaluationError("modulus by zero")
    return abs(left) % abs(right) * (-1 if left < 0 else 1)


def _in(item: Any, container: Any) -> bool:
    return any(equal(item, each) for each in container)


def _index(container: Any, key: Any) -> Any:
    if isinstance(container, dict):
        if key not in container:
            raise EvaluationError(f"no such key: {key}")
        return container[key]
    if not isinstance(key, int) or not 0 <= key < len(container):
        raise EvaluationError(f"index out of bounds: {key}")
    return container[key]


def _not(value: Any) -> bool:
    if not isinstance(value, bool):
        raise EvaluationError("no such overload")
    return not value


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    if not 0 <= start <= stop <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text[start:stop]


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if not separator:
        return list(text)
    return text.split(separator, -1 if limit < 0 else limit - 1)


def _index_of(container: Any, item: Any) -> int:
    if isinstance(container, str):
        return container.find(item)
    return next((index for index, each in enumerate(container) if equal(each, item)), -1)


def _last_index_of(container: Any, item: Any) -> int:
    if isinstance(container, str):
        return container.rfind(item)
    last = (index for index in range(len(container) - 1, -1, -1) if equal(container[index], item))
    return next(last, -1)


def _unique(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not any(equal(item, each) for each in found):
            found.append(item)
    return found


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else ""


def _ip(value: str | Network) -> Address:
    if isinstance(value, ipaddress.IPv4Interface | ipaddress.IPv6Interface):
        return value.ip
    if "%" in value:
        raise EvaluationError(f"IP Address {value!r} with zone value is not allowed")
    return ipaddress.ip_address(value)


def _cidr(text: str) -> Network:
    address, slash, length = text.partition("/")
    if not slash or not length.isdigit() or "%" in address:
        raise EvaluationError(f"CIDR parse error during conversion from string: {text!r}")
    return ipaddress.ip_interface(text)


def _parses(parse: Callable[[str], Any]) -> Callable[[Any], bool]:
    def parses(value: Any) -> bool:
        if not isinstance(value, str):
            raise EvaluationError("no such overload")
        try:
            parse(value)
        except (EvaluationError, ValueError):
            return False
        return True

    return parses


def _contains_ip(network: Network, address: str | Address) -> bool:
    found = _ip(address) if isinstance(address, str) else address
    return found.version == network.version and found in network.network


def _contains_cidr(network: Network, other: str | Network) -> bool:
    found = _cidr(other) if isinstance(other, str) else other
    same = found.version == network.version
    return (
        same
        and found.network.prefixlen >= network.network.prefixlen
        and (found.ip in network.network)
    )


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "_==_": equal,
    "_!=_": lambda left, right: not equal(left, right),
    "_<_": _compare(lambda left, right: left < right),
    "_<=_": _compare(lambda left, right: left <= right),
    "_>_": _compare(lambda left, right: left > right),
    "_>=_": _compare(lambda left, right: left >= right),
    "_in_": _in,
    "_+_": _add,
    "_-_": lambda left, right: left - right,
    "_*_": lambda left, right: left * right,
    "_/_": _divide,
    "_%_": _modulo,
    "!_": _not,
    "-_": lambda value: -value,
    "_[_]": _index,
    "size": len,
    "string": _string,
    "int": int,
    "double": float,
    "dyn": lambda value: value,
    "contains": lambda text, part: part in text,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "matches": lambda text, pattern: re.search(pattern, text) is not None,
    "find": _find,
    "findAll": lambda text, pattern: [found[0] for found in re.finditer(pattern, text)],
    "charAt": lambda text, index: text[index : index + 1],
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "lowerAscii": str.lower,
    "upperAscii": str.upper,
    "replace": str.replace,
    "split": _split,
    "substring": _substring,
    "trim": str.strip,
    "join": lambda items, separator="": separator.join(items),
    "isSorted": lambda items: all(a <= b for a, b in itertools.pairwise(items)),
    "sum": sum,
    "min": min,
    "max": max,
    "sets.contains": lambda left, right: all(_in(item, left) for item in right),
    "sets.intersects": lambda left, right: any(_in(item, left) for item in right),
    "sets.equivalent": lambda left, right: all(_in(item, left) for item in right)
    and all(_in(item, right) for item in left),
    "distinct": _unique,
    "ip": _ip,
    "isIP": _parses(_ip),
    "ip.isCanonical": lambda text: str(_ip(text)) == text,
    "family": lambda address: address.version,
    "isUnspecified": lambda address: address.is_unspecified,
    "isLoopback": lambda address: address.is_loopback,
    "isLinkLocalMulticast": lambda address: address.is_multicast and address.is_link_local,
    "isLinkLocalUnicast": lambda address: address.is_link_local,
    "isGlobalUnicast": lambda address: not (
        address.is_multicast or address.is_loopback or address.is_link_local
        or address.is_unspecified
    ),
    "cidr": _cidr,
    "isCIDR": _parses(_cidr),
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "prefixLength": lambda network: network.network.prefixlen,
    "masked": lambda network: ipaddress.ip_interface(str(network.network)),
}  # fmt: skip
