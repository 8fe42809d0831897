"""A run changes what it has made, and deletes it; what was there before stays as it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.run.existing.ownership import Creations, LeftBehind, NotOurs, objects_in
from harness.run.kubectl import Kubectl, KubectlFailed
from harness.scenario.document import Where
from harness.scenario.model import Given, Manifests, ManifestVerb, Scale
from spiderpool.errors import BadInput

WHERE = Where("s.yaml", 1)
POOL = "apiVersion: spiderpool.spidernet.io/v2beta1\nkind: SpiderIPPool\nmetadata: {name: a}\n"
WEB = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
DNS = "apiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: kube-system}\n"


class Api(Kubectl):
    """kubectl of an API that holds ``kind/name``; commands that start with ``fails`` fail."""

    def __init__(self, *there: str, fails: str = "none") -> None:
        self.there, self.fails = set(there), fails
        self.said: list[str] = []

    async def run(self, *arguments: str, stdin: bytes = b"") -> str:
        if arguments[0] == self.fails:
            raise KubectlFailed(f"kubectl {arguments[0]}: no")
        objects = _objects(arguments, stdin)
        names = [f"{obj['kind']}/{obj['metadata']['name']}" for obj in objects]
        if arguments[0] == "get":
            found = [obj for obj, name in zip(objects, names, strict=True) if name in self.there]
            return json.dumps({"items": found}) if found else ""
        self.said.append(" ".join([arguments[0], *names]))
        if arguments[0] == "delete":
            self.there -= set(names)
        elif arguments[0] in ("apply", "create"):
            self.there |= set(names)
        return ""


def _objects(arguments: Sequence[str], stdin: bytes) -> list[Any]:
    files = [Path(word).read_text() for word in arguments if word.endswith(".yaml")]
    documents = (yaml.safe_load_all(text) for text in (*files, stdin.decode()))
    return [obj for each in documents for obj in each if obj]


def file(folder: Path, text: str) -> Path:
    path = folder / f"{abs(hash(text))}.yaml"
    path.write_text(text)
    return path


def step(folder: Path, *texts: str, verb: ManifestVerb = ManifestVerb.APPLY) -> Manifests:
    return Manifests(WHERE, verb, tuple(file(folder, text) for text in texts))


def written(api: Api, *steps: Any) -> Creations:
    creations = Creations(api)
    for each in steps:
        asyncio.run(creations.write(each))
    return creations


def test_what_was_made_goes_last_first(tmp_path: Path) -> None:
    api = Api()
    creations = written(api, step(tmp_path, POOL, DNS), step(tmp_path, WEB))
    assert api.said == ["apply SpiderIPPool/a Service/dns", "apply Deployment/web"]
    asyncio.run(creations.remove())
    assert api.said[2:] == ["delete Deployment/web", "delete SpiderIPPool/a Service/dns"]
    assert api.there == set()


def test_what_was_there_is_not_changed(tmp_path: Path) -> None:
    api = Api("Service/dns")
    with pytest.raises(NotOurs) as caught:
        written(api, step(tmp_path, WEB, DNS))
    assert str(caught.value).startswith("Service kube-system/dns is there already")
    assert api.said == []


def test_own_objects_may_be_applied_again(tmp_path: Path) -> None:
    api = Api()
    creations = written(api, step(tmp_path, WEB), step(tmp_path, WEB))
    asyncio.run(creations.remove())
    assert api.there == set()


def test_what_is_given_stays_and_the_rest_is_made(tmp_path: Path) -> None:
    api = Api("Service/dns")
    creations = written(api, Given(WHERE, (file(tmp_path, WEB + "---\n" + DNS),)))
    assert api.said == ["create Deployment/web"]
    asyncio.run(creations.remove())
    assert api.there == {"Service/dns"}


def test_half_of_a_step_is_removed_too(tmp_path: Path) -> None:
    api = Api(fails="apply")
    creations = Creations(api)
    with pytest.raises(KubectlFailed):
        asyncio.run(creations.write(step(tmp_path, WEB, DNS)))
    asyncio.run(creations.remove())
    assert api.said == ["delete Deployment/web Service/dns"]


def test_only_own_objects_are_deleted_and_scaled(tmp_path: Path) -> None:
    api = Api("Service/dns", "Deployment/other")
    delete = ManifestVerb.DELETE
    written(
        api,
        step(tmp_path, WEB),
        Scale(WHERE, "deployment/web", "default", 3),
        step(tmp_path, WEB, verb=delete),
    )
    assert api.said == ["apply Deployment/web", "scale", "delete Deployment/web"]
    for foreign in (
        step(tmp_path, DNS, verb=delete),
        Scale(WHERE, "deployment/other", "default", 3),
        Scale(WHERE, "deployment/web", "elsewhere", 3),
    ):
        with pytest.raises(NotOurs, match="is not this run's own"):
            written(api, foreign)
    assert len(api.said) == 3


def test_what_stays_behind_is_said_and_the_rest_goes(tmp_path: Path) -> None:
    api = Api()
    creations = written(api, step(tmp_path, WEB), step(tmp_path, DNS))
    api.fails = "delete"
    with pytest.raises(LeftBehind) as caught:
        asyncio.run(creations.remove())
    assert "Service kube-system/dns: kubectl delete: no" in str(caught.value)
    assert "Deployment web: kubectl delete: no" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: Pod\nmetadata: {name: a}\n", "has no 'apiVersion'"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n", "metadata has no 'name'"),
        ("- 1\n", "must be a mapping"),
        (WEB + "---\napiVersion: v1\nkind: Pod\n", ":5: "),
    ],
)
def test_objects_without_names_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        objects_in([file(tmp_path, text)])
    assert words in str(caught.value)
