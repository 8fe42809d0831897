"""SpiderMultusConfigs become NetworkAttachmentDefinitions, and stay so."""

import asyncio
import json
from typing import Any

from controller_world import PAGE_NETWORK, World, coordinator, run, running

from spiderpool.errors import NotFound
from spiderpool.kube import resources
from spiderpool.kube.resources import (
    EVENT,
    NETWORKATTACHMENT,
    SPIDERCOORDINATOR,
    SPIDERMULTUSCONFIG,
)

NAME, NAMESPACE = "macvlan-ens192", "default"


def mode_of(nad: dict[str, Any]) -> Any:
    return json.loads(nad["spec"]["config"])["plugins"][-1].get("mode")


async def nad_in(world: World, mode: str) -> dict[str, Any]:
    return await world.until(NETWORKATTACHMENT, NAME, lambda o: mode_of(o) == mode, NAMESPACE)


async def event_messages(world: World) -> list[str]:
    """What all events say, once there is one."""
    async with asyncio.timeout(5):
        while not (events := (await world.api.list(EVENT))["items"]):
            await asyncio.sleep(0.001)
    return [event["message"] for event in events]


def test_the_page() -> None:
    async def scene() -> None:
        async with running(
            (SPIDERCOORDINATOR, coordinator(mode="overlay")), (SPIDERMULTUSCONFIG, PAGE_NETWORK)
        ) as world:
            nad = await nad_in(world, "overlay")
            owner = nad["metadata"]["ownerReferences"][0]
            smc = await world.api.get(SPIDERMULTUSCONFIG, NAME, NAMESPACE)
            assert owner["uid"] == smc["metadata"]["uid"]
            assert owner["controller"]
            assert owner["blockOwnerDeletion"]

    run(scene)


def test_a_change_of_the_cluster_or_of_the_network_is_followed() -> None:
    async def scene() -> None:
        async with running((SPIDERMULTUSCONFIG, PAGE_NETWORK)) as world:
            await world.until(NETWORKATTACHMENT, NAME, lambda o: mode_of(o) is None, NAMESPACE)
            await world.api.create(SPIDERCOORDINATOR, coordinator(mode="overlay"))
            await nad_in(world, "overlay")
            patch = {"spec": {"coordinator": {"mode": "underlay"}}}
            await world.api.patch(SPIDERMULTUSCONFIG, NAME, patch, NAMESPACE)
            await nad_in(world, "underlay")

    run(scene)


def test_what_others_delete_or_edit_is_repaired() -> None:
    async def scene() -> None:
        async with running(
            (SPIDERCOORDINATOR, coordinator(mode="overlay")), (SPIDERMULTUSCONFIG, PAGE_NETWORK)
        ) as world:
            first = await nad_in(world, "overlay")
            await world.api.delete(NETWORKATTACHMENT, NAME, NAMESPACE)
            uid = first["metadata"]["uid"]
            await world.until(
                NETWORKATTACHMENT, NAME, lambda o: o["metadata"]["uid"] != uid, NAMESPACE
            )
            patch = {"spec": {"config": "{}"}, "metadata": {"ownerReferences": None}}
            await world.api.patch(NETWORKATTACHMENT, NAME, patch, NAMESPACE)
            fixed = await world.until(
                NETWORKATTACHMENT, NAME, lambda o: o["spec"] == first["spec"], NAMESPACE
            )
            assert fixed["metadata"]["ownerReferences"] == first["metadata"]["ownerReferences"]

    run(scene)


def test_an_attachment_of_another_network_is_not_taken() -> None:
    async def scene() -> None:
        thief = {
            "metadata": {
                "name": "thief",
                "namespace": NAMESPACE,
                "annotations": {"multus.spidernet.io/cr-name": NAME},
            },
            "spec": PAGE_NETWORK["spec"],
        }
        async with running((SPIDERMULTUSCONFIG, PAGE_NETWORK)) as world:
            first = await world.until(NETWORKATTACHMENT, NAME, lambda o: True, NAMESPACE)
            await world.api.create(SPIDERMULTUSCONFIG, thief)
            other = {"metadata": {"name": "z", "namespace": NAMESPACE}, "spec": thief["spec"]}
            await world.api.create(SPIDERMULTUSCONFIG, other)
            await world.until(NETWORKATTACHMENT, "z", lambda o: True, NAMESPACE)
            after = await world.api.get(NETWORKATTACHMENT, NAME, NAMESPACE)
            assert after == first

    run(scene)


def test_a_foreign_attachment_without_owner_is_taken_over() -> None:
    async def scene() -> None:
        foreign = {"metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": {"config": "{}"}}
        async with running(
            (NETWORKATTACHMENT, foreign), (SPIDERMULTUSCONFIG, PAGE_NETWORK)
        ) as world:
            await world.until(
                NETWORKATTACHMENT, NAME, lambda o: "macvlan" in o["spec"]["config"], NAMESPACE
            )

    run(scene)


