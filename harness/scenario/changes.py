"""Steps behind the cluster's back: ``ip``, ``redirect`` and ``advertise``."""

from __future__ import annotations

import re
from itertools import pairwise

from harness.scenario.document import Item, required
from harness.scenario.model import Advertise, Ip, Redirect
from harness.scenario.reference import Place, parse_nic, parse_reference, placeholders
from spiderpool.types.address import Family, family_of, length_of, parse_prefix

_OBJECTS = ("address", "link", "neigh", "route", "rule")
_VERBS = ("add", "append", "change", "del", "replace", "set")
_PLAIN = ("blackhole", "default", "down", "link", "nodad", "permanent", "unreachable", "up")
_NAMED = ("address", "dev", "from", "lladdr", "lookup", "master", "metric", "miimon", "mode", "mtu")
_KEYWORDS = (*_PLAIN, *_NAMED, "nud", "pref", "scope", "src", "table", "to", "type", "via")
_KINDS = ("bond",)
"""What may follow ``type``: the kernel looks for a module of any other name."""

_VALUE = re.compile(r"(?=.*[0-9{])[A-Za-z0-9.:/@_{}-]+\Z")
"""Values have a digit, or are placeholders; so other words of ip(8), as those that load files,
cannot pass for one."""

_HOST_HALF = 64
"""Over Ethernet a host's own part of an address has 64 bits (RFC 2464, section 4)."""


def parse_ip(item: Item) -> Ip:
    """``ip: neigh del 10.6.0.1 dev eth0``, ``on: client``.

    Raises:
        BadInput: it is another command than those that change addresses, links, neighbours,
            routes or rules.
    """
    entries = item.mapping("ip", "on")
    command = entries["ip"]
    words = command.text().split()
    rest = words[1:] if words[0] == "-6" else words
    known = len(rest) > 2 and rest[0] in _OBJECTS and rest[1] in _VERBS
    if not known:
        raise command.fail(
            f"{command.text()!r} is no change that ip can make here",
            f"write one of {', '.join(_OBJECTS)}, then one of {', '.join(_VERBS)}, then what",
        )
    for before, word in pairwise(rest[1:]):
        is_kind = before == "type"
        choices = _KINDS if is_kind else _KEYWORDS
        is_value = not is_kind and not word.startswith("-") and _VALUE.match(word)
        if word not in choices and not is_value:
            raise command.fail(
                f"{word!r} is not known in an ip command here", f"use {', '.join(choices)}"
            )
    placeholders(command.text(), str(command.where))
    return Ip(command.where, _place(item), tuple(words))


def parse_redirect(item: Item) -> Redirect:
    """``redirect: 80``, ``to: 15006``, ``on: web``: what a service mesh's sidecar sets up."""
    entries = item.mapping("redirect", "to", "on")
    ports = [entries["redirect"], required(entries, "to", item)]
    for port in ports:
        if not 0 < port.integer() < 65536:
            raise port.fail(f"{port.integer()} is no port", "use 1 to 65535")
    return Redirect(ports[0].where, _place(item), ports[0].integer(), ports[1].integer())


def parse_advertise(item: Item) -> Advertise:
    """``advertise: fd00:10:99::/64``, ``on: router.lan6``: what a router tells hosts."""
    entries = item.mapping("advertise", "on")
    prefix = parse_prefix(entries["advertise"].text(), str(entries["advertise"].where))
    if family_of(prefix) is not Family.V6 or length_of(prefix) != _HOST_HALF:
        raise entries["advertise"].fail(
            f"hosts make no addresses of {prefix}", f"use an IPv6 prefix of /{_HOST_HALF}"
        )
    on = required(item.mapping(), "on", item)
    return Advertise(entries["advertise"].where, parse_nic(on.text(), str(on.where)), prefix)


def _place(item: Item) -> Place:
    on = required(item.mapping(), "on", item)
    reference = parse_reference(on.text(), str(on.where))
    if reference.nic is not None:
        raise on.fail(f"{reference} is a NIC", f"name the place: {reference.place}")
    return reference.place
