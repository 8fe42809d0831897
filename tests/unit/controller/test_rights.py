"""A controller that may not do everything that it was made to do."""

from __future__ import annotations

from typing import Any

from controller_world import KUBEADM, PAGE_NETWORK, coordinator, run, running

from spiderpool.kube.resources import (
    CALICO_IPPOOL,
    CONFIGMAP,
    EVENT,
    NETWORKATTACHMENT,
    SPIDERCOORDINATOR,
    SPIDERIPPOOL,
    SPIDERMULTUSCONFIG,
    VIRTUALMACHINE,
    VIRTUALMACHINEINSTANCE,
    Resource,
)
from spiderpool.testing.kubefaults import Chooses, Request, nothing

CALICO_POOL = {"metadata": {"name": "p"}, "spec": {"cidr": "10.244.0.0/16"}}
POOL = {"metadata": {"name": "a"}, "spec": {"subnet": "10.6.0.0/16", "ips": ["10.6.0.5"]}}


def of(*kinds: Resource) -> Chooses:
    def chooses(request: Request) -> bool:
        return request.resource in kinds

    return chooses


def synced(obj: Any) -> bool:
    return (obj.get("status") or {}).get("phase") == "Synced"


def test_kinds_of_others_that_may_not_be_listed_do_not_keep_it_from_its_work() -> None:
    async def scene() -> None:
        async with running(
            (CONFIGMAP, KUBEADM),
            (SPIDERCOORDINATOR, coordinator()),
            (SPIDERMULTUSCONFIG, PAGE_NETWORK),
            forbidden=of(CALICO_IPPOOL, VIRTUALMACHINE, VIRTUALMACHINEINSTANCE, EVENT),
        ) as world:
            await world.until(SPIDERCOORDINATOR, "default", synced)
            await world.until(NETWORKATTACHMENT, "macvlan-ens192", lambda o: True, "default")

    run(scene)


def test_cidrs_that_may_not_be_read_are_a_reason_and_are_read_when_they_may() -> None:
    async def scene() -> None:
        async with running(
            (CONFIGMAP, KUBEADM),
            (CALICO_IPPOOL, CALICO_POOL),
            (SPIDERCOORDINATOR, coordinator(podCIDRType="auto")),
            forbidden=of(CALICO_IPPOOL),
        ) as world:
            obj = await world.until(SPIDERCOORDINATOR, "default", lambda o: o.get("status"))
            assert obj["status"]["phase"] == "NotReady"
            assert 'cannot list resource "ippools"; set spec.' in obj["status"]["reason"]
            world.between.forbidden = nothing
            obj = await world.until(SPIDERCOORDINATOR, "default", synced)
            assert obj["status"]["overlayPodCIDR"] == ["10.244.0.0/16"]

    run(scene)


def test_cidrs_that_were_known_hold_while_they_may_not_be_read() -> None:
    """A controller that starts anew without the right does not refuse every pod."""

    async def scene() -> None:
        async with running(
            (CONFIGMAP, KUBEADM),
            (CALICO_IPPOOL, CALICO_POOL),
            (SPIDERCOORDINATOR, coordinator(podCIDRType="calico")),
        ) as world:
            before = await world.until(SPIDERCOORDINATOR, "default", synced)
        async with running(forbidden=of(CALICO_IPPOOL), api=world.api) as world:
            await world.api.create(SPIDERIPPOOL, POOL)
            await world.until(SPIDERIPPOOL, "a", lambda o: o.get("status"))
            assert await world.api.get(SPIDERCOORDINATOR, "default") == before
            change = {"spec": {"cidr": "10.245.0.0/16"}}
            await world.api.patch(CALICO_IPPOOL, "p", change)
            world.between.forbidden = nothing
            await world.until(
                SPIDERCOORDINATOR,
                "default",
                lambda o: o["status"]["overlayPodCIDR"] == ["10.245.0.0/16"],
            )

    run(scene)
