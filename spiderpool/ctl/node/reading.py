"""Reads a node's facts from its files: the one place of the doctor that touches the node."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator
from pathlib import Path

from spiderpool.cni.install import PLUGINS
from spiderpool.ctl.node.agentsocket import ask_status
from spiderpool.ctl.node.cni import BIN, CONF
from spiderpool.ctl.node.executables import look_at
from spiderpool.ctl.node.facts import AgentFacts, Cni, Folder, Kernel, Managers, Nic, NodeFacts
from spiderpool.ctl.node.files import Root
from spiderpool.ctl.node.routing import default_nics, networks

STATE, RUN = "/var/lib/spidernet", "/var/run/spidernet"
SOCKET = f"{RUN}/spiderpool.sock"
ASKED = ("spiderpool", "coordinator")
UNITS = tuple(f"{p}/systemd" for p in ("/etc", "/run", "/usr/local/lib", "/usr/lib"))
NM = tuple(f"{p}/NetworkManager/conf.d" for p in ("/etc", "/run", "/usr/lib"))
SYSCTL_FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
SYSCTLS = (
    "ipv4/ip_forward",
    "ipv6/conf/all/forwarding",
    "ipv6/conf/all/disable_ipv6",
    "ipv4/neigh/default/gc_thresh3",
    "ipv6/neigh/default/gc_thresh3",
)
OF_NICS = ("rp_filter", "arp_ignore", "arp_announce")
IFF_UP, IFF_PROMISC = 0x1, 0x100


def read_node(root: Root, parents: tuple[str, ...], pods: int) -> NodeFacts:
    """``parents`` are the NICs that count; none: those of default routes."""
    chosen = parents or default_nics(root)
    behind = networks(root)
    return NodeFacts(
        kernel=_kernel(root),
        sysctls=_sysctls(root, (*chosen, *behind)),
        nics={name: _nic(root, name) for name in links(root)},
        parents=chosen,
        networks=behind,
        managers=_managers(root),
        cni=_cni(root),
        agent=_agent(root),
        pods=pods,
    )


def _kernel(root: Root) -> Kernel:
    release = root.text("/proc/sys/kernel/osrelease") or ""
    folder = f"/lib/modules/{release}"
    loaded = root.names("/sys/module")
    lists = [root.text(f"{folder}/{name}") for name in ("modules.builtin", "modules.dep")]
    paths = [line.partition(":")[0] for text in lists if text for line in text.splitlines()]
    names = {Path(path).name.partition(".")[0] for path in paths}
    configured = set(_configured(root, release))
    if not names and not configured:
        return Kernel(release)
    found = {name.replace("-", "_") for name in (*names, *loaded)} | configured
    return Kernel(release, frozenset(found))


def _configured(root: Root, release: str) -> Iterator[str]:
    """What the kernel was configured with; a module there may not be installed, so only
    what is built in counts."""
    text = root.text(f"/boot/config-{release}")
    if text is None:
        try:
            text = gzip.decompress(root.at("/proc/config.gz").read_bytes()).decode()
        except (OSError, EOFError, ValueError):
            return
    options = {
        "VETH": "veth",
        "MACVLAN": "macvlan",
        "NF_TABLES": "nf_tables",
        "IPVLAN": "ipvlan",
        "VLAN_8021Q": "8021q",
        "BONDING": "bonding",
    }
    for option in re.findall(r"^CONFIG_(\w+)=y$", text, re.MULTILINE):
        if option in options:
            yield options[option]


def _sysctls(root: Root, nics: tuple[str, ...]) -> dict[str, str]:
    links = dict.fromkeys(("all", "default", *nics))
    keys = [*SYSCTLS, *(f"ipv4/conf/{link}/{name}" for link in links for name in OF_NICS)]
    values = ((key, root.text(f"/proc/sys/net/{key}")) for key in keys)
    return {key: value for key, value in values if value is not None}


def links(root: Root) -> list[str]:
    """Names of the node's links; other files lie beside them (bonding_masters)."""
    folder = "/sys/class/net"
    return [name for name in root.names(folder) if root.exists(f"{folder}/{name}/flags")]


