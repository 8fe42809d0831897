"""What a server says of its kinds: the embedded one's own table, and a real server's."""

from __future__ import annotations

from typing import Any

import pytest
from rest import Api

from harness.kubeapi.builtin.kinds import builtin_kinds
from harness.kubeapi.discovery import resource_list
from harness.kubeapi.kinds import Kind
from harness.kubeapi.registry import Registry

REGISTRY = Registry(builtin_kinds())
SETS = ("verbs", "shortNames", "categories")


def title(kind: Kind) -> str:
    return f"{kind.group}/{kind.version}/{kind.plural}"


def described(answer: dict[str, Any], plural: str) -> dict[str, dict[str, Any]]:
    """The resource and its subresources by name; lists that have no order are sorted."""
    return {
        each["name"]: {
            key: sorted(value) if key in SETS else value
            for key, value in each.items()
            if key != "storageVersionHash"
        }
        for each in answer["resources"]
        if each["name"].partition("/")[0] == plural
    }


@pytest.mark.parametrize("kind", builtin_kinds(), ids=title)
def test_each_built_in_kind_is_described_alike(client: Api, kind: Kind) -> None:
    path = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    told = described(client.must(client.get(path)), kind.plural)
    ours = described(resource_list(REGISTRY, kind.group, kind.version), kind.plural)
    assert {name: told.get(name) for name in ours} == ours


def test_namespaces_are_deleted_one_by_one(client: Api) -> None:
    answer = client.delete("/api/v1/namespaces")
    assert (answer.code, answer.reason) == (405, "MethodNotAllowed")