def test_an_attachment_that_an_operator_controls_is_left_to_it() -> None:
    """Both would write it again after each other, for ever."""

    async def scene() -> None:
        owner: dict[str, Any] = {"apiVersion": "sriov.example/v1", "kind": "SriovNetwork"}
        owner |= {"name": "vf", "uid": "u", "controller": True}
        metadata = {"name": NAME, "namespace": NAMESPACE, "ownerReferences": [owner]}
        theirs = {"metadata": metadata, "spec": {"config": "{}"}}
        async with running(
            (NETWORKATTACHMENT, theirs), (SPIDERMULTUSCONFIG, PAGE_NETWORK)
        ) as world:
            other = {"metadata": {"name": "z", "namespace": NAMESPACE}}
            await world.api.create(SPIDERMULTUSCONFIG, other | {"spec": PAGE_NETWORK["spec"]})
            await world.until(NETWORKATTACHMENT, "z", lambda o: True, NAMESPACE)
            found = await world.api.get(NETWORKATTACHMENT, NAME, NAMESPACE)
            assert found["spec"] == {"config": "{}"}
            events = await event_messages(world)
            assert any("is owned by SriovNetwork vf; choose another name" in e for e in events)

    run(scene)


def test_a_name_that_is_taken_does_not_cost_the_one_it_has() -> None:
    async def scene() -> None:
        taken = {"metadata": {"name": "z", "namespace": NAMESPACE}, "spec": PAGE_NETWORK["spec"]}
        async with running((SPIDERMULTUSCONFIG, PAGE_NETWORK), (SPIDERMULTUSCONFIG, taken)) as w:
            for name in (NAME, "z"):
                await w.until(NETWORKATTACHMENT, name, lambda o: True, NAMESPACE)
            patch = {"metadata": {"annotations": {"multus.spidernet.io/cr-name": "z"}}}
            await w.api.patch(SPIDERMULTUSCONFIG, NAME, patch, NAMESPACE)
            patch = {"spec": {"coordinator": {"mode": "underlay"}}}
            await w.api.patch(SPIDERMULTUSCONFIG, "z", patch, NAMESPACE)
            await w.until(NETWORKATTACHMENT, "z", lambda o: mode_of(o) == "underlay", NAMESPACE)
            await w.api.get(NETWORKATTACHMENT, NAME, NAMESPACE)

    run(scene)


def test_another_name_leaves_no_attachment_behind() -> None:
    async def scene() -> None:
        async with running((SPIDERMULTUSCONFIG, PAGE_NETWORK)) as world:
            await world.until(NETWORKATTACHMENT, NAME, lambda o: True, NAMESPACE)
            patch = {"metadata": {"annotations": {"multus.spidernet.io/cr-name": "new"}}}
            await world.api.patch(SPIDERMULTUSCONFIG, NAME, patch, NAMESPACE)
            await world.until(NETWORKATTACHMENT, "new", lambda o: True, NAMESPACE)
            await world.until_gone(NETWORKATTACHMENT, NAME, NAMESPACE)

    run(scene)


def test_what_cannot_be_made_is_made_once_it_is_mended() -> None:
    async def scene() -> None:
        broken = {"metadata": PAGE_NETWORK["metadata"], "spec": {"cniType": "macvlan"}}
        async with running((SPIDERMULTUSCONFIG, broken)) as world:
            await asyncio.sleep(0.01)
            try:
                await world.api.get(NETWORKATTACHMENT, NAME, NAMESPACE)
            except NotFound:
                pass
            else:
                raise AssertionError("an attachment was made of a network without a block")
            patch = {"spec": PAGE_NETWORK["spec"]}
            await world.api.patch(SPIDERMULTUSCONFIG, NAME, patch, NAMESPACE)
            await world.until(NETWORKATTACHMENT, NAME, lambda o: True, NAMESPACE)

    run(scene)


def test_nothing_is_made_in_a_namespace_that_is_going() -> None:
    """Its objects go one by one, the attachment perhaps before what it is made from."""
    namespace = {"metadata": {"name": NAMESPACE, "finalizers": ["example.com/slow"]}}
    later = {"metadata": {"name": "later", "namespace": "other"}, "spec": PAGE_NETWORK["spec"]}

    async def scene() -> None:
        async with running(
            (resources.NAMESPACE, namespace), (SPIDERMULTUSCONFIG, PAGE_NETWORK)
        ) as world:
            await world.until(NETWORKATTACHMENT, NAME, lambda o: True, NAMESPACE)
            await world.api.delete(resources.NAMESPACE, NAMESPACE)
            for _ in range(50):
                await asyncio.sleep(0)
            world.between.requests.clear()
            await world.api.delete(NETWORKATTACHMENT, NAME, NAMESPACE)
            await world.api.create(SPIDERMULTUSCONFIG, later)
            await world.until(NETWORKATTACHMENT, "later", lambda o: True, "other")
            made = [r.name for r in world.between.requests if r.verb == "create"]
            assert made == ["later"]

    run(scene)
