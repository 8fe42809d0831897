"""What pods and namespaces ask of IPAM by annotations; all of it is untrusted text.

Keys inside the JSON are read without regard to case, as upstream reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from spiderpool.cni.request import is_link_name
from spiderpool.errors import BadInput
from spiderpool.types.address import Family, parse_address, parse_prefix
from spiderpool.types.metadata import Route
from spiderpool.types.names import PoolName

PREFIX = "ipam.spidernet.io/"
IPPOOL = PREFIX + "ippool"
IPPOOLS = PREFIX + "ippools"
SUBNET = PREFIX + "subnet"
SUBNETS = PREFIX + "subnets"
ROUTES = PREFIX + "routes"
NAMESPACE_POOLS = {
    Family.V4: PREFIX + "default-ipv4-ippool",
    Family.V6: PREFIX + "default-ipv6-ippool",
}

MAX_BYTES = 65536
MAX_NICS = 16
MAX_ROUTES = 64
MAX_NAMES = 128
LONGEST_NAME = 253
"""Of an object (Kubernetes "Object Names and IDs"); what it costs to read a pattern as well
grows with the square of its length."""

Lists = Mapping[Family, tuple[PoolName, ...]]
"""Names of pools by family, in the written order; a family without names is absent."""


@dataclass(frozen=True, slots=True)
class NicPools:
    """One item of ``ippool``, ``ippools``, ``subnet`` or ``subnets``."""

    pools: Lists
    interface: str = ""
    clean_gateway: bool | None = None


def place(owner: str, key: str) -> str:
    """Where an annotation stands, for errors: ``owner`` is ``Pod default/x``."""
    return f"{owner}: annotation {key}"


def read_one(annotations: Mapping[str, str], key: str, owner: str) -> NicPools | None:
    """``ippool`` or ``subnet``: ``{"ipv4": ["a"], "ipv6": ["b"]}``; None when absent.

    Raises:
        BadInput: naming the annotation.
    """
    if key not in annotations:
        return None
    where = place(owner, key)
    value = _json(annotations[key], where, '{"ipv4":["pool-name"]}')
    return _nic_pools(value, where)


def read_many(annotations: Mapping[str, str], key: str, owner: str) -> tuple[NicPools, ...] | None:
    """``ippools`` or ``subnets``: a list of such objects, all with ``interface`` or none.

    Raises:
        BadInput: naming the annotation and the item.
    """
    if key not in annotations:
        return None
    where = place(owner, key)
    value = _json(annotations[key], where, '[{"interface":"net1","ipv4":["pool-name"]}]')
    if not isinstance(value, list) or not value:
        raise BadInput(where, "value requires at least one item", "write a list, one item a NIC")
    if len(value) > MAX_NICS:
        raise BadInput(where, f"has {len(value)} items", f"at most {MAX_NICS} NICs are possible")
    items = tuple(_nic_pools(item, f"{where}[{index}]") for index, item in enumerate(value))
    _check_names([item.interface for item in items], where)
    return items


def read_names(annotations: Mapping[str, str], owner: str) -> Lists:
    """The pools that a namespace gives its pods; empty when it says nothing.

    Raises:
        BadInput: naming the annotation.
    """
    found: dict[Family, tuple[PoolName, ...]] = {}
    for family, key in NAMESPACE_POOLS.items():
        if key in annotations:
            where = place(owner, key)
            names = pool_names(_json(annotations[key], where, '["pool-name"]'), where)
            if names:
                found[family] = names
    return found


def read_routes(annotations: Mapping[str, str], owner: str) -> tuple[Route, ...]:
    """``routes``: ``[{"dst": "10.0.0.0/16", "gw": "172.22.40.1"}]``, in canonical form.

    Raises:
        BadInput: naming the annotation and the item.
    """
    if ROUTES not in annotations:
        return ()
    where = place(owner, ROUTES)
    value = _json(annotations[ROUTES], where, '[{"dst":"10.0.0.0/16","gw":"172.22.40.1"}]')
    if not isinstance(value, list):
        raise BadInput(where, "is not a list", 'write [{"dst":"10.0.0.0/16","gw":"172.22.40.1"}]')
    if len(value) > MAX_ROUTES:
        raise BadInput(where, f"has {len(value)} routes", f"at most {MAX_ROUTES} are possible")
    return tuple(_route(item, f"{where}[{index}]") for index, item in enumerate(value))


def pool_names(value: Any, where: str) -> tuple[PoolName, ...]:
    """A list of names or patterns of pools.

    Raises:
        BadInput: naming ``where`` and the item.
    """
    if not isinstance(value, list):
        raise BadInput(where, f"{_short(value)} is not a list of names", 'write ["pool-name"]')
    if len(value) > MAX_NAMES:
        remedy = f"at most {MAX_NAMES} are possible; a pattern like pool-* stands for many"
        raise BadInput(where, f"has {len(value)} names", remedy)
    names = tuple(PoolName(_text(n, f"{where}[{index}]")) for index, n in enumerate(value))
    for index, name in enumerate(names):
        if len(name) > LONGEST_NAME:
            problem = f"{_short(name)} has {len(name)} characters"
            raise BadInput(f"{where}[{index}]", problem, f"names have at most {LONGEST_NAME}")
    return names


def _route(value: Any, where: str) -> Route:
    item = _object(value, where)
    dst = parse_prefix(_text(item.get("dst"), f"{where}.dst"), f"{where}.dst")
    gw = parse_address(_text(item.get("gw"), f"{where}.gw"), f"{where}.gw")
    if dst in ("0.0.0.0/0", "::/0"):
        raise BadInput(
            f"{where}.dst", f"{dst} is the default route", "set it by the pool's gateway"
        )
    if (":" in dst) != (":" in gw):
        raise BadInput(where, f"{dst} via {gw} mixes IPv4 and IPv6", "use one family")
    return Route(dst=dst, gw=gw)


def _json(text: str, where: str, example: str) -> Any:
    if len(text) > MAX_BYTES:
        raise BadInput(where, f"is {len(text)} bytes long", f"at most {MAX_BYTES} are possible")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise BadInput(where, f"{_short(text)} is not JSON ({exc})", f"write {example}") from None


def _nic_pools(value: Any, where: str) -> NicPools:
    item = _object(value, where)
    pools = {}
    for family, key in ((Family.V4, "ipv4"), (Family.V6, "ipv6")):
        names = pool_names(item.get(key), f"{where}.{key}") if item.get(key) is not None else ()
        if names:
            pools[family] = names
    clean = item.get("cleangateway")
    if clean is not None and not isinstance(clean, bool):
        raise BadInput(f"{where}.cleangateway", f"{clean!r} is not true or false")
    return NicPools(pools, _interface(item.get("interface"), f"{where}.interface"), clean)


def _interface(value: Any, where: str) -> str:
    """The name of a NIC; empty where none is given."""
    if value is None or value == "":
        return ""
    name = _text(value, where)
    if not is_link_name(name):
        problem = f"{_short(name)} cannot be the name of a NIC"
        raise BadInput(where, problem, "write one like net1")
    return name


def _check_names(interfaces: list[str], where: str) -> None:
    if len(set(map(bool, interfaces))) > 1:
        raise BadInput(
            where,
            "NIC should be either all specified or all unspecified",
            'give "interface" in each item or in none',
        )
    for index, name in enumerate(interfaces):
        if name and interfaces.index(name) != index:
            first = interfaces.index(name)
            raise BadInput(
                where, f"duplicate interface {name} (items {first} and {index})", "name it once"
            )


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(where, f"{_short(value)} is not an object", 'write {"ipv4":["pool-name"]}')
    return {key.lower(): item for key, item in value.items()}


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadInput(where, f"{_short(value)} is not a text of at least one letter")
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def all_names(lists: Iterable[PoolName]) -> str:
    """For errors: ``[a b]``."""
    return f"[{' '.join(lists)}]"
