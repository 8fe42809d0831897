"""Whether what keeps an address over the end of a pod still wants it, asked of the API."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from spiderpool.errors import KubeError, NotFound
from spiderpool.ipam.ledger import Entry
from spiderpool.ipam.reclaim import is_kept
from spiderpool.ipam.sticky import STATEFULSET
from spiderpool.ipam.surroundings import Surroundings, keeper_key, read_statefulset
from spiderpool.kube.api import Client
from spiderpool.kube.resources import STATEFULSET as STATEFULSETS

log = logging.getLogger(__name__)


class Keepers:
    """Asks for StatefulSets; virtual machines are the collector's, which watches them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def kept(self, entries: Iterable[Entry]) -> list[Entry]:
        """Those of which the keeper is there and wants the pod, or could not be asked."""
        return [entry for entry in entries if entry.slot.owner and await self._is_kept(entry)]

    async def _is_kept(self, entry: Entry) -> bool:
        kind, _, name = (entry.slot.owner or "").partition("/")
        namespace = (entry.slot.pod or "").partition("/")[0]
        if kind != STATEFULSET:
            return True
        try:
            found = await self._client.get(STATEFULSETS, name, namespace)
        except NotFound:
            return False
        except KubeError as exc:
            log.warning("%s stays with %s: %s", entry.address, entry.slot.owner, exc)
            return True
        keepers = {keeper_key(found, STATEFULSET): read_statefulset(found)}
        around = Surroundings(keepers=keepers, kinds=frozenset({STATEFULSET}), now=time.time())
        return is_kept(entry, around)
