"""NetworkManager, systemd-networkd and udev: programs that undo what others set up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from spiderpool.ctl.finding import Finding, ok, warning
from spiderpool.ctl.node.facts import NodeFacts

Sections = list[tuple[str, dict[str, list[str]]]]
LINKS = {"veth0123456789a": "the coordinator's veths", "cali0123456789a": "Calico's veths"}
"""Names as they are on a node."""
NM_FILE = "/etc/NetworkManager/conf.d/spiderpool.conf"
NM_LINE = "[keyfile] unmanaged-devices=interface-name:veth*;interface-name:cali*"
NETWORKD_FILE = "/etc/systemd/networkd.conf.d/spiderpool.conf"
NO = ("no", "false", "0", "off")
FOREIGN = ("ManageForeignRoutes", "ManageForeignRoutingPolicyRules")
"""networkd.conf(5): both are yes by default."""


def check(facts: NodeFacts) -> Iterator[Finding]:
    """Each of the three, if it runs here."""
    managers = facts.managers
    if managers.network_manager:
        yield from _network_manager(managers.network_manager_files)
    else:
        yield ok("NetworkManager", "does not run")
    if managers.networkd:
        yield from _networkd(managers.networkd_files, managers.network_files)
        yield from _forwarding(managers.network_files, facts.parents)
    else:
        yield ok("systemd-networkd", "does not run")
    yield _mac_policy(managers.link_files)


def read(text: str) -> Sections:
    """An ini-like file; keys may repeat and sections, too (systemd.syntax(7))."""
    sections: Sections = [("", {})]
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if header := re.fullmatch(r"\[(.*)\]", line):
            sections.append((header[1], {}))
        else:
            key, _, value = line.partition("=")
            sections[-1][1].setdefault(key.strip(), []).append(value.strip())
    return sections


def _network_manager(files: Mapping[str, str]) -> Iterator[Finding]:
    """NetworkManager.conf(5): the last file that has the key counts."""
    specs: list[str] = []
    for text in files.values():
        for section, keys in read(text):
            if section == "keyfile" and "unmanaged-devices" in keys:
                specs = re.split(r"[;,\s]+", keys["unmanaged-devices"][-1])
            elif section.startswith("device") and keys.get("managed", [""])[-1] in ("0", "false"):
                specs = [*specs, *re.split(r"[;,\s]+", keys.get("match-device", [""])[-1])]
    managed = [words for name, words in LINKS.items() if not _is_left_alone(name, specs)]
    if managed:
        text = f"runs, and may take over {' and '.join(managed)}, with their addresses and routes"
        yield warning("NetworkManager", text, f"write {NM_LINE!r} (two lines) into {NM_FILE}")
    else:
        yield ok("NetworkManager", "leaves pods' veths alone")


def _is_left_alone(name: str, specs: list[str]) -> bool:
    for spec in specs:
        kind, _, pattern = spec.partition(":")
        if kind == "*" or (kind == "interface-name" and _matches(name, pattern.lstrip("=~"))):
            return True
        if kind in ("driver", "type") and pattern == "veth":
            return True
    return False


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern)


def _networkd(conf: Mapping[str, str], networks: Mapping[str, str]) -> Iterator[Finding]:
    said: dict[str, str] = {}
    for text in conf.values():
        for section, keys in read(text):
            if section == "Network":
                said |= {key: values[-1] for key, values in keys.items()}
    dropped = [key for key in FOREIGN if said.get(key, "yes").lower() in ("yes", "true", "1", "on")]
    if dropped:
        text = (
            "runs, and removes rules and routes of others when it restarts: the node's way to pods"
        )
        lines = ", ".join(f"{key}=no" for key in dropped)
        yield warning("systemd-networkd", text, f"write {lines} below [Network] in {NETWORKD_FILE}")
    else:
        yield ok("systemd-networkd", "leaves rules and routes of others alone")
    for name, words in LINKS.items():
        path = next((p for p, text in networks.items() if _applies(text, name)), "")
        if path and not _says(networks[path], "Link", "Unmanaged", "yes"):
            text = f"matches {words}"
            remedy = "narrow its [Match] down, or match them earlier with [Link] Unmanaged=yes"
            yield warning(path, text, remedy)


def _forwarding(networks: Mapping[str, str], parents: tuple[str, ...]) -> Iterator[Finding]:
    """systemd.network(5): the first file that matches a NIC counts, and sets what it says."""
    for nic in parents:
        path = next((p for p, text in networks.items() if _applies(text, nic, kind="")), "")
        for key in ("IPForward", "IPv4Forwarding", "IPv6Forwarding"):
            if path and any(_says(networks[path], "Network", key, no) for no in NO):
                text = f"turns forwarding off for {nic} whenever networkd sets it up ({key})"
                yield warning(path, text, f"take {key} out of it, or say yes")


def _mac_policy(files: Mapping[str, str]) -> Finding:
    """systemd.link(5): the first file that matches a link counts."""
    where = "udev MACAddressPolicy"
    for path, text in files.items():
        if not _applies(text, "macvlan0", kind="macvlan"):
            continue
        for section, keys in read(text):
            policy = keys.get("MACAddressPolicy", [""])[-1]
            if section == "Link" and policy in ("persistent", "random"):
                words = (
                    f"{policy} for macvlan links ({path}): one that appears on the node before it "
                    "moves into a pod gets another MAC than its result says"
                )
                remedy = (
                    "write '[Match] Kind=macvlan veth [Link] MACAddressPolicy=none' (four lines) "
                    "into /etc/systemd/network/10-spiderpool.link"
                )
                return warning(where, words, remedy)
        break
    return ok(where, "leaves MACs of macvlan links alone")


def _applies(text: str, name: str, kind: str = "veth") -> bool:
    """Whether a file's ``[Match]`` is one of a virtual link; an empty one matches nothing
    here, for newer releases ignore such files."""
    known = {"Name": name, "OriginalName": name, "Driver": kind, "Kind": kind, "Type": "ether"}
    for section, keys in read(text):
        if section == "Match":
            return bool(keys) and all(
                key in known and _among(known[key], " ".join(values))
                for key, values in keys.items()
            )
    return False


def _among(value: str, patterns: str) -> bool:
    """A list of globs; with ``!`` in front it must be none of them."""
    negated = patterns.startswith("!")
    found = any(fnmatchcase(value, p) for p in patterns.removeprefix("!").split())
    return found is not negated


def _says(text: str, section: str, key: str, value: str) -> bool:
    return any(
        name == section and keys.get(key, [""])[-1].lower() == value for name, keys in read(text)
    )
