"""Operations as the commands that a person would type, one for each.

State as ``ip`` prints it is in :mod:`spiderpool.netlink.lines`.
"""

from __future__ import annotations

from spiderpool.netlink.bonding import as_words
from spiderpool.netlink.objects import (
    LinkAddress,
    Neighbour,
    NextHop,
    Protocol,
    Route,
    RouteType,
    Rule,
    Scope,
)
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    ChangeLink,
    CreateLink,
    DeleteAddress,
    DeleteLink,
    DeleteNeighbour,
    DeleteRoute,
    DeleteRule,
    MarkReplies,
    Operation,
    Peer,
    SetNeighbour,
    SetSysctl,
    UnmarkReplies,
)
from spiderpool.types.address import Family, family_of
from spiderpool.types.names import LOCAL, MAIN

_OF_LOCAL_TABLE = (RouteType.LOCAL, RouteType.BROADCAST, RouteType.ANYCAST)
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-")


def as_command(operation: Operation) -> str:
    """The shell command that does the same, with names quoted where a shell needs it."""
    match operation:
        case AddRoute(route):
            return f"{_ip(route.family)} route append {_route(route)}"
        case DeleteRoute(route):
            return f"{_ip(route.family)} route del {_route(route)}"
        case AddRule(rule):
            return f"{_ip(rule.family)} rule add {_rule(rule)}"
        case DeleteRule(rule):
            return f"{_ip(rule.family)} rule del {_rule(rule)}"
        case AddAddress(entry):
            return f"{_ip(entry.family)} addr add {_address(entry)}"
        case DeleteAddress(entry):
            return f"{_ip(entry.family)} addr del {entry.address} dev {_quoted(entry.link)}"
        case SetNeighbour(neighbour):
            return f"{_ip(neighbour.family)} neigh replace {_neighbour(neighbour)}"
        case DeleteNeighbour(neighbour):
            return f"{_ip(neighbour.family)} neigh del {_neighbour_key(neighbour)}"
        case CreateLink() | ChangeLink() | DeleteLink():
            return _link(operation)
        case SetSysctl(key, value):
            return f"sysctl -w {_quoted(f'net/{key}={value}')}"
        case MarkReplies(link, mark):
            return f"nft {_quoted(_mark_replies(link, mark))}"
        case UnmarkReplies(link):
            return f"nft {_quoted(f'delete table inet spiderpool-{link}')}"


def _link(operation: CreateLink | ChangeLink | DeleteLink) -> str:
    match operation:
        case CreateLink():
            return _create(operation)
        case ChangeLink():
            return _change(operation)
        case DeleteLink(name):
            return f"ip link del dev {_quoted(name)}"


def _ip(family: Family) -> str:
    return "ip -6" if family is Family.V6 else "ip"


