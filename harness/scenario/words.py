"""The words of expectations: from YAML to the classes of ``harness.scenario.expectations``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.scenario.document import Item, required
from harness.scenario.expectations import (
    Blocked,
    Checked,
    EventSays,
    Expectation,
    NetworkHas,
    NicsHave,
    ObjectHas,
    Outcome,
    Probe,
    Protocol,
    Reaches,
    Refused,
    Table,
    TableHas,
)
from harness.scenario.manifests import manifest
from harness.scenario.reference import (
    Place,
    Reference,
    parse_nic,
    parse_reference,
    placeholders,
)
from spiderpool.errors import BadInput
from spiderpool.types.address import family_of, parse_address

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_OBJECT = re.compile(r"[a-z][a-z0-9.-]*(/[A-Za-z0-9{][A-Za-z0-9.:{}-]*)?\Z")
_ARGUMENT = re.compile(r"(-A|-n|-l|-o|--field-selector|[A-Za-z0-9][A-Za-z0-9.,/=_-]*)\Z")
_ROUTES = re.compile(r"ip (?:-6 )?route(?: show table (\d{1,10}))?\Z")
_NIC_ATTRIBUTES = ("absent", "kind", "mtu", "mac", "txqueuelen", "up", "active", "addresses")
_ASKED_ONCE = ("id", "each")
_MAY_COME = (*_ASKED_ONCE, "within")
_PROMPTLY = 5.0
_AT_ONCE = 0.0
"""A pod that is Ready has its NICs and routes."""

MAIN_TABLE = 254


def object_name(item: Item) -> str:
    """``kind/name`` or ``kind``, fit to be an argument of kubectl."""
    text = item.text()
    if not _OBJECT.match(text):
        raise item.fail(f"{text!r} is no object", "write it like deployment/nginx")
    return text


def parse_expectations(item: Item) -> Iterator[Expectation]:
    """One written expectation: as many as its ``each`` has names, else one."""
    entries = item.mapping()
    word = _word_of(item, entries)
    identifier = _identifier(required(entries, "id", item))
    if "each" not in entries:
        yield word(item, identifier, None)
        return
    for name in entries["each"].many(_identifier):
        yield word(item, f"{identifier}[{name}]", name)


def _identifier(item: Item) -> str:
    """Ids, and the names in them, become names of files."""
    if not _ID.match(item.text()):
        raise item.fail(
            f"{item.name} {item.text()!r} has characters that ids have not",
            "use letters, digits, dots, dashes and underscores",
        )
    return item.text()


def _word_of(item: Item, entries: Mapping[str, Item]) -> Callable[..., Expectation]:
    for key, word in _WORDS.items():
        if key in entries:
            return word
    raise item.fail("this expectation says nothing", f"use one of {', '.join(_WORDS)}")


def _object(item: Item, identifier: str, bound: str | None) -> ObjectHas:
    entries = item.mapping(*_MAY_COME, "object", "namespace", "has", "absent")
    if ("has" in entries) == ("absent" in entries):
        raise item.fail(
            "an object is expected to have something or to be absent",
            "add `has: ...` or `absent: true`",
        )
    has = _texts_checked(entries["has"], bound) if "has" in entries else None
    name = object_name(entries["object"])
    placeholders(name, str(entries["object"].where), bound)
    return ObjectHas(
        identifier, item.where, bound, name, namespace_of(entries), has, within_of(entries)
    )


def _event(item: Item, identifier: str, bound: str | None) -> EventSays:
    entries = item.mapping(*_MAY_COME, "event", "namespace", "reason", "says")
    words = required(entries, "says", item).many(lambda entry: str(_texts_checked(entry, bound)))
    about = object_name(entries["event"])
    if "/" not in about:
        raise entries["event"].fail(f"{about!r} names no object", "write it like pod/web")
    reason = required(entries, "reason", item).text()
    namespace, within = namespace_of(entries), within_of(entries)
    return EventSays(identifier, item.where, bound, about, namespace, reason, words, within)


def _refused(item: Item, identifier: str, bound: str | None) -> Refused:
    entries = item.mapping(*_ASKED_ONCE, "refused", "says")
    words = required(entries, "says", item).many(lambda entry: entry.text())
    return Refused(identifier, item.where, bound, manifest(entries["refused"]), words)


def _table(item: Item, identifier: str, bound: str | None) -> TableHas:
    entries = item.mapping(*_MAY_COME, "table", "columns", "rows", "count")
    command = entries["table"]
    try:
        words = shlex.split(command.text())
    except ValueError as error:
        raise command.fail(f"{command.text()!r} is no command: {error}") from None
    if words[:2] != ["kubectl", "get"] or not all(_ARGUMENT.match(word) for word in words[2:]):
        raise command.fail(
            f"{command.text()!r} prints no table that can be judged",
            "write `kubectl get RESOURCE [-n NAMESPACE] [-l SELECTOR] [--field-selector SELECTOR] "
            "[-o wide]`",
        )
    rows = entries["rows"].many(lambda row: _row(row, bound)) if "rows" in entries else ()
    columns = tuple(entries["columns"].text().split()) if "columns" in entries else ()
    count = entries["count"].integer() if "count" in entries else None
    if not rows and not columns and count is None:
        raise item.fail("nothing is expected of the table", "add `columns`, `rows` or `count`")
    return TableHas(
        identifier, item.where, bound, tuple(words[2:]), columns, rows, count, within_of(entries)
    )


def _row(item: Item, bound: str | None) -> Mapping[str, str]:
    return {key: str(_texts_checked(cell, bound)) for key, cell in item.mapping().items()}


def _on(item: Item, identifier: str, bound: str | None) -> NetworkHas | NicsHave:
    entries = item.mapping()
    place = _place(entries["on"], bound)
    if "nics" in entries:
        item.mapping(*_MAY_COME, "on", "nics")
        nics = _nics(entries["nics"], bound)
        return NicsHave(identifier, item.where, bound, place, nics, within_of(entries, _AT_ONCE))
    key = next((key for key in entries if key.startswith("ip ")), "")
    table, number = _printed_table(item, key)
    item.mapping(*_MAY_COME, "on", key, "without", "only")
    lines = _lines(entries[key], bound)
    without = _lines(entries["without"], bound) if "without" in entries else ()
    only = "only" in entries and entries["only"].boolean()
    family = 6 if key.startswith("ip -6 ") else 4
    said = (place, table, number, family, lines, without, only, within_of(entries, _AT_ONCE))
    return NetworkHas(identifier, item.where, bound, *said)


def _printed_table(item: Item, key: str) -> tuple[Table, int]:
    routes = _ROUTES.match(key)
    if routes:
        return Table.ROUTES, int(routes[1] or MAIN_TABLE)
    for table in (Table.RULES, Table.NEIGHBOURS):
        if key.replace("ip -6 ", "ip ") == table.value:
            return table, 0
    raise item.fail(
        f"{key or 'on'!r} prints nothing that can be judged",
        "use `nics`, `ip rule`, `ip route`, `ip route show table N` or `ip neigh` (or `ip -6 ...`)",
    )


def _nics(item: Item, bound: str | None) -> Mapping[str, Mapping[str, Any]]:
    return {nic: _nic_attributes(entry, bound) for nic, entry in item.mapping().items()}


def _nic_attributes(item: Item, bound: str | None) -> Mapping[str, Any]:
    entries = item.mapping(*_NIC_ATTRIBUTES)
    if "absent" in entries and (len(entries) > 1 or not entries["absent"].boolean()):
        raise item.fail("an absent NIC has nothing", "write `absent: true` alone, or leave it out")
    return {attribute: _texts_checked(value, bound) for attribute, value in entries.items()}


def _check(item: Item, identifier: str, bound: str | None) -> Checked:
    entries = item.mapping(*_ASKED_ONCE, "check", "says")
    checked = entries["check"]
    nic = parse_nic(checked.text(), str(checked.where), bound)
    words: tuple[str, ...] = ()
    if "says" in entries:
        words = entries["says"].many(lambda entry: str(_texts_checked(entry, bound)))
        if not words:
            raise entries["says"].fail("no words are expected", "leave `says` out, or add some")
    return Checked(identifier, item.where, bound, nic, words)


def _probe(protocol: Protocol) -> Callable[..., Reaches | Blocked]:
    def word(item: Item, identifier: str, bound: str | None) -> Reaches | Blocked:
        entries = item.mapping(
            *(*_ASKED_ONCE, str(protocol), "path", "leaves", "arrives", "source", "vlan"),
            *("blocked", "control"),
        )
        probe = _question(protocol, entries[str(protocol)], bound)
        if "blocked" in entries:
            return _blocked(item, identifier, bound, probe)
        if not entries.keys() & {"path", "leaves"}:
            raise item.fail("the way of the request is not said", "add `path: [...]` or `leaves:`")
        return Reaches(
            identifier,
            item.where,
            bound,
            probe,
            _nic_list(entries.get("path"), bound),
            _nic(entries["leaves"], bound) if "leaves" in entries else None,
            _nic_list(entries.get("arrives"), bound),
            _nic(entries["source"], bound) if "source" in entries else None,
            vlan_number(entries["vlan"]) if "vlan" in entries else None,
        )

    return word


def _blocked(item: Item, identifier: str, bound: str | None, probe: Probe) -> Blocked:
    entries = item.mapping(*_ASKED_ONCE, str(probe.protocol), "blocked", "control", "leaves")
    if "control" not in entries:
        raise item.fail(
            "nothing shows that this probe could succeed",
            "add `control: ID` of a like probe that is answered",
        )
    choices = tuple(str(outcome) for outcome in Outcome if outcome is not Outcome.REPLIED)
    outcomes = entries["blocked"].many(lambda entry: Outcome(entry.one_of(*choices)))
    leaves = _nic(entries["leaves"], bound) if "leaves" in entries else None
    control = entries["control"].text()
    return Blocked(identifier, item.where, bound, probe, outcomes, control, leaves)


def _question(protocol: Protocol, item: Item, bound: str | None) -> Probe:
    entries = item.mapping("from", "to", "port", "device", "family")
    port = entries["port"].integer() if "port" in entries else None
    if (port is None) is not (protocol is Protocol.ICMP):
        raise item.fail(f"a {protocol} probe has {'no' if port else 'a'} port")
    if port is not None and not 0 < port < 65536:
        raise item.fail(f"{port} is no port", "use 1 to 65535")
    target = _target(required(entries, "to", item), bound)
    family = entries["family"].integer() if "family" in entries else 4
    if isinstance(target, str):
        family = family_of(target).number
    if family not in (4, 6):
        raise item.fail(f"there is no family {family}", "use 4 or 6")
    device = entries["device"].text() if "device" in entries else None
    sender = required(entries, "from", item)
    return Probe(
        protocol,
        parse_reference(sender.text(), str(sender.where), bound),
        target,
        port,
        device,
        family,
    )


def _target(item: Item, bound: str | None) -> Reference | str:
    text = item.text()
    try:
        return parse_address(text, str(item.where))
    except BadInput:
        return parse_reference(text, str(item.where), bound)


def _place(item: Item, bound: str | None) -> Place:
    reference = parse_reference(item.text(), str(item.where), bound)
    if reference.nic is not None:
        raise item.fail(f"{reference} is a NIC", f"name the place: {reference.place}")
    return reference.place


def _nic(item: Item, bound: str | None) -> Reference:
    return parse_nic(item.text(), str(item.where), bound)


def _nic_list(item: Item | None, bound: str | None) -> tuple[Reference, ...]:
    return item.many(lambda entry: _nic(entry, bound)) if item else ()


def _lines(item: Item, bound: str | None) -> tuple[str, ...]:
    lines = tuple(line.strip() for line in item.text().splitlines() if line.strip())
    for line in lines:
        placeholders(line, str(item.where), bound)
    return lines


def _texts_checked(item: Item, bound: str | None) -> Any:
    """The plain value, once the placeholders of every text in it have been read."""
    value = item.plain()
    for text in _texts_in(value):
        placeholders(text, str(item.where), bound)
    return value


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for entry in value:
            yield from _texts_in(entry)
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _texts_in(entry)


def vlan_number(item: Item) -> int:
    """The number of a VLAN (IEEE 802.1Q; 0 and 4095 are none)."""
    if not 0 < (number := item.integer()) < 4095:
        raise item.fail(f"{number} is no VLAN", "use 1 to 4094")
    return number


def namespace_of(entries: Mapping[str, Item]) -> str:
    """The ``namespace`` entry, by default ``default``; a DNS label."""
    if "namespace" not in entries:
        return "default"
    item = entries["namespace"]
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", item.text()):
        raise item.fail(f"{item.text()!r} is no namespace", "use lower-case letters and digits")
    return item.text()


def within_of(entries: Mapping[str, Item], otherwise: float = _PROMPTLY) -> float:
    """How many seconds there are to come to the expected state."""
    return entries["within"].seconds() if "within" in entries else otherwise


_WORDS: Mapping[str, Callable[..., Expectation]] = {
    "object": _object,
    "event": _event,
    "refused": _refused,
    "table": _table,
    "on": _on,
    "check": _check,
    **{str(protocol): _probe(protocol) for protocol in Protocol},
}
