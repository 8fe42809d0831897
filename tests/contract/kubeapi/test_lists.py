"""Lists: versions, selectors, pages."""

from __future__ import annotations

from typing import Any

import pytest
from rest import Api
from widgets import widget


@pytest.fixture
def fruits(client: Api, core: str) -> list[dict[str, Any]]:
    """Four ConfigMaps with labels, in the order of their names."""
    made = []
    for name, labels in (
        ("apple", {"color": "red", "size": "5"}),
        ("banana", {"color": "yellow"}),
        ("cherry", {"color": "red"}),
        ("date", {}),
    ):
        body = {"metadata": {"name": name, "labels": {**labels, "fruit": "yes"}}}
        made.append(client.must(client.create(f"{core}/configmaps", body)))
    return made


def names(client: Api, core: str, **query: str | int) -> list[str]:
    answer = client.must(client.get(f"{core}/configmaps", **query))
    found = (obj["metadata"]["name"] for obj in answer["items"])
    return [name for name in found if name != "kube-root-ca.crt"]


def test_list_object(client: Api, core: str, fruits: list[dict[str, Any]]) -> None:
    answer = client.must(client.get(f"{core}/configmaps"))
    assert (answer["kind"], answer["apiVersion"]) == ("ConfigMapList", "v1")
    assert not {"kind", "apiVersion"} & answer["items"][0].keys()
    newest = fruits[-1]["metadata"]["resourceVersion"]
    assert int(answer["metadata"]["resourceVersion"]) >= int(newest)
    assert names(client, core) == ["apple", "banana", "cherry", "date"]


def test_items_of_custom_lists_say_their_kind(client: Api, widget_path: str) -> None:
    client.must(client.create(widget_path, widget("a")))
    item = client.must(client.get(widget_path))["items"][0]
    assert (item["kind"], item["apiVersion"]) == ("Widget", "contract.example.com/v1")


def test_list_of_all_namespaces(client: Api, fruits: list[dict[str, Any]], namespace: str) -> None:
    answer = client.must(client.get("/api/v1/configmaps", labelSelector="fruit=yes"))
    mine = [obj for obj in answer["items"] if obj["metadata"]["namespace"] == namespace]
    assert len(mine) == len(fruits)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("color=red", ["apple", "cherry"]),
        ("color==red", ["apple", "cherry"]),
        ("color!=red", ["banana", "date"]),
        ("color in (red, yellow)", ["apple", "banana", "cherry"]),
        ("color notin (red)", ["banana", "date"]),
        ("color", ["apple", "banana", "cherry"]),
        ("!color", ["date"]),
        ("color=red,size", ["apple"]),
        ("size>4", ["apple"]),
        ("size<4", []),
        ("color=", []),
    ],
)
@pytest.mark.usefixtures("fruits")
def test_label_selectors(client: Api, core: str, selector: str, expected: list[str]) -> None:
    assert names(client, core, labelSelector=f"fruit=yes,{selector}") == expected


@pytest.mark.parametrize("selector", ["a b", "a in b", "=", "a=b=c", "!", "a>x"])
def test_bad_label_selectors(client: Api, core: str, selector: str) -> None:
    answer = client.get(f"{core}/configmaps", labelSelector=selector)
    assert (answer.code, answer.reason) == (400, "BadRequest")


@pytest.mark.usefixtures("fruits")
def test_field_selectors(client: Api, core: str, namespace: str) -> None:
    assert names(client, core, fieldSelector="metadata.name=date") == ["date"]
    other = "metadata.name!=date"
    assert names(client, core, fieldSelector=other) == ["apple", "banana", "cherry"]
    both = f"metadata.name=date,metadata.namespace={namespace}"
    assert names(client, core, fieldSelector=both) == ["date"]


def test_unknown_field_selectors(client: Api, core: str) -> None:
    answer = client.get(f"{core}/configmaps", fieldSelector="data.k=v")
    assert (answer.code, answer.reason) == (400, "BadRequest")


@pytest.mark.usefixtures("fruits")
def test_pages_are_one_consistent_list(client: Api, core: str) -> None:
    query = {"limit": 2, "labelSelector": "fruit=yes"}
    first = client.must(client.get(f"{core}/configmaps", **query))
    assert [obj["metadata"]["name"] for obj in first["items"]] == ["apple", "banana"]
    client.must(client.delete(f"{core}/configmaps/cherry"))
    client.must(client.create(f"{core}/configmaps", {"metadata": {"name": "cocoa"}}))
    token = first["metadata"]["continue"]
    second = client.must(client.get(f"{core}/configmaps", **query, **{"continue": token}))
    assert [obj["metadata"]["name"] for obj in second["items"]] == ["cherry", "date"]
    assert "continue" not in second["metadata"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


@pytest.mark.usefixtures("fruits")
def test_remaining_items(client: Api, core: str) -> None:
    total = len(client.must(client.get(f"{core}/configmaps"))["items"])
    page = client.must(client.get(f"{core}/configmaps", limit=1))
    assert page["metadata"]["remainingItemCount"] == total - 1


def test_bad_continue_token(client: Api, core: str) -> None:
    answer = client.get(f"{core}/configmaps", **{"continue": "nonsense", "limit": 1})
    assert (answer.code, answer.reason) == (400, "BadRequest")


def test_version_from_the_future(client: Api, core: str) -> None:
    answer = client.get(f"{core}/configmaps", resourceVersion=10**15)
    assert (answer.code, answer.reason) == (504, "Timeout")
    assert answer.message.startswith(
        "Timeout: Too large resource version: 1000000000000000, current: "
    )
    assert [reason for _, reason in answer.causes] == ["ResourceVersionTooLarge"]


@pytest.mark.usefixtures("fruits")
def test_any_version_and_not_older_than(client: Api, core: str) -> None:
    assert len(names(client, core, resourceVersion=0)) == 4
    now = client.must(client.get(f"{core}/configmaps"))["metadata"]["resourceVersion"]
    newer = {"resourceVersion": now, "resourceVersionMatch": "NotOlderThan"}
    assert len(names(client, core, **newer)) == 4


def test_exact_version(client: Api, core: str, fruits: list[dict[str, Any]]) -> None:
    at = fruits[1]["metadata"]["resourceVersion"]
    query = {"resourceVersion": at, "resourceVersionMatch": "Exact"}
    assert names(client, core, labelSelector="fruit=yes", **query) == ["apple", "banana"]


def test_partial_objects(client: Api, core: str, fruits: list[dict[str, Any]]) -> None:
    accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    query = {"labelSelector": "fruit=yes"}
    answer = client.must(client.get(f"{core}/configmaps", accept=accept, **query))
    assert (answer["kind"], answer["apiVersion"]) == (
        "PartialObjectMetadataList",
        "meta.k8s.io/v1",
    )
    assert answer["items"][0]["metadata"] == fruits[0]["metadata"]
    assert "data" not in answer["items"][0]
