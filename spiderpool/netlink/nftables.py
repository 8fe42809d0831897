"""The table that makes replies leave by the way that the request came, as nfnetlink bytes.

In nft's language, for link ``veth0`` and mark 1::

    table inet spiderpool-veth0 {
        chain prerouting {
            type filter hook prerouting priority mangle;
            iifname "veth0" ct state new ct mark set 0x1
        }
        chain output {
            type route hook output priority mangle;
            ct mark 0x1 meta mark set 0x1
        }
    }

A chain of type ``route`` routes a packet again when its mark changed. Neither ``nft`` nor
``iptables`` is needed on the host. Source: linux/netfilter/nf_tables.h.
"""

from __future__ import annotations

import struct

from spiderpool.netlink import uapi
from spiderpool.netlink.operations import MarkReplies, UnmarkReplies
from spiderpool.netlink.wire import as_text, attribute, attributes, message, nested, text

TABLE_PREFIX = "spiderpool-"

_NFGENMSG = struct.Struct("=BBH")
_SUBSYSTEM = 10 << 8
_BATCH_BEGIN, _BATCH_END = 16, 17
_NEWTABLE, _GETTABLE, _DELTABLE = (_SUBSYSTEM | number for number in (0, 1, 2))
_NEWCHAIN, _NEWRULE, _GETRULE = (_SUBSYSTEM | number for number in (3, 6, 7))
_INET = 1
_HOOK_PREROUTING, _HOOK_OUTPUT = 0, 3
_PRIORITY_MANGLE = -150
_REGISTER = 1
_META_MARK, _META_IIFNAME = 3, 6
_CT_STATE, _CT_MARK = 0, 3
_STATE_NEW = 8
_TABLE_NAME = _RULE_TABLE = 1
_RULE_CHAIN = 2


def transaction(operation: MarkReplies | UnmarkReplies) -> list[bytes]:
    """The messages of one nfnetlink batch; the kernel does all of them or none."""
    table = text(_TABLE_NAME, TABLE_PREFIX + operation.link)
    delete = _message(_DELTABLE, 0, table)
    match operation:
        case UnmarkReplies():
            changes = [delete]
        case MarkReplies(link, mark):
            create = _message(_NEWTABLE, uapi.NLM_F_CREATE, table)
            changes = [create, delete, create, *_chains_and_rules(table, link, mark)]
    return [_edge(_BATCH_BEGIN), *changes, _edge(_BATCH_END)]


def tables() -> bytes:
    return _message(_GETTABLE, uapi.NLM_F_DUMP, b"")


def rules_of(table: str) -> bytes:
    return _message(_GETRULE, uapi.NLM_F_DUMP, text(_RULE_TABLE, table))


def table_name(body: bytes) -> str:
    """The name in a table's message."""
    return as_text(attributes(body, _NFGENMSG.size)[_TABLE_NAME])


def chain_of_rule(body: bytes) -> tuple[str, str]:
    """Table and chain in a rule's message."""
    found = attributes(body, _NFGENMSG.size)
    return as_text(found[_RULE_TABLE]), as_text(found[_RULE_CHAIN])


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return message(kind, uapi.NLM_F_REQUEST | flags, _NFGENMSG.pack(_INET, 0, 0) + body)


def _edge(kind: int) -> bytes:
    """Begin or end of a batch, addressed to nftables."""
    return message(kind, uapi.NLM_F_REQUEST, struct.pack(">BBH", 0, 0, _SUBSYSTEM >> 8))


def _chains_and_rules(table: bytes, link: str, mark: int) -> list[bytes]:
    host_mark = struct.pack("=I", mark)
    from_link = [
        _meta(_META_IIFNAME, destination=True),
        _compare(0, link.encode().ljust(16, b"\0")),
        _conntrack(_CT_STATE, destination=True),
        _mask(struct.pack("=I", _STATE_NEW)),
        _compare(1, bytes(4)),
        _immediate(host_mark),
        _conntrack(_CT_MARK, destination=False),
    ]
    of_connection = [
        _conntrack(_CT_MARK, destination=True),
        _compare(0, host_mark),
        _immediate(host_mark),
        _meta(_META_MARK, destination=False),
    ]
    return [
        _chain(table, "prerouting", "filter", _HOOK_PREROUTING),
        _chain(table, "output", "route", _HOOK_OUTPUT),
        _rule(table, "prerouting", from_link),
        _rule(table, "output", of_connection),
    ]


def _chain(table: bytes, name: str, kind: str, hook: int) -> bytes:
    where = nested(4, _be32(1, hook), _be32(2, _PRIORITY_MANGLE & 0xFFFFFFFF))
    return _message(_NEWCHAIN, uapi.NLM_F_CREATE, table + text(3, name) + where + text(7, kind))


def _rule(table: bytes, chain: str, expressions: list[bytes]) -> bytes:
    flags = uapi.NLM_F_CREATE | uapi.NLM_F_APPEND
    return _message(_NEWRULE, flags, table + text(_RULE_CHAIN, chain) + nested(4, *expressions))


def _be32(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">I", value))


def _expression(name: str, *data: bytes) -> bytes:
    return nested(1, text(1, name), nested(2, *data))


def _meta(key: int, *, destination: bool) -> bytes:
    """Load into the register, or set from it."""
    return _expression("meta", _be32(2, key), _be32(1 if destination else 3, _REGISTER))


def _conntrack(key: int, *, destination: bool) -> bytes:
    """Load into the register, or set from it."""
    return _expression("ct", _be32(2, key), _be32(1 if destination else 4, _REGISTER))


def _compare(operator: int, value: bytes) -> bytes:
    """Go on if the register is (operator 0) or is not (1) ``value``."""
    data = nested(3, attribute(1, value))
    return _expression("cmp", _be32(1, _REGISTER), _be32(2, operator), data)


def _mask(mask: bytes) -> bytes:
    return _expression(
        "bitwise",
        _be32(1, _REGISTER),
        _be32(2, _REGISTER),
        _be32(3, len(mask)),
        nested(4, attribute(1, mask)),
        nested(5, attribute(1, bytes(len(mask)))),
    )


def _immediate(value: bytes) -> bytes:
    return _expression("immediate", _be32(1, _REGISTER), nested(2, attribute(1, value)))
