"""kube-proxy on one node: Services and their endpoints as nftables in its namespace."""

from __future__ import annotations

import asyncio
import logging

from harness.netns import nft
from harness.topology.services import Elements, base_script, elements, update_script
from spiderpool.errors import SpiderpoolError
from spiderpool.kube.api import Informer, Object
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import Family, Prefix

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.01
"""Changes within this time share one update."""


class KubeProxy:
    """Follows ``services`` and ``slices`` while :meth:`run` is running."""

    def __init__(
        self,
        node: Namespace,
        pod_cidrs: tuple[Prefix, ...],
        services: Informer,
        slices: Informer,
    ) -> None:
        self._node, self._pod_cidrs = node, pod_cidrs
        self._services, self._slices = services, slices
        self._loaded = {family: Elements() for family in Family}
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Make the tables, then keep them in step until cancelled.

        Raises:
            SpiderpoolError: the tables cannot be made.
        """
        for family in Family:
            await nft.load(self._node, base_script(family, self._pod_cidrs))
        self._services.subscribe(self._on_change)
        self._slices.subscribe(self._on_change)
        while True:
            await self._changed.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._changed.clear()
            try:
                await self.update()
            except SpiderpoolError as error:
                log.warning("kube-proxy: %s", error)

    async def update(self) -> None:
        """Load the difference between what is there and what should be."""
        services, slices = self._services.all(), self._slices.all()
        for family in Family:
            wanted = elements(family, services, slices)
            if script := update_script(family, self._loaded[family], wanted):
                await nft.load(self._node, script)
            self._loaded[family] = wanted

    def _on_change(self, old: Object | None, new: Object | None) -> None:
        self._changed.set()
