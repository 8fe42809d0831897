"""Pods that draw from a SpiderSubnet: their workload, and the pool that is made for it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from spiderpool.agent.ipam_sources import Sources
from spiderpool.errors import BadInput, CniCode, CniError, NotFound
from spiderpool.ipam.annotations import SUBNET, SUBNETS, place
from spiderpool.ipam.autopools import ALL, Application, find, wishes_of_nic
from spiderpool.ipam.facts import Controller, Pod, read_pod
from spiderpool.ipam.pools import Pool
from spiderpool.ipam.selection import Wanted
from spiderpool.ipam.workloads import is_native
from spiderpool.kube.api import Client
from spiderpool.kube.resources import JOB, REPLICASET
from spiderpool.types.address import Family
from spiderpool.types.names import IfName

WAIT_SECONDS = 20.0
"""How long the controller may take to make or enlarge a pool; kubelet asks again after."""
MOST_REMEMBERED = 1000

MAY_BE_MADE = {"ReplicaSet": REPLICASET, "Job": JOB}
"""As :data:`spiderpool.ipam.workloads.BETWEEN`: what is above is asked of the API, once each."""


class SubnetRules:
    """Which pools the annotations ``subnet`` and ``subnets`` mean."""

    def __init__(self, client: Client, sources: Sources, families: frozenset[Family] = ALL) -> None:
        self._client, self._sources, self._families = client, sources, families
        self._tops: OrderedDict[str, Controller] = OrderedDict()

    async def application(self, pod: Pod) -> Application | None:
        """The workload of a pod that asks for subnets; None when it does not.

        Raises:
            BadInput: the pod has no workload.
            KubeError: the API does not say what the workload is.
        """
        keys = [key for key in (SUBNETS, SUBNET) if key in pod.annotations]
        if not keys:
            return None
        if pod.controller.kind == "Pod":
            problem = "SpiderSubnet feature doesn't support no-controller pod"
            remedy = "make the pod by a Deployment, or name pools instead"
            raise BadInput(place(f"Pod {pod.key}", keys[0]), problem, remedy)
        return Application(pod.namespace, await self._top(pod))

    async def rule(self, app: Application, pod: Pod, nic: IfName) -> Wanted:
        """The pools of a NIC, as soon as the controller has made them.

        Raises:
            BadInput: the annotations cannot be used.
            CniError: code 11, when a pool does not come.
        """
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while (rule := self.rule_now(app, pod, nic)) is None:
                    await self._sources.pools_change(self._sources.pools_version)
        except TimeoutError:
            words = f"there is no pool for {nic} of {app.where} yet"
            raise CniError(CniCode.TRY_AGAIN_LATER, f"{words}; its events say why") from None
        return rule

    def rule_now(self, app: Application, pod: Pod, nic: IfName) -> Wanted | None:
        """As :meth:`rule`; None while a pool is missing.

        Raises:
            BadInput: the annotations cannot be used.
        """
        wishes = wishes_of_nic(app, pod.annotations, nic, self._families)
        if not wishes:
            problem = "name no subnet of a family that the cluster uses"
            raise BadInput(f"{app.where}: annotations of subnets", problem)
        known = [pool for pool in self._sources.pools.values() if isinstance(pool, Pool)]
        found = [find(wish, known) for wish in wishes]
        ready = [pool for pool in found if pool is not None]
        if len(ready) < len(wishes):
            return None
        return Wanted(f"the pool of {app.where}", {pool.family: (pool.name,) for pool in ready})

    async def grown(self, since: int) -> bool:
        """Whether pools are, or become soon, other than at version ``since``."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._sources.pools_change(since)
        except TimeoutError:
            return False
        return True

    async def _top(self, pod: Pod) -> Controller:
        owner = pod.controller
        if owner.kind not in MAY_BE_MADE or not is_native(owner):
            return owner
        if owner.uid not in self._tops:
            try:
                obj = await self._client.get(MAY_BE_MADE[owner.kind], owner.name, pod.namespace)
            except NotFound:
                return owner
            above = read_pod(obj).controller
            self._tops[owner.uid] = owner if above.kind == "Pod" else above
            if len(self._tops) > MOST_REMEMBERED:
                self._tops.popitem(last=False)
        return self._tops[owner.uid]
