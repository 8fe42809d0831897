"""Kernel features that pods' NICs need."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spiderpool.ctl.finding import Finding, ok, problem, warning
from spiderpool.ctl.node.facts import NodeFacts

REQUIRED = {
    "veth": "the way between pod and node in underlay mode",
    "macvlan": "networks of type macvlan",
    "nf_tables": "marks of replies, and kube-proxy in nftables mode",
}
OPTIONAL = {
    "ipvlan": "networks of type ipvlan",
    "8021q": "networks with a vlanID",
    "bonding": "networks with a bond",
}
COOKIES = (5, 14)
"""SO_NETNS_COOKIE, by which a namespace is known (Linux 5.14)."""


def check(facts: NodeFacts) -> Iterator[Finding]:
    """Modules, and what came with a version."""
    kernel = facts.kernel
    found = re.match(r"(\d+)\.(\d+)", kernel.release)
    version = (int(found[1]), int(found[2])) if found else None
    where = f"kernel {kernel.release}".strip()
    if version is None:
        yield warning("kernel", "its version cannot be told", "see uname -r")
    elif version < COOKIES:
        text = "has no cookies of network namespaces, by which the agent tells pods apart"
        yield problem(where, text, "use Linux 5.14 or later")
    else:
        yield ok(where, "has cookies of network namespaces")
    if kernel.features is None:
        yield warning(where, "its modules cannot be told", "mount /lib/modules below --root")
        return
    for name, purpose in REQUIRED.items():
        yield _feature(name, purpose, kernel.features, required=True)
    for name, purpose in OPTIONAL.items():
        yield _feature(name, purpose, kernel.features, required=False)


def _feature(name: str, purpose: str, features: frozenset[str], *, required: bool) -> Finding:
    where = f"kernel module {name}"
    if name in features:
        return ok(where, "is there")
    remedy = f"modprobe {name}, or install the package with the kernel's extra modules"
    return (problem if required else warning)(where, f"is missing: needed for {purpose}", remedy)
