"""A case shaped like a recorded one: a pod with Calico's eth0 and a macvlan net1 on one node, of
which net1 is attached and detached again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Fields = dict[str, Any]

CONTAINER = "0123456789ab" * 4
NETNS = "/var/run/netns/pod"
CALI, NODE, GATEWAY = "cali1f2e3d4c5b6", "10.6.212.132", "10.6.0.1"
ETH0, NET1 = "10.233.73.210", "10.6.212.145"
CIDRS = {"overlayPodCIDR": ["10.233.64.0/18"], "serviceCIDR": ["10.233.0.0/18"]}


def write_case(folder: Path, mode: str = "overlay") -> Path:
    """The folder, filled; the recorded ends of the calls are those that nothing was done in."""
    spec = {"mode": mode, "podCIDRType": "cluster", "tunePodRoutes": True}
    described = {"nics": ["eth0", "net1"], "coord_nics": ["net1"], "coordinator_spec": spec}
    _write(folder / "case.json", described)
    _write(folder / "agent-coordinator-config.json", {"mode": mode, "tunePodRoutes": True, **CIDRS})
    for moment in ("2-net1-before", "2-net1-after", "del-net1-after"):
        _write(folder / moment / "pod.json", _pod())
        _write(folder / moment / "node.json", _node())
    result = _result()
    netconf = {"cniVersion": "0.3.1", "name": "macvlan", "type": "coordinator", "mode": mode}
    _write(folder / "2-net1-coordinator.stdin.json", netconf | {"prevResult": result})
    _write(folder / "2-net1-coordinator.stdout.json", result)
    (folder / "2-net1-coordinator.rc").write_text("0\n")
    (folder / "2-net1-coordinator.env").write_text("\n".join(_environment()))
    return folder


def _write(file: Path, value: Fields) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value))


def _environment() -> list[str]:
    pod = f"K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID={CONTAINER}"
    return [
        "CNI_COMMAND=ADD",
        f"CNI_CONTAINERID={CONTAINER}",
        f"CNI_NETNS={NETNS}",
        "CNI_IFNAME=net1",
        f"CNI_ARGS=IgnoreUnknown=true;{pod};K8S_POD_UID=7c1de4ba-8b46-4f9f-b7f2-2d2f3e0f6d8a",
    ]


def _result() -> Fields:
    address = {"version": "4", "interface": 0, "address": f"{NET1}/16", "gateway": GATEWAY}
    nic = {"name": "net1", "mac": "2a:1e:a1:db:2a:95", "sandbox": NETNS}
    routes = [{"dst": "0.0.0.0/0", "gw": GATEWAY}]
    return {"cniVersion": "0.3.1", "interfaces": [nic], "ips": [address], "routes": routes}


def _pod() -> Fields:
    """IPAM's default route by net1 comes before Calico's."""
    eth0 = _link("eth0", 2, "veth", "a2:99:9d:04:01:80", ETH0, 32) | _elsewhere(3)
    net1 = _link("net1", 3, "macvlan", "2a:1e:a1:db:2a:95", NET1, 16) | _elsewhere(2)
    routes = [
        {"dst": "default", "gateway": GATEWAY, "dev": "net1"},
        {"dst": "default", "gateway": "169.254.1.1", "dev": "eth0"},
        _connected("net1", NET1),
        {"dst": "169.254.1.1", "dev": "eth0", "scope": "link"},
    ]
    return _state([eth0, net1], routes)


def _node() -> Fields:
    ens192 = _link("ens192", 2, "veth", "00:50:56:b4:16:ef", NODE, 16) | _elsewhere(2)
    cali = _link(CALI, 3, "veth", "ee:ee:ee:ee:ee:ee") | _elsewhere(2)
    routes = [
        {"dst": "default", "gateway": GATEWAY, "dev": "ens192"},
        _connected("ens192", NODE),
        {"dst": ETH0, "dev": CALI, "scope": "link"},
    ]
    return _state([ens192, cali], routes)


def _link(name: str, index: int, kind: str, mac: str, address: str = "", length: int = 0) -> Fields:
    entry = {"local": address, "prefixlen": length, "scope": "global"}
    return {
        "ifname": name,
        "ifindex": index,
        "flags": ["BROADCAST", "MULTICAST", "UP"],
        "mtu": 1500,
        "address": mac,
        "linkinfo": {"info_kind": kind},
        "addr_info": [entry] if address else [],
    }


def _elsewhere(index: int) -> Fields:
    return {"link_index": index, "link_netnsid": 0}


def _connected(link: str, address: str) -> Fields:
    route = {"dst": "10.6.0.0/16", "dev": link, "protocol": "kernel", "scope": "link"}
    return route | {"prefsrc": address}


def _state(links: list[Fields], routes: list[Fields]) -> Fields:
    own = {"local": "127.0.0.1", "prefixlen": 8, "scope": "host"}
    lo = {
        "ifname": "lo",
        "ifindex": 1,
        "flags": ["LOOPBACK", "UP"],
        "mtu": 65536,
        "addr_info": [own],
    }
    tables = ((0, "local"), (32766, "main"), (32767, "default"))
    rules = [{"priority": priority, "src": "all", "table": table} for priority, table in tables]
    nothing: dict[str, list[Fields]] = {"rule6": [], "route6": [], "neigh": [], "neigh6": []}
    return {"addr": [lo | {"addr_info": [own]}, *links], "rule": rules, "route": routes, **nothing}