def _nic(root: Root, name: str) -> Nic:
    at = f"/sys/class/net/{name}"
    flags = int(root.text(f"{at}/flags") or "0", 0)
    master = root.text(f"{at}/master/uevent")
    return Nic(
        name=name,
        up=bool(flags & IFF_UP),
        promiscuous=bool(flags & IFF_PROMISC),
        carrier=root.text(f"{at}/carrier") == "1",
        mtu=int(root.text(f"{at}/mtu") or "0"),
        wireless=root.exists(f"{at}/wireless") or root.exists(f"{at}/phy80211"),
        driver=_driver(root, f"{at}/device/driver"),
        master=_value(master or "", "INTERFACE"),
    )


def _driver(root: Root, link: str) -> str:
    return root.at(link).name if root.exists(link) else ""


def _value(text: str, key: str) -> str:
    return next((w.partition("=")[2] for w in text.splitlines() if w.startswith(f"{key}=")), "")


def _managers(root: Root) -> Managers:
    nm = root.texts(("/etc/NetworkManager",), "NetworkManager.conf")
    main = (root.texts((unit,), "networkd.conf") for unit in UNITS)
    networkd = next((found for found in main if found), {})
    drop_ins = root.texts(tuple(f"{unit}/networkd.conf.d" for unit in UNITS), ".conf")
    folders = tuple(f"{unit}/network" for unit in UNITS)
    sysctls = root.texts(SYSCTL_FOLDERS, ".conf")
    return Managers(
        network_manager=root.exists("/run/NetworkManager"),
        network_manager_files=nm | root.texts(NM, ".conf"),
        networkd=root.exists("/run/systemd/netif/state"),
        networkd_files=networkd | drop_ins,
        network_files=root.texts(folders, ".network"),
        link_files=root.texts(folders, ".link"),
        sysctl_files=sysctls | root.texts(("/etc",), "sysctl.conf"),
    )


def _cni(root: Root) -> Cni:
    configurations = {
        path: text
        for path, text in root.texts((CONF,), "").items()
        if path.endswith((".conf", ".conflist", ".json"))
    }
    named = {p for text in configurations.values() for p in _named_kubeconfigs(text)}
    present = {name: root.at(f"{BIN}/{name}") for name in root.names(BIN)}
    return Cni(
        names=frozenset(present),
        ours={name: look_at(present[name]) for name in PLUGINS if name in present},
        configurations=configurations,
        kubeconfigs={path: root.exists(path) for path in sorted(named)},
    )


def _named_kubeconfigs(text: str) -> list[str]:
    return re.findall(r'"kubeconfig"\s*:\s*"(/[^"\\]+)"', text)


def _agent(root: Root) -> AgentFacts:
    answers, silence = {}, ""
    for plugin in ASKED:
        try:
            answers[plugin] = ask_status(root.at(SOCKET), plugin)
        except OSError as error:
            silence = f"does not answer: {error.strerror or error}"
            break
    intents = root.names(f"{STATE}/intents")
    return AgentFacts(
        socket=SOCKET,
        silence=silence,
        answers=answers,
        folders=tuple(Folder(path=path, problem=_unwritable(root, path)) for path in (STATE, RUN)),
        waiting=sum(name.endswith(".intent") for name in intents),
        refused=sum(name.endswith(".refused") for name in intents),
    )


def _unwritable(root: Root, path: str) -> str:
    try:
        folder = root.at(path)
        room = os.statvfs(folder)
    except OSError as error:
        return f"cannot be used: {error.strerror}"
    if not folder.is_dir():
        return "is no folder"
    if room.f_flag & os.ST_RDONLY:
        return "is read-only"
    if room.f_bavail == 0 or (room.f_files and room.f_favail == 0):
        return "is on a full disk"
    return "" if os.access(folder, os.W_OK | os.X_OK) else "may not be written into by this user"