def _quoted(word: str) -> str:
    """``word`` as one word of a POSIX shell; names of links may hold anything but a slash."""
    if word and all(letter in _SAFE for letter in word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def _quoted_words(text: str) -> str:
    return " ".join(map(_quoted, text.split(" ")))


def _words(*words: str | None) -> str:
    return " ".join(word for word in words if word)


def _route(route: Route) -> str:
    """``ip`` guesses table, scope and protocol; say so where the guess would differ."""
    scope = route.family is Family.V4 and route.scope is not _guessed_scope(route)
    guessed_table = LOCAL if route.type in _OF_LOCAL_TABLE else MAIN
    return _words(
        route.type.name.lower() if route.type is not RouteType.UNICAST else None,
        "default" if route.is_default else route.destination,
        _via(route.gateway, route.family),
        f"dev {_quoted(route.link)}" if route.link is not None else None,
        f"table {route.table}" if route.table != guessed_table else None,
        f"proto {int(route.protocol)}" if route.protocol != Protocol.BOOT else None,
        f"scope {route.scope.name.lower()}" if scope else None,
        f"src {route.source}" if route.source is not None else None,
        f"metric {route.metric}" if route.metric else None,
        "onlink" if route.on_link and not route.nexthops else None,
        *(_leg(leg, route) for leg in route.nexthops),
    )


def _guessed_scope(route: Route) -> Scope:
    if route.type is RouteType.LOCAL:
        return Scope.HOST
    if route.type in (RouteType.BROADCAST, RouteType.MULTICAST, RouteType.ANYCAST):
        return Scope.LINK
    direct = route.type is RouteType.UNICAST and route.gateway is None and not route.nexthops
    return Scope.LINK if direct else Scope.GLOBAL


def _via(gateway: str | None, family: Family) -> str | None:
    if gateway is None:
        return None
    return f"via inet6 {gateway}" if family_of(gateway) is not family else f"via {gateway}"


def _leg(leg: NextHop, route: Route) -> str:
    return _words(
        "nexthop",
        _via(leg.gateway, route.family),
        f"dev {_quoted(leg.link)} weight {leg.weight}",
        "onlink" if route.on_link else None,
    )


def _rule(rule: Rule) -> str:
    mask = f"/{rule.mask:#x}" if rule.mask is not None else ""
    actions = {6: "blackhole", 7: "unreachable", 8: "prohibit"}
    return _words(
        f"pref {rule.priority}",
        f"from {rule.source or 'all'}",
        f"to {rule.destination}" if rule.destination is not None else None,
        f"fwmark {rule.mark:#x}{mask}" if rule.mark is not None else None,
        f"iif {_quoted(rule.iif)}" if rule.iif is not None else None,
        f"oif {_quoted(rule.oif)}" if rule.oif is not None else None,
        actions.get(rule.action, f"lookup {rule.table}"),
    )


def _address(entry: LinkAddress) -> str:
    return _words(
        entry.address,
        f"brd {entry.broadcast}" if entry.broadcast is not None else None,
        f"dev {_quoted(entry.link)}",
        f"scope {entry.scope.name.lower()}" if entry.scope is not Scope.GLOBAL else None,
        "nodad" if entry.no_dad else None,
        "noprefixroute" if entry.no_prefix_route else None,
    )


def _neighbour_key(entry: Neighbour) -> str:
    return _words("proxy" if entry.proxy else None, entry.address, f"dev {_quoted(entry.link)}")


def _neighbour(entry: Neighbour) -> str:
    state = "nud permanent" if entry.permanent else "nud reachable"
    mac = f"lladdr {entry.mac}" if entry.mac else None
    return _words(_neighbour_key(entry), *(() if entry.proxy else (mac, state)))


def _create(link: CreateLink) -> str:
    return _words(
        "ip link add",
        f"link {_quoted(link.parent)}" if link.parent is not None else None,
        f"name {_quoted(link.name)}",
        f"index {link.index}" if link.index is not None else None,
        f"address {link.mac}" if link.mac is not None else None,
        f"mtu {link.mtu}" if link.mtu is not None else None,
        f"txqueuelen {link.txqueuelen}" if link.txqueuelen is not None else None,
        f"master {_quoted(link.master)}" if link.master is not None else None,
        "up" if link.up else None,
        _netns(link.namespace),
        f"type {link.kind}",
        "mode bridge" if link.kind == "macvlan" else None,
        f"id {link.vlan}" if link.vlan is not None else None,
        _quoted_words(as_words(link.bond)) if link.bond else None,
        f"peer {_peer(link.peer)}" if link.peer is not None else None,
    )


def _netns(descriptor: int | None) -> str | None:
    return f"netns /proc/self/fd/{descriptor}" if descriptor is not None else None


def _peer(peer: Peer) -> str:
    return _words(
        f"name {_quoted(peer.name)}",
        f"index {peer.index}" if peer.index is not None else None,
        f"address {peer.mac}" if peer.mac is not None else None,
        f"mtu {peer.mtu}" if peer.mtu is not None else None,
        _netns(peer.namespace),
    )


def _change(change: ChangeLink) -> str:
    return _words(
        f"ip link set dev {_quoted(change.name)}",
        None if change.up is None else "up" if change.up else "down",
        f"address {change.mac}" if change.mac is not None else None,
        f"mtu {change.mtu}" if change.mtu is not None else None,
        f"txqueuelen {change.txqueuelen}" if change.txqueuelen is not None else None,
        f"master {_quoted(change.master)}" if change.master is not None else None,
    )


def _mark_replies(link: str, mark: int) -> str:
    """The table of :mod:`spiderpool.netlink.nftables`, in nft's language."""
    return (
        f"table inet spiderpool-{link} {{ "
        "chain prerouting { type filter hook prerouting priority mangle; "
        f'iifname "{link}" ct state new ct mark set {mark:#x}; }}; '
        "chain output { type route hook output priority mangle; "
        f"ct mark {mark:#x} meta mark set {mark:#x}; }}; }}"
    )
