"""Watches: what is seen, from when on, and how they end."""

from __future__ import annotations

from typing import Any

import pytest
from rest import TABLE, Api, eventually


def make(client: Api, core: str, name: str, **labels: str) -> dict[str, Any]:
    body = {"metadata": {"name": name, "labels": labels}, "data": {}}
    made: dict[str, Any] = client.must(client.create(f"{core}/configmaps", body))
    return made


def version(obj: dict[str, Any]) -> int:
    return int(obj["metadata"]["resourceVersion"])


MINE = "watched=yes"


def test_changes_in_their_order(client: Api, core: str) -> None:
    start = client.get(f"{core}/configmaps").body["metadata"]["resourceVersion"]
    with client.watch(f"{core}/configmaps", resourceVersion=start, labelSelector=MINE) as events:
        made = make(client, core, "a", watched="yes")
        changed = client.must(client.patch(f"{core}/configmaps/a", {"data": {"k": "v"}}))
        client.must(client.delete(f"{core}/configmaps/a"))
        added, modified, deleted = events.next(), events.next(), events.next()
    assert added == ("ADDED", made)
    assert modified == ("MODIFIED", changed)
    assert deleted[0] == "DELETED"
    assert deleted[1]["data"] == {"k": "v"}
    assert version(deleted[1]) > version(changed)


def test_watch_without_version_begins_with_what_is_there(client: Api, core: str) -> None:
    make(client, core, "a", watched="yes")
    with client.watch(f"{core}/configmaps", labelSelector=MINE) as events:
        assert events.take(1) == [("ADDED", "a")]
        make(client, core, "b", watched="yes")
        assert events.take(1) == [("ADDED", "b")]


def test_watch_from_a_version_replays_what_came_after(client: Api, core: str) -> None:
    first = make(client, core, "a", watched="yes")
    make(client, core, "b", watched="yes")
    client.must(client.delete(f"{core}/configmaps/a"))
    query = {"resourceVersion": first["metadata"]["resourceVersion"], "labelSelector": MINE}
    with client.watch(f"{core}/configmaps", **query) as events:
        assert events.take(2) == [("ADDED", "b"), ("DELETED", "a")]


def test_objects_come_into_and_go_out_of_selection(client: Api, core: str) -> None:
    start = make(client, core, "a", color="blue")["metadata"]["resourceVersion"]
    query = {"resourceVersion": start, "labelSelector": "color=red"}
    with client.watch(f"{core}/configmaps", **query) as events:
        for color in ("red", "green"):
            patch = {"metadata": {"labels": {"color": color}}}
            last = client.must(client.patch(f"{core}/configmaps/a", patch))
        added, deleted = events.next(), events.next()
    assert (added[0], deleted[0]) == ("ADDED", "DELETED")
    assert deleted[1]["metadata"]["labels"] == {"color": "red"}
    assert version(deleted[1]) == version(last)


def test_one_object_by_field_selector(client: Api, core: str) -> None:
    start = make(client, core, "a")["metadata"]["resourceVersion"]
    query = {"resourceVersion": start, "fieldSelector": "metadata.name=b"}
    with client.watch(f"{core}/configmaps", **query) as events:
        for name in ("c", "b"):
            make(client, core, name)
        assert events.take(1) == [("ADDED", "b")]


def test_other_namespaces_are_not_seen(client: Api, core: str) -> None:
    other = "/api/v1/namespaces/default"
    query = {"labelSelector": MINE}
    start = client.get(f"{core}/configmaps").body["metadata"]["resourceVersion"]
    with client.watch(f"{core}/configmaps", resourceVersion=start, **query) as events:
        make(client, other, f"far-{start}", watched="yes")
        make(client, core, "near", watched="yes")
        assert events.take(1) == [("ADDED", "near")]


def test_too_old_version_is_an_error_event(client: Api, core: str) -> None:
    """The servers of these tests forget: one after 100 changes, the other after a second."""
    path = f"{core}/serviceaccounts"
    client.must(client.create(path, {"metadata": {"name": "a"}}))
    for number in range(201):
        labels = {"metadata": {"labels": {"n": str(number)}}}
        client.must(client.patch(f"{path}/a", labels))

    def first() -> tuple[str, Any]:
        with client.watch(path, resourceVersion=1) as events:
            return events.next()

    eventually(lambda: first()[0] == "ERROR")
    status = first()[1]
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")


def test_timeout_ends_the_watch(client: Api, core: str) -> None:
    make(client, core, "a", watched="yes")
    with client.watch(f"{core}/configmaps", timeoutSeconds=1, labelSelector=MINE) as events:
        assert [kind for kind, _ in events.rest()] == ["ADDED"]


def test_bookmark_ends_the_initial_events(client: Api, core: str) -> None:
    make(client, core, "a", watched="yes")
    query = {
        "sendInitialEvents": "true",
        "allowWatchBookmarks": "true",
        "resourceVersionMatch": "NotOlderThan",
        "labelSelector": MINE,
    }
    with client.watch(f"{core}/configmaps", **query) as events:
        added, (kind, bookmark) = events.next(), events.next()
    assert added[0] == "ADDED"
    assert kind == "BOOKMARK"
    assert (bookmark["kind"], bookmark["apiVersion"]) == ("ConfigMap", "v1")
    assert bookmark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert version(bookmark) >= version(added[1])


def test_initial_events_need_a_match_rule(client: Api, core: str) -> None:
    query = {"watch": 1, "sendInitialEvents": "true"}
    answer = client.get(f"{core}/configmaps", **query)
    assert (answer.code, answer.reason) == (422, "Invalid")


def test_watch_of_tables_names_the_columns_once(client: Api, core: str) -> None:
    make(client, core, "a", watched="yes")
    with client.watch(f"{core}/configmaps", accept=TABLE, labelSelector=MINE) as events:
        make(client, core, "b", watched="yes")
        (_, first), (_, second) = events.next(), events.next()
    assert [column["name"] for column in first["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert second["columnDefinitions"] is None
    assert second["rows"][0]["cells"][0] == "b"


def test_watch_of_an_unknown_kind(client: Api) -> None:
    assert client.get("/api/v1/nothings", watch=1).code == 404


@pytest.mark.parametrize("query", [{}, {"resourceVersion": "0"}])
def test_a_bookmark_ends_what_was_there(client: Api, core: str, query: dict[str, str]) -> None:
    client.must(client.create(f"{core}/configmaps", {"metadata": {"name": "a"}}))
    with client.watch(f"{core}/configmaps", allowWatchBookmarks="true", **query) as events:
        assert events.next()[0] == "ADDED"
        kind, obj = events.next()
    marks = obj["metadata"]["annotations"]
    assert (kind, marks) == ("BOOKMARK", {"k8s.io/initial-events-end": "true"})


def test_a_revision_that_is_none(client: Api, core: str) -> None:
    assert client.get(f"{core}/configmaps", watch="1", resourceVersion="x").code == 500
