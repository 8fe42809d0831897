"""Whether this machine can run a scenario, before anything of it is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from harness.netns import nft
from harness.netns.capabilities import capabilities
from harness.nodes.plugins import machine_plugins
from harness.run import apiservers, kubectl
from harness.run.apiservers import ApiServer
from harness.scenario.model import Capability, Scenario


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
    if nft.find() is None:
        yield "no nft: install the package nftables"
    if "macvlan" not in machine_plugins():
        yield "no CNI plugin macvlan: install the package containernetworking-plugins"
    if scenario.needs:
        lacking = set(scenario.needs) - set(able())
        for capability in sorted(lacking):
            yield f"the kernel has no {capability}: `harness doctor` says how to get it"
