"""Whether this machine can run a scenario, before anything of it is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from harness.netns import isolated, privileges, programs
from harness.netns.capabilities import capabilities
from harness.nodes.plugins import machine_plugins
from harness.run import apiservers, kubectl
from harness.run.apiservers import ApiServer
from harness.run.existing.demands import impossible_steps
from harness.scenario.model import Capability, Ip, Scenario

_PRIVILEGES = ("CAP_NET_RAW", "CAP_SYS_ADMIN")
"""What packet sockets and entering others' namespaces take."""


def obstacles(
    scenario: Scenario,
    apiserver: ApiServer = ApiServer.EMBEDDED,
    able: Callable[[], Iterable[Capability]] = capabilities,
) -> Iterator[str]:
    """What is missing, each with the way to mend it; call it inside the sandbox.

    ``able`` finds out what the kernel can do; it is asked only by scenarios that need more
    than every scenario does.
    """
    if missing := apiservers.obstacle(apiserver):
        yield missing
    if kubectl.find() is None:
        yield "no kubectl: run ci/setup, or put one on PATH"
    if programs.find("nft") is None:
        yield "no nft: install the package nftables"
    if programs.find("ip") is None and any(isinstance(step, Ip) for step in scenario.steps):
        yield "no ip: install the package iproute2"
    if "macvlan" not in machine_plugins():
        yield "no CNI plugin macvlan: install the package containernetworking-plugins"
    yield from _lacking_capabilities(scenario, able)


def obstacles_on_a_cluster(
    scenario: Scenario,
    able: Callable[[], Iterable[Capability]] = lambda: isolated.call(capabilities),
    status: Path = privileges.STATUS,
) -> Iterator[str]:
    """The same for a cluster that is there; ``able`` tries in a sandbox of its own."""
    yield from impossible_steps(scenario)
    if kubectl.find() is None:
        yield "no kubectl: run ci/setup, or put one on PATH"
    for name in privileges.lacking(_PRIVILEGES, status):
        yield f"no {name}, by which pods' namespaces are looked into: run as root on the node"
    yield from _lacking_capabilities(scenario, able)


def _lacking_capabilities(
    scenario: Scenario, able: Callable[[], Iterable[Capability]]
) -> Iterator[str]:
    if scenario.needs:
        lacking = set(scenario.needs) - set(able())
        for capability in sorted(lacking):
            yield f"the kernel has no {capability}: `harness doctor` says how to get it"
