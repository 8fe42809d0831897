"""The store: states of the past, changes, revisions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kubeapi.status import ApiError
from harness.kubeapi.store import Happened, Store

NAMES = st.sampled_from(["a", "b", "c"])


def obj(name: str, value: int = 0, namespace: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "value": value}


def write(store: Store, name: str, value: int | None) -> None:
    """A value is stored, None deletes what is there."""
    if value is not None:
        store.put("things", obj(name, value))
    elif store.get("things", ("", name)):
        store.delete("things", ("", name))


def contents(objects: list[dict[str, Any]]) -> dict[str, int]:
    return {each["metadata"]["name"]: each["value"] for each in objects}


@given(st.lists(st.tuples(NAMES, st.none() | st.integers(0, 9))))
def test_every_past_state_can_be_read(writes: list[tuple[str, int | None]]) -> None:
    store = Store()
    states = {store.revision: contents([])}
    for name, value in writes:
        write(store, name, value)
        states[store.revision] = contents(store.all("things"))
    for revision, state in states.items():
        assert contents(store.snapshot("things", revision)) == state


@given(st.lists(st.tuples(NAMES, st.none() | st.integers(0, 9))), st.integers(0, 30))
def test_changes_lead_from_any_state_to_the_present(
    writes: list[tuple[str, int | None]], start: int
) -> None:
    store = Store()
    for name, value in writes:
        write(store, name, value)
    revision = min(1 + start, store.revision)
    state = contents(store.snapshot("things", revision))
    for change in store.bucket("things").since(revision):
        name = change.new["metadata"]["name"]
        if change.happened is Happened.DELETED:
            del state[name]
        else:
            assert (name in state) is (change.happened is Happened.MODIFIED)
            state[name] = change.new["value"]
    assert state == contents(store.all("things"))


def test_revisions_grow_over_all_buckets() -> None:
    store = Store()
    first = store.put("things", obj("a"))["metadata"]["resourceVersion"]
    second = store.put("others", obj("a"))["metadata"]["resourceVersion"]
    assert int(second) == int(first) + 1


def test_deleted_object_gets_the_revision_of_its_deletion() -> None:
    store = Store()
    store.put("things", obj("a", 7))
    gone = store.delete("things", ("", "a"))
    assert gone["value"] == 7
    assert gone["metadata"]["resourceVersion"] == str(store.revision)


def test_namespaces_are_listed_in_order() -> None:
    store = Store()
    for namespace, name in (("z", "a"), ("b", "y"), ("b", "x")):
        store.put("things", obj(name, 0, namespace))
    names = [
        (each["metadata"]["namespace"], each["metadata"]["name"]) for each in store.all("things")
    ]
    assert names == [("b", "x"), ("b", "y"), ("z", "a")]
    assert len(store.all("things", "b")) == 2


def test_old_history_is_forgotten() -> None:
    store = Store(kept=3)
    for value in range(7):
        store.put("things", obj("a", value))
    with pytest.raises(ApiError) as refused:
        store.snapshot("things", 2)
    assert (refused.value.code, refused.value.status["reason"]) == (410, "Expired")
    assert contents(store.snapshot("things", store.revision - 1)) == {"a": 5}


def test_large_objects_are_remembered_for_less() -> None:
    store = Store(kept=1000, kept_bytes=100)
    for value in range(50):
        store.put("things", obj("a", value), size=30)
        assert store.bucket("things").size <= 100
    assert contents(store.snapshot("things", store.revision - 1)) == {"a": 48}
    with pytest.raises(ApiError):
        store.snapshot("things", store.revision - 10)


def test_watchers_wake_and_time_out() -> None:
    async def scenario() -> None:
        store = Store()
        waiting = asyncio.create_task(store.changes("things", store.revision, 10))
        await asyncio.sleep(0)
        store.put("things", obj("a"))
        changes = await waiting
        assert changes is not None
        assert [change.happened for change in changes] == [Happened.ADDED]
        assert await store.changes("things", store.revision, 0) == []
        assert not store.bucket("things").waiting

    asyncio.run(scenario())


def test_watchers_of_a_dropped_kind_end() -> None:
    async def scenario() -> None:
        store = Store()
        waiting = asyncio.create_task(store.changes("things", store.revision, 10))
        await asyncio.sleep(0)
        store.drop("things")
        assert await waiting is None

    asyncio.run(scenario())
