"""Settings below ``/proc/sys/net``, as they are and as the next boot would make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from spiderpool.controller.admission.others import overlap
from spiderpool.ctl.finding import Finding, ok, problem, warning
from spiderpool.ctl.node.facts import NodeFacts

STRICT = 1
DEAF = 3
"""From here on arp_ignore leaves questions for the node's own addresses unanswered."""
ANNOUNCE_OWN = 2
NEIGHBOURS_PER_POD = 32
FORWARDING = {"ipv4/ip_forward": "IPv4", "ipv6/conf/all/forwarding": "IPv6"}
AT_BOOT = FORWARDING | {"ipv4/conf/all/forwarding": "IPv4"}
"""The third sets what the first shows."""


def check(facts: NodeFacts) -> Iterator[Finding]:
    """Runtime values first."""
    yield from _reverse_path(facts)
    yield from _arp(facts)
    yield from _neighbours(facts)
    yield from _forwarding(facts.sysctls)
    yield from _ipv6(facts)
    yield from _next_boot(facts.managers.sysctl_files)


def _number(sysctls: Mapping[str, str], key: str) -> int:
    text = sysctls.get(key, "")
    return int(text) if text.isdigit() else 0


def _effective(facts: NodeFacts, name: str, nic: str) -> int:
    """The kernel uses the larger one of ``all`` and the NIC's (ip-sysctl)."""
    keys = (f"ipv4/conf/{link}/{name}" for link in ("all", nic))
    return max(_number(facts.sysctls, key) for key in keys)


def _reverse_path(facts: NodeFacts) -> Iterator[Finding]:
    place = "sysctl net.ipv4.conf.{}.rp_filter"
    strict = [k for k in ("all", "default") if _number(facts.sysctls, _filter(k)) == STRICT]
    strict += [n for n in facts.parents if _effective(facts, "rp_filter", n) == STRICT]
    for name in dict.fromkeys(strict):
        text = (
            "is strict: what comes in by another NIC than the reply would leave by is dropped; "
            "the larger value of all and the NIC counts"
        )
        yield warning(place.format(name), text, f"sysctl -w net.ipv4.conf.{name}.rp_filter=2")
    if not strict:
        yield ok(place.format("*"), "is not strict")


def _filter(name: str) -> str:
    return f"ipv4/conf/{name}/rp_filter"


def _arp(facts: NodeFacts) -> Iterator[Finding]:
    values = {nic: _effective(facts, "arp_ignore", nic) for nic in facts.parents}
    deaf = {nic: value for nic, value in values.items() if value >= DEAF}
    for nic, value in deaf.items():
        text = f"is {value}: questions for the node's own addresses may stay unanswered"
        yield warning(f"sysctl net.ipv4.conf.{nic}.arp_ignore", text, "set it to 1 or less")
    if not deaf:
        yield ok("sysctl net.ipv4.conf.*.arp_ignore", "lets the node answer for its addresses")
    for parent, other in _in_one_network(facts):
        loud = [nic for nic in (parent, other) if not _effective(facts, "arp_ignore", nic)]
        loose = [n for n in (parent, other) if _effective(facts, "arp_announce", n) < ANNOUNCE_OWN]
        if loud or loose:
            text = "are in one network: each answers, or asks, for the other's addresses"
            keys = "".join(f" net.ipv4.conf.{n}.arp_ignore=1" for n in loud)
            keys += "".join(f" net.ipv4.conf.{n}.arp_announce=2" for n in loose)
            yield warning(f"NICs {parent} and {other}", text, f"sysctl -w{keys}")


def _in_one_network(facts: NodeFacts) -> Iterator[tuple[str, str]]:
    """Pairs of a parent and another NIC of the node (IPv6 has no such fault)."""
    for parent, other in product(facts.parents, facts.networks):
        if parent != other and (other not in facts.parents or parent < other):
            pairs = product(facts.networks.get(parent, ()), facts.networks[other])
            if any("." in one and "." in two and overlap(one, two) for one, two in pairs):
                yield parent, other


def _neighbours(facts: NodeFacts) -> Iterator[Finding]:
    """One limit for all namespaces; permanent entries do not count (arp(7))."""
    for family in ("ipv4", "ipv6"):
        key = f"{family}/neigh/default/gc_thresh3"
        if key not in facts.sysctls:
            continue
        most = _number(facts.sysctls, key)
        where = f"sysctl net.{key.replace('/', '.')}"
        each = most // max(facts.pods, 1)
        text = f"{most} for node and pods together: {each} for each of {facts.pods} pods"
        if each < NEIGHBOURS_PER_POD:
            needed = facts.pods * 256
            yield warning(where, text, f"sysctl -w net.{key.replace('/', '.')}={needed}")
        else:
            yield ok(where, text)


def _forwarding(sysctls: Mapping[str, str]) -> Iterator[Finding]:
    for key, family in FORWARDING.items():
        if key not in sysctls:
            continue
        where, name = f"sysctl net.{key.replace('/', '.')}", key.replace("/", ".")
        if _number(sysctls, key):
            yield ok(where, f"{family} is forwarded")
        elif family == "IPv4":
            text = "is off: pods reach neither Services nor other nodes"
            yield problem(where, text, f"sysctl -w net.{name}=1")
        else:
            text = "is off: pods with IPv6 reach neither Services nor other nodes"
            yield warning(where, text, f"sysctl -w net.{name}=1 where IPv6 is used")


def _ipv6(facts: NodeFacts) -> Iterator[Finding]:
    where = "sysctl net.ipv6.conf.all.disable_ipv6"
    value = facts.sysctls.get("ipv6/conf/all/disable_ipv6")
    if value is None:
        text = "the kernel has no IPv6: pods cannot have any either"
        yield warning("IPv6", text, "boot without ipv6.disable=1, or set ipam.enableIPv6=false")
    elif value != "0":
        text = "IPv6 is off on the node: pods' IPv6 routes over it do not work"
        yield warning(where, text, f"sysctl -w {where.removeprefix('sysctl ')}=0")
    else:
        yield ok(where, "IPv6 is on")


def _next_boot(files: Mapping[str, str]) -> Iterator[Finding]:
    """The last file that sets a value counts (sysctl.d(5))."""
    last: dict[str, tuple[str, str]] = {}
    for path, text in files.items():
        for line in text.splitlines():
            key, equals, value = line.strip().removeprefix("-").partition("=")
            name = key.strip().replace("/", ".")
            if equals and not name.startswith(("#", ";")):
                last[name] = (value.strip(), path)
    for key, family in AT_BOOT.items():
        value, path = last.get(f"net.{key.replace('/', '.')}", ("", ""))
        if value == "0":
            text = f"turns {family} forwarding off at the next boot"
            yield warning(path, text, f"take net.{key.replace('/', '.')} out of it")
    value, path = last.get("net.ipv4.conf.all.rp_filter", ("", ""))
    if value == str(STRICT):
        text = "makes the reverse path filter strict at the next boot"
        yield warning(path, text, "take net.ipv4.conf.all.rp_filter out of it")
