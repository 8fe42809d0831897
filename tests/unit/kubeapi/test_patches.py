"""JSON, merge and strategic merge patches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kubeapi.builtin.types import schema_of
from harness.kubeapi.patch.json_patch import apply_json_patch
from harness.kubeapi.patch.merge_patch import merge
from harness.kubeapi.patch.strategic import merge_by_schema
from harness.kubeapi.status import ApiError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 5) | st.sampled_from(["", "x", "y"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "c"]), JSON, max_size=3)


def difference(old: Any, new: Any) -> Any:
    """The merge patch from one value to another, which has no nulls."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    patch = {name: None for name in old if name not in new}
    for name, value in new.items():
        if name not in old or old[name] != value:
            patch[name] = difference(old.get(name), value)
    return patch


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return value


@given(OBJECTS, OBJECTS)
def test_merge_patch_leads_where_it_was_made_for(old: Any, new: Any) -> None:
    old, new = without_nulls(old), without_nulls(new)
    assert merge(old, difference(old, new)) == new


@given(OBJECTS, OBJECTS)
def test_merge_patch_twice_is_once(target: Any, patch: Any) -> None:
    once = merge(target, patch)
    assert merge(once, patch) == once


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "add", "path": "/a/-", "value": 3}], {"a": [1, 2, 3], "b": {"c": 1}}),
        ([{"op": "add", "path": "/a/0", "value": 3}], {"a": [3, 1, 2], "b": {"c": 1}}),
        ([{"op": "remove", "path": "/a/0"}], {"a": [2], "b": {"c": 1}}),
        ([{"op": "replace", "path": "/b/c", "value": [1]}], {"a": [1, 2], "b": {"c": [1]}}),
        ([{"op": "move", "from": "/b/c", "path": "/d"}], {"a": [1, 2], "b": {}, "d": 1}),
        ([{"op": "copy", "from": "/a", "path": "/b/e"}], {"a": [1, 2], "b": {"c": 1, "e": [1, 2]}}),
        ([{"op": "add", "path": "", "value": {"new": 1}}], {"new": 1}),
        ([{"op": "test", "path": "/b", "value": {"c": 1}}], {"a": [1, 2], "b": {"c": 1}}),
        (
            [{"op": "add", "path": "/b/x~1y~0z", "value": 1}],
            {"a": [1, 2], "b": {"c": 1, "x/y~z": 1}},
        ),
    ],
)
def test_json_patches(operations: list[dict[str, Any]], expected: Any) -> None:
    target = {"a": [1, 2], "b": {"c": 1}}
    assert apply_json_patch(target, operations) == expected
    assert target == {"a": [1, 2], "b": {"c": 1}}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/none"},
        {"op": "replace", "path": "/a/9", "value": 1},
        {"op": "add", "path": "/a/9", "value": 1},
        {"op": "add", "path": "/a/x", "value": 1},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "path": "/b/d"},
        {"op": "test", "path": "/b/c", "value": 2},
        {"op": "copy", "from": "/none", "path": "/d"},
        {"op": "invent", "path": "/b"},
        {"op": "add", "path": "/b/c/d", "value": 1},
    ],
)
def test_json_patches_that_do_not_fit(operation: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refused:
        apply_json_patch({"a": [1, 2], "b": {"c": 1}}, [operation])
    assert refused.value.code == 422


@pytest.mark.parametrize("operations", [{"op": "add"}, "text", [1]])
def test_values_that_are_no_json_patch(operations: Any) -> None:
    with pytest.raises(ApiError) as refused:
        apply_json_patch({}, operations)
    assert refused.value.code == 400


POD = schema_of("PodSpec")


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        (
            {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]},
            {"containers": [{"name": "b", "image": "2"}, {"name": "c", "image": "3"}]},
            {
                "containers": [
                    {"name": "a", "image": "1"},
                    {"name": "b", "image": "2"},
                    {"name": "c", "image": "3"},
                ]
            },
        ),
        (
            {"containers": [{"name": "a"}, {"name": "b"}]},
            {"containers": [{"name": "a", "$patch": "delete"}]},
            {"containers": [{"name": "b"}]},
        ),
        (
            {"containers": [{"name": "a"}]},
            {"containers": [{"$patch": "replace"}, {"name": "z"}]},
            {"containers": [{"name": "z"}]},
        ),
        (
            {"tolerations": [{"key": "a"}]},
            {"tolerations": [{"key": "b"}]},
            {"tolerations": [{"key": "b"}]},
        ),
        (
            {"nodeSelector": {"a": "1", "b": "2"}},
            {"nodeSelector": {"a": None, "c": "3"}},
            {"nodeSelector": {"b": "2", "c": "3"}},
        ),
        (
            {"volumes": [{"name": "v", "emptyDir": {}}]},
            {
                "volumes": [
                    {"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/"}}
                ]
            },
            {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
        ),
        (
            {"containers": [{"name": "a"}, {"name": "b"}, {"name": "x"}]},
            {
                "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}],
                "containers": [{"name": "a", "tty": True}],
            },
            {"containers": [{"name": "b"}, {"name": "a", "tty": True}, {"name": "x"}]},
        ),
        ({"hostIPC": True}, {"$patch": "replace", "hostPID": True}, {"hostPID": True}),
    ],
)
def test_strategic_patches(before: Any, patch: Any, after: Any) -> None:
    assert merge_by_schema(POD, before, patch) == after


def test_strategic_patch_of_a_set() -> None:
    meta = schema_of("ObjectMeta")
    before = {"finalizers": ["a", "b"]}
    patch = {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}
    assert merge_by_schema(meta, before, patch) == {"finalizers": ["b", "c"]}


@pytest.mark.parametrize(
    ("patch", "code"), [({"containers": [{"image": "x"}]}, 500), ({"$patch": "invent"}, 400)]
)
def test_bad_strategic_patches(patch: Any, code: int) -> None:
    with pytest.raises(ApiError) as refused:
        merge_by_schema(POD, {"containers": [{"name": "c"}]}, patch)
    assert refused.value.code == code
