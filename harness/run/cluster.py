"""What a run needs of a cluster, whether it makes one or finds one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from harness.nodes.sandboxes import Serve
from harness.run.kubectl import Kubectl
from harness.run.writes import Write
from spiderpool.kube.api import Client
from spiderpool.netlink.namespace import Namespace


class Cluster(Protocol):
    """Two make it: :class:`harness.run.emulated.EmulatedCluster` builds everything, and
    :class:`harness.run.existing.cluster.ExistingCluster` finds everything there."""

    @property
    def kubeconfig(self) -> Path: ...

    @property
    def kubectl(self) -> Kubectl: ...

    @property
    def client(self) -> Client:
        """The API, once the cluster has started."""
        ...

    @property
    def timings(self) -> Mapping[str, float]:
        """Seconds by name."""
        ...

    @property
    def places(self) -> Mapping[str, Namespace]:
        """The namespaces of machines, of the switch and of pods, by the names of captures."""
        ...

    @property
    def machines(self) -> tuple[str, ...]:
        """The places that are nodes, routers and hosts."""
        ...

    async def start(self, serve: Serve) -> None:
        """Have everything but Spiderpool there. ``serve`` is called for each pod that starts,
        and what it returns when the pod ends."""
        ...

    async def stop(self) -> None:
        """Take away what the run has made."""
        ...

    async def install_spiderpool(self) -> None:
        """Return once Spiderpool is there."""
        ...

    async def write(self, step: Write) -> None:
        """Change objects of the API.

        Raises:
            KubectlFailed: the API, or kubectl itself, refuses.
        """
        ...

    async def settle(self) -> None:
        """Wait until pods and Services work as the API says; raise PartEnded if they do not."""
        ...

    def check(self) -> None:
        """Raise PartEnded when a part of the cluster has failed."""
        ...

    async def logs(self) -> Mapping[str, bytes]:
        """What programs of the cluster have written, by program."""
        ...
