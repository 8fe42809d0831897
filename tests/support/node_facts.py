"""The facts of a node and a cluster in good health; tests change one of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from spiderpool.cni.versions import SUPPORTED
from spiderpool.ctl.finding import Finding, Level
from spiderpool.ctl.node.cluster import ClusterView
from spiderpool.ctl.node.facts import (
    AgentFacts,
    Cni,
    Executable,
    Folder,
    Kernel,
    Nic,
    NodeFacts,
)
from spiderpool.types.address import Prefix
from spiderpool.types.coordinator import CoordinatorStatus
from spiderpool.types.modes import Phase

Check = Callable[[NodeFacts], Iterable[Finding]]
ALL = frozenset({"veth", "macvlan", "nf_tables", "ipvlan", "8021q", "bonding"})
SYSCTLS = {
    "ipv4/ip_forward": "1",
    "ipv6/conf/all/forwarding": "1",
    "ipv6/conf/all/disable_ipv6": "0",
    "ipv4/neigh/default/gc_thresh3": "28160",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/ens192/arp_ignore": "0",
}
MULTUS = json.dumps({"type": "multus-shim", "kubeconfig": "/etc/cni/net.d/m"})
PLUGIN = Executable(versions=tuple(SUPPORTED))
OURS = dict.fromkeys(("spiderpool", "coordinator", "ifacer"), PLUGIN)
FACTS = NodeFacts(
    kernel=Kernel("6.1.0-13-amd64", ALL),
    sysctls=SYSCTLS,
    nics={"ens192": Nic(name="ens192"), "ens224": Nic(name="ens224")},
    parents=("ens192",),
    networks={"ens192": (Prefix("10.6.0.0/16"),)},
    cni=Cni(
        names=frozenset({*OURS, "macvlan"}),
        ours=OURS,
        configurations={"/etc/cni/net.d/00-multus.conf": MULTUS},
        kubeconfigs={"/etc/cni/net.d/m": True},
    ),
    agent=AgentFacts(
        socket="/s", answers={"spiderpool": ""}, folders=(Folder(path="/var/lib/spidernet"),)
    ),
)
SYNCED = CoordinatorStatus(
    phase=Phase.SYNCED,
    overlay_pod_cidr=(Prefix("10.233.64.0/18"),),
    service_cidr=(Prefix("10.233.0.0/18"),),
)
VIEW = ClusterView(
    found=SYNCED,
    told=SYNCED,
    pools={"a": Prefix("10.6.0.0/16"), "six": Prefix("fd00::/64")},
    masters={"kube-system/lan": ("ens192",)},
)


def wrong(findings: Iterable[Finding]) -> list[str]:
    """What is not ok, as ``level where: text; remedy``."""
    return [f"{f.level} {f}" for f in findings if f.level is not Level.OK]


def only(findings: Iterable[Finding]) -> str:
    (line,) = wrong(findings)
    assert "; " in line, "it says how to mend it"
    return line
