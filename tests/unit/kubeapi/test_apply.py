"""Server-side apply: who owns which field, and who conflicts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kubeapi.kinds import Kind
from harness.kubeapi.patch.fields import from_fields_v1, shown, to_fields_v1
from harness.kubeapi.patch.managers import (
    Manager,
    after_apply,
    after_update,
    entries,
    managers_of,
)
from harness.kubeapi.patch.merging import laid_over, taken_out
from harness.kubeapi.patch.ownership import compare, named_paths
from harness.kubeapi.status import ApiError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "set": {
            "type": "array",
            "x-kubernetes-list-type": "set",
            "items": {"type": "string"},
        },
        "list": {"type": "array", "items": {"type": "string"}},
        "keyed": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["id"],
            "items": {
                "type": "object",
                "properties": {"id": {"type": "string"}, "n": {"type": "integer"}},
            },
        },
        "whole": {"type": "object", "x-kubernetes-map-type": "atomic"},
        "text": {"type": "string"},
    },
}
KIND = Kind("x.io", "v1", "Thing", "things", True, SCHEMA, builtin=False, storage_version="v1")
TEXT = st.sampled_from(["a", "b", "c"])
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "map": st.dictionaries(TEXT, TEXT, min_size=1),
        "set": st.lists(TEXT, unique=True, min_size=1),
        "list": st.lists(TEXT),
        "keyed": st.dictionaries(TEXT, st.integers(0, 3), min_size=1).map(
            lambda found: [{"id": key, "n": value} for key, value in found.items()]
        ),
        "whole": st.dictionaries(TEXT, TEXT, min_size=1),
        "text": TEXT,
    },
)


def thing(value: dict[str, Any], *managers: Manager) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "a"}
    if managers:
        metadata["managedFields"] = entries(managers)
    return {"metadata": metadata, **value}


def applier(name: str) -> Manager:
    return Manager(name, "Apply", "x.io/v1", time="2026-01-01T00:00:00Z")


@given(VALUES)
def test_paths_survive_their_json_form(value: Any) -> None:
    paths = named_paths(SCHEMA, value)
    assert set(from_fields_v1(to_fields_v1(paths))) == paths


@given(VALUES)
def test_what_is_taken_out_completely_leaves_nothing(value: Any) -> None:
    left = taken_out(SCHEMA, value, named_paths(SCHEMA, value)) or {}
    assert not any(left.values())


@given(VALUES, VALUES)
def test_what_is_laid_over_is_there(live: Any, config: Any) -> None:
    merged = laid_over(SCHEMA, live, config)
    assert not compare(SCHEMA, live, merged).removed
    found = compare(SCHEMA, config, merged)
    assert not found.modified
    assert not found.removed


@given(VALUES, VALUES)
def test_comparisons_the_other_way_round(first: Any, second: Any) -> None:
    there, back = compare(SCHEMA, first, second), compare(SCHEMA, second, first)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert there.modified == back.modified


@given(VALUES, VALUES)
def test_apply_by_one_manager_makes_what_it_says(first: Any, second: Any) -> None:
    me = applier("me")
    made = after_apply(
        KIND, thing({}, Manager("x", "Update", "x.io/v1")), thing(first), me, force=True
    )
    live = thing(
        {name: value for name, value in made.obj.items() if name != "metadata"}, *made.managers
    )
    again = after_apply(KIND, live, thing(second), me, force=False)
    found = {name: value for name, value in again.obj.items() if name != "metadata" and value}
    assert found == {name: value for name, value in second.items() if value}


@given(VALUES, VALUES)
def test_conflicts_are_the_differences(first: Any, second: Any) -> None:
    live = thing(
        first, Manager("one", "Apply", "x.io/v1", paths=frozenset(named_paths(SCHEMA, first)))
    )
    merged = laid_over(SCHEMA, first, second)
    different = {shown(path) for path in compare(SCHEMA, first, merged).modified}
    try:
        after_apply(KIND, live, thing(second), applier("two"), force=False)
    except ApiError as refused:
        causes = refused.status["details"]["causes"]
        assert {cause["field"] for cause in causes} == different
    else:
        assert not different


def test_update_takes_ownership() -> None:
    before = thing({"text": "a", "map": {"x": "1"}})
    one = Manager("one", "Apply", "x.io/v1", paths=frozenset({("f:text",), ("f:map", "f:x")}))
    before["metadata"]["managedFields"] = entries([one])
    after = {**before, "text": "b"}
    found = after_update(KIND, before, after, Manager("two", "Update", "x.io/v1"), [one])
    assert {each.name: each.paths for each in found} == {
        "one": {("f:map", "f:x")},
        "two": {("f:text",)},
    }


def test_update_that_removes_leaves_nobody() -> None:
    one = Manager("one", "Apply", "x.io/v1", paths=frozenset({("f:text",)}))
    before = thing({"text": "a"}, one)
    found = after_update(KIND, before, thing({}), Manager("two", "Update", "x.io/v1"), [one])
    assert entries(found) == []


def test_managers_are_read_as_they_are_written() -> None:
    one = Manager(
        "one", "Apply", "x.io/v1", "status", "2026-01-01T00:00:00Z", frozenset({("f:a",)})
    )
    assert managers_of({"metadata": {"managedFields": entries([one])}}) == [one]


def test_order_of_lists_is_kept() -> None:
    def ids(*names: str) -> dict[str, Any]:
        return {"keyed": [{"id": name} for name in names]}

    def merged(live: dict[str, Any], config: dict[str, Any]) -> str:
        return "".join(item["id"] for item in laid_over(SCHEMA, live, config)["keyed"])

    assert merged(ids("a", "b"), ids("c")) == "abc"
    assert merged(ids("a", "b", "z"), ids("a", "n", "b")) == "anbz"
    assert merged(ids("a", "b"), ids("b", "a")) == "ba"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("f:spec", "f:a"), ".spec.a"),
        (("f:list", 'k:{"name":"c","n":1}', "f:x"), '.list[name="c",n=1].x'),
        (("f:set", 'v:"x"'), '.set[="x"]'),
    ],
)
def test_paths_as_people_read_them(path: tuple[str, ...], text: str) -> None:
    assert shown(path) == text
