"""States as ``ip -j`` printed them, read back into :class:`NetState`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spiderpool.netlink.objects import (
    Link,
    LinkAddress,
    LinkKind,
    Neighbour,
    NetState,
    NextHop,
    Protocol,
    Route,
    RouteType,
    Rule,
    Scope,
)
from spiderpool.types.address import Address, Family, InterfaceAddress, Prefix, host_prefix
from spiderpool.types.names import LOCAL, MAIN, IfName, TableID

_TABLES = {"local": LOCAL, "main": MAIN, "default": TableID(253)}
_SCOPES = {scope.name.lower(): scope for scope in Scope}
_PROTOCOLS = {protocol.name.lower(): int(protocol) for protocol in Protocol}
_ANYWHERE = {Family.V4: Prefix("0.0.0.0/0"), Family.V6: Prefix("::/0")}

Fields = Mapping[str, Any]


def read_state(path: Path) -> NetState:
    """A namespace without its local table; the file has lists ``addr``, ``rule``, ``route``,
    ``neigh`` and those of IPv6 with a 6 behind."""
    dumped: dict[str, list[Fields]] = json.loads(path.read_text())
    links = dumped["addr"]
    return NetState(
        links=tuple(map(_link, links)),
        addresses=tuple(entry for link in links for entry in _addresses(link)),
        routes=(*_routes(dumped["route"], Family.V4), *_routes(dumped["route6"], Family.V6)),
        rules=(*_rules(dumped["rule"], Family.V4), *_rules(dumped["rule6"], Family.V6)),
        neighbours=tuple(_neighbours([*dumped["neigh"], *dumped["neigh6"]])),
    )


def _link(fields: Fields) -> Link:
    kind, flags = fields.get("linkinfo", {}).get("info_kind"), fields["flags"]
    return Link(
        name=IfName(fields["ifname"]),
        index=fields["ifindex"],
        kind=LinkKind(kind) if kind in set(LinkKind) else None,
        mac=fields.get("address", ""),
        mtu=fields["mtu"],
        up="UP" in flags,
        broadcast="BROADCAST" in flags,
        multicast="MULTICAST" in flags,
        loopback="LOOPBACK" in flags,
        txqueuelen=fields.get("txqlen", 1000),
        parent_index=fields.get("link_index", 0),
        parent_elsewhere="link_netnsid" in fields,
    )


def _addresses(link: Fields) -> Iterator[LinkAddress]:
    for fields in link["addr_info"]:
        broadcast = fields.get("broadcast")
        yield LinkAddress(
            link=IfName(link["ifname"]),
            address=InterfaceAddress(f"{fields['local']}/{fields['prefixlen']}"),
            scope=_SCOPES[fields["scope"]],
            broadcast=Address(broadcast) if broadcast else None,
            no_dad=bool(fields.get("nodad")),
            no_prefix_route=bool(fields.get("noprefixroute")),
            secondary=bool(fields.get("secondary")),
        )


def _routes(dumped: list[Fields], family: Family) -> Iterator[Route]:
    """``ip -4 route show table all`` prints both families."""
    for fields in dumped:
        table = _table(fields.get("table", "main"))
        if _is_of(fields, family) and table != LOCAL:
            yield _route(fields, family, table)


def _is_of(fields: Fields, family: Family) -> bool:
    """IPv6 routes have a preference, IPv4 routes have none."""
    return ("pref" in fields) is (family is Family.V6)


def _route(fields: Fields, family: Family, table: TableID) -> Route:
    gateway, source = fields.get("gateway"), fields.get("prefsrc")
    return Route(
        destination=_prefix(fields["dst"], family),
        link=IfName(fields["dev"]) if "dev" in fields else None,
        gateway=Address(gateway) if gateway else None,
        table=table,
        scope=_SCOPES[fields.get("scope", "global")],
        source=Address(source) if source else None,
        metric=fields.get("metric", 0),
        protocol=_protocol(fields.get("protocol", "boot")),
        type=RouteType[fields.get("type", "unicast").upper()],
        on_link="onlink" in fields.get("flags", ()),
        nexthops=tuple(
            NextHop(IfName(leg["dev"]), Address(leg["gateway"]), leg["weight"])
            for leg in fields.get("nexthops", ())
        ),
    )


def _protocol(name: str) -> int:
    return _PROTOCOLS[name] if name in _PROTOCOLS else int(name) if name.isdigit() else 0


def _prefix(text: str, family: Family) -> Prefix:
    if text == "default":
        return _ANYWHERE[family]
    return Prefix(text) if "/" in text else host_prefix(text)


def _table(name: str) -> TableID:
    return _TABLES[name] if name in _TABLES else TableID(int(name))


def _rules(dumped: list[Fields], family: Family) -> Iterator[Rule]:
    for fields in dumped:
        mark, mask = fields.get("fwmark"), fields.get("fwmask")
        yield Rule(
            priority=fields["priority"],
            table=_table(fields["table"]),
            family=family,
            source=_selector(fields, "src", family),
            destination=_selector(fields, "dst", family),
            mark=int(mark, 16) if mark else None,
            mask=int(mask, 16) if mask else None,
        ).as_dumped


def _selector(fields: Fields, key: str, family: Family) -> Prefix | None:
    text, length = fields.get(key, "all"), fields.get(f"{key}len")
    if text == "all":
        return None
    return Prefix(f"{text}/{length}") if length is not None else _prefix(text, family)


def _neighbours(dumped: list[Fields]) -> Iterator[Neighbour]:
    """``ip -4 neigh`` prints both families, so an entry may come twice."""
    seen = set()
    for fields in dumped:
        entry = Neighbour(
            link=IfName(fields["dev"]),
            address=Address(fields["dst"]),
            mac=fields.get("lladdr", ""),
            permanent="PERMANENT" in fields.get("state", ()),
        )
        if entry not in seen:
            seen.add(entry)
            yield entry
