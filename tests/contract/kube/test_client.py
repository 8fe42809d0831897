"""What every Client keeps: the fake and the real one against a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest

from spiderpool.errors import AlreadyExists, Conflict, Invalid, NotFound
from spiderpool.kube.api import JSON_PATCH, Client, Object
from spiderpool.kube.resources import CONFIGMAP, NAMESPACE, NODE, POD

Scenario = Callable[[Client], Awaitable[None]]
Check = Callable[[Scenario], None]


def config_map(name: str, **data: str) -> Object:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


def pod(name: str, **metadata: Any) -> Object:
    containers = [{"name": "main", "image": "busybox"}]
    return {
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {"containers": containers},
    }


def test_create_gives_identity_and_version(check: Check) -> None:
    async def scenario(client: Client) -> None:
        made = await client.create(CONFIGMAP, config_map("a", key="1"))
        assert made["metadata"]["uid"]
        assert made["metadata"]["creationTimestamp"]
        assert int(made["metadata"]["resourceVersion"]) > 0
        assert await client.get(CONFIGMAP, "a", "default") == made

    check(scenario)


def test_create_twice_is_refused(check: Check) -> None:
    async def scenario(client: Client) -> None:
        await client.create(CONFIGMAP, config_map("a"))
        with pytest.raises(AlreadyExists) as caught:
            await client.create(CONFIGMAP, config_map("a"))
        assert (caught.value.status, caught.value.reason) == (409, "AlreadyExists")

    check(scenario)


def test_generated_names_differ(check: Check) -> None:
    async def scenario(client: Client) -> None:
        draft = {"metadata": {"generateName": "a-", "namespace": "default"}}
        first, second = [await client.create(CONFIGMAP, draft) for _ in range(2)]
        assert first["metadata"]["name"].startswith("a-")
        assert first["metadata"]["name"] != second["metadata"]["name"]

    check(scenario)


def test_missing_objects_are_not_found(check: Check) -> None:
    async def scenario(client: Client) -> None:
        for asked in (
            client.get(CONFIGMAP, "none", "default"),
            client.update(CONFIGMAP, config_map("none")),
            client.patch(CONFIGMAP, "none", {"data": {"a": "b"}}, "default"),
            client.delete(CONFIGMAP, "none", "default"),
        ):
            with pytest.raises(NotFound) as caught:
                await asked
            assert (caught.value.status, caught.value.reason) == (404, "NotFound")
            assert caught.value.details["name"] == "none"

    check(scenario)


def test_update_with_a_stale_version_conflicts(check: Check) -> None:
    async def scenario(client: Client) -> None:
        first = await client.create(CONFIGMAP, config_map("a", key="1"))
        second = await client.update(CONFIGMAP, first | {"data": {"key": "2"}})
        assert int(second["metadata"]["resourceVersion"]) > int(
            first["metadata"]["resourceVersion"]
        )
        with pytest.raises(Conflict) as caught:
            await client.update(CONFIGMAP, first | {"data": {"key": "3"}})
        assert (caught.value.status, caught.value.reason) == (409, "Conflict")
        assert (await client.get(CONFIGMAP, "a", "default"))["data"] == {"key": "2"}

    check(scenario)


def test_update_without_a_change_keeps_the_version(check: Check) -> None:
    async def scenario(client: Client) -> None:
        first = await client.create(CONFIGMAP, config_map("a", key="1"))
        assert await client.update(CONFIGMAP, first) == first

    check(scenario)


def test_merge_patch(check: Check) -> None:
    async def scenario(client: Client) -> None:
        await client.create(CONFIGMAP, config_map("a", keep="1", drop="2"))
        patch = {"data": {"drop": None, "new": "3"}}
        answer = await client.patch(CONFIGMAP, "a", patch, "default")
        assert answer["data"] == {"keep": "1", "new": "3"}

    check(scenario)


def test_json_patch_tests_first(check: Check) -> None:
    async def scenario(client: Client) -> None:
        await client.create(CONFIGMAP, config_map("a", key="1"))
        change = [
            {"op": "test", "path": "/data/key", "value": "1"},
            {"op": "replace", "path": "/data/key", "value": "2"},
        ]
        answer = await client.patch(CONFIGMAP, "a", change, "default", content_type=JSON_PATCH)
        assert answer["data"] == {"key": "2"}
        with pytest.raises(Invalid) as caught:
            await client.patch(CONFIGMAP, "a", change, "default", content_type=JSON_PATCH)
        assert caught.value.status == 422

    check(scenario)


def test_a_patch_with_a_stale_version_conflicts(check: Check) -> None:
    async def scenario(client: Client) -> None:
        first = await client.create(CONFIGMAP, config_map("a", key="1"))
        await client.patch(CONFIGMAP, "a", {"data": {"key": "2"}}, "default")
        version = first["metadata"]["resourceVersion"]
        stale = {"metadata": {"resourceVersion": version}, "data": {"key": "3"}}
        with pytest.raises(Conflict):
            await client.patch(CONFIGMAP, "a", stale, "default")

    check(scenario)


def test_status_is_written_apart(check: Check) -> None:
    async def scenario(client: Client) -> None:
        made = await client.create(POD, pod("p"))
        assert made["metadata"]["generation"] == 1
        labelled = made | {"status": {"phase": "Failed"}}
        labelled["metadata"] = made["metadata"] | {"labels": {"a": "b"}}
        kept = await client.update(POD, labelled)
        assert kept["metadata"]["labels"] == {"a": "b"}
        assert kept.get("status", {}).get("phase") != "Failed"
        other = kept | {"status": {"phase": "Running"}}
        other["spec"] = {"containers": [{"name": "main", "image": "other"}]}
        written = await client.update(POD, other, subresource="status")
        assert written["status"]["phase"] == "Running"
        assert written["spec"]["containers"][0]["image"] == "busybox"
        assert written["metadata"]["generation"] == 1

    check(scenario)


def test_annotations_of_a_pod_may_come_with_its_status(check: Check) -> None:
    """Multus writes its report so."""

    async def scenario(client: Client) -> None:
        await client.create(POD, pod("a"))
        body = {"metadata": {"annotations": {"told": "1"}}, "status": {"phase": "Running"}}
        await client.patch(POD, "a", body, "default", subresource="status")
        found = await client.get(POD, "a", "default")
        assert found["metadata"]["annotations"] == {"told": "1"}
        assert found["status"]["phase"] == "Running"

    check(scenario)


def test_delete_with_another_uid_conflicts(check: Check) -> None:
    async def scenario(client: Client) -> None:
        made = await client.create(CONFIGMAP, config_map("a"))
        with pytest.raises(Conflict):
            await client.delete(CONFIGMAP, "a", "default", uid="f00d")
        await client.delete(CONFIGMAP, "a", "default", uid=made["metadata"]["uid"])
        with pytest.raises(NotFound):
            await client.get(CONFIGMAP, "a", "default")

    check(scenario)


def test_a_finalizer_holds_a_deleted_object(check: Check) -> None:
    async def scenario(client: Client) -> None:
        held = config_map("a")
        held["metadata"]["finalizers"] = ["example.org/hold"]
        await client.create(CONFIGMAP, held)
        await client.delete(CONFIGMAP, "a", "default")
        waiting = await client.get(CONFIGMAP, "a", "default")
        assert waiting["metadata"]["deletionTimestamp"]
        await client.patch(CONFIGMAP, "a", {"metadata": {"finalizers": None}}, "default")
        with pytest.raises(NotFound):
            await client.get(CONFIGMAP, "a", "default")

    check(scenario)


def test_a_pod_on_a_node_is_deleted_in_two_steps(check: Check) -> None:
    async def scenario(client: Client) -> None:
        draft = pod("p")
        draft["spec"]["nodeName"] = "worker01"
        await client.create(POD, draft)
        await client.delete(POD, "p", "default")
        leaving = await client.get(POD, "p", "default")
        assert leaving["metadata"]["deletionTimestamp"]
        assert leaving["metadata"]["deletionGracePeriodSeconds"] == 30
        await client.delete(POD, "p", "default", grace_seconds=0)
        with pytest.raises(NotFound):
            await client.get(POD, "p", "default")

    check(scenario)


def test_lists_are_selected(check: Check) -> None:
    async def scenario(client: Client) -> None:
        await client.create(NAMESPACE, {"metadata": {"name": "other"}})
        await client.create(POD, pod("a", labels={"app": "x", "tier": "1"}))
        await client.create(POD, pod("b", labels={"app": "y"}))
        await client.create(POD, pod("c", namespace="other", labels={"app": "x"}))

        async def names(namespace: str | None = None, labels: str = "", fields: str = "") -> Any:
            answer = await client.list(POD, namespace, label_selector=labels, field_selector=fields)
            return sorted(obj["metadata"]["name"] for obj in answer["items"])

        assert await names() == ["a", "b", "c"]
        assert await names("default") == ["a", "b"]
        assert await names(labels="app=x") == ["a", "c"]
        assert await names(labels="app!=x") == ["b"]
        assert await names(labels="app in (x,y),tier") == ["a"]
        assert await names(labels="app notin (x)") == ["b"]
        assert await names(labels="!tier") == ["b", "c"]
        assert await names(fields="metadata.name=b") == ["b"]
        assert await names(fields="metadata.namespace!=default") == ["c"]

    check(scenario)


def test_a_list_comes_in_parts_of_one_moment(check: Check) -> None:
    async def scenario(client: Client) -> None:
        for number in range(5):
            await client.create(CONFIGMAP, config_map(f"a{number}"))
        version = (await client.list(CONFIGMAP, "default"))["metadata"]["resourceVersion"]
        found: list[list[str]] = []
        async for part in client.list_parts(CONFIGMAP, "default", most=2):
            assert part["metadata"]["resourceVersion"] == version
            found.append([obj["metadata"]["name"] for obj in part["items"]])
            await client.create(CONFIGMAP, config_map(f"b{len(found)}"))
        assert found == [["a0", "a1"], ["a2", "a3"], ["a4"]]
        nothing = [part["items"] async for part in client.list_parts(NODE)]
        assert nothing == [[]]

    check(scenario)


def test_cluster_scoped_objects(check: Check) -> None:
    async def scenario(client: Client) -> None:
        made = await client.create(NODE, {"metadata": {"name": "worker01"}})
        assert await client.get(NODE, "worker01") == made
        assert "namespace" not in made["metadata"]

    check(scenario)


async def told(events: AsyncIterator[Object], count: int) -> list[tuple[str, str]]:
    """The next events that are no bookmarks, as (type, name)."""
    found: list[tuple[str, str]] = []
    while len(found) < count:
        event = await asyncio.wait_for(anext(events), 5)
        if event["type"] != "BOOKMARK":
            found.append((event["type"], event["object"]["metadata"]["name"]))
    return found


def test_a_watch_continues_from_a_list(check: Check) -> None:
    async def scenario(client: Client) -> None:
        await client.create(CONFIGMAP, config_map("before"))
        listed = await client.list(CONFIGMAP, "default")
        version = listed["metadata"]["resourceVersion"]
        await client.create(CONFIGMAP, config_map("a"))
        events = client.watch(CONFIGMAP, "default", resource_version=version)
        async with aclosing(events):  # type: ignore[type-var]
            assert await told(events, 1) == [("ADDED", "a")]
            await client.patch(CONFIGMAP, "a", {"data": {"x": "y"}}, "default")
            await client.delete(CONFIGMAP, "a", "default")
            assert await told(events, 2) == [("MODIFIED", "a"), ("DELETED", "a")]

    check(scenario)


def test_a_watch_sees_objects_leave_and_enter_its_selection(check: Check) -> None:
    async def scenario(client: Client) -> None:
        version = (await client.list(POD))["metadata"]["resourceVersion"]
        events = client.watch(POD, resource_version=version, label_selector="app=x")
        async with aclosing(events):  # type: ignore[type-var]
            await client.create(POD, pod("a", labels={"app": "y"}))
            await client.patch(POD, "a", {"metadata": {"labels": {"app": "x"}}}, "default")
            await client.patch(POD, "a", {"metadata": {"labels": {"app": "y"}}}, "default")
            assert await told(events, 2) == [("ADDED", "a"), ("DELETED", "a")]

    check(scenario)


def test_the_version_of_a_deletion_is_newer_than_the_object(check: Check) -> None:
    async def scenario(client: Client) -> None:
        made = await client.create(CONFIGMAP, config_map("a"))
        version = made["metadata"]["resourceVersion"]
        await client.delete(CONFIGMAP, "a", "default")
        events = client.watch(CONFIGMAP, "default", resource_version=version)
        async with aclosing(events):  # type: ignore[type-var]
            event = await asyncio.wait_for(anext(events), 5)
        assert event["type"] == "DELETED"
        assert int(event["object"]["metadata"]["resourceVersion"]) > int(version)

    check(scenario)


def test_a_core_object_may_be_written_without_a_version(
    check: Check,
) -> None:
    async def scenario(client: Client) -> None:
        made = await client.create(NAMESPACE, {"metadata": {"name": "n"}})
        await client.update(
            NAMESPACE, made | {"metadata": made["metadata"] | {"labels": {"a": "b"}}}
        )
        unversioned = {"metadata": {"name": "n", "labels": {"c": "d"}}}
        assert (await client.update(NAMESPACE, unversioned))["metadata"]["labels"]["c"] == "d"

    check(scenario)


def test_deleting_twice(check: Check) -> None:
    async def scenario(client: Client) -> None:
        await client.create(CONFIGMAP, config_map("a"))
        await client.delete(CONFIGMAP, "a", "default")
        with pytest.raises(NotFound):
            await client.delete(CONFIGMAP, "a", "default")

    check(scenario)


def test_concurrent_writers_of_one_version(check: Check) -> None:
    """Of writers that all read the same version, exactly one succeeds."""

    async def scenario(client: Client) -> None:
        first = await client.create(CONFIGMAP, config_map("a"))
        writes = [client.update(CONFIGMAP, first | {"data": {"n": str(n)}}) for n in range(8)]
        answers = await asyncio.gather(*writes, return_exceptions=True)
        assert sorted(isinstance(answer, Conflict) for answer in answers) == [False] + [True] * 7

    check(scenario)


def test_a_dry_run_stores_nothing(check: Check) -> None:
    async def scenario(client: Client) -> None:
        made = await client.create(CONFIGMAP, config_map("a", key="1"), dry_run=True)
        assert made["data"] == {"key": "1"}
        with pytest.raises(NotFound):
            await client.get(CONFIGMAP, "a", "default")

    check(scenario)


def test_a_page_is_read_up_to_a_limit(check: Check) -> None:
    async def scenario(client: Client) -> None:
        page = await client.page("/version")
        assert json.loads(page)["gitVersion"].startswith("v1.")
        assert await client.page("/version", most=5) == page[:5]
        with pytest.raises(NotFound):
            await client.page("/no/such/page")

    check(scenario)
