"""What a run has made in a cluster, so that it changes nothing else and leaves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from harness.run.kubectl import Kubectl, KubectlFailed
from harness.run.writes import Write, words
from harness.scenario.document import Item, read_all, required
from harness.scenario.model import Given, Manifests, ManifestVerb, Scale
from spiderpool.errors import SpiderpoolError

REMOVAL_SECONDS = 60
_DEFAULT = "default"

Manifest = Mapping[str, Any]


class NotOurs(SpiderpoolError):
    """A step would change objects that were there before the run."""


class LeftBehind(SpiderpoolError):
    """Objects of the run could not be removed."""


class Key(NamedTuple):
    """An object of the API; ``namespace`` is ``default`` where a kind has none."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        place = "" if self.namespace == _DEFAULT else f"{self.namespace}/"
        return f"{self.kind} {place}{self.name}"


class Creations:
    """Writes for a run, and remembers what is its own."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._groups: list[Sequence[Manifest]] = []

    async def write(self, step: Write) -> None:
        """Carry out a step on objects of the run's own; what is ``given`` and there stays.

        Raises:
            NotOurs: an object was there before.
            KubectlFailed: the API, or kubectl itself, refuses.
        """
        match step:
            case Given():
                await self._provide(step)
                return
            case Manifests(verb=ManifestVerb.DELETE):
                self._demand(map(key_of, objects_in(step.files)))
            case Manifests():
                await self._claim(step)
            case Scale():
                self._demand_scalable(step)
        await self._kubectl.run(*words(step))

    async def _provide(self, step: Given) -> None:
        there = await self._existing(step.files)
        if missing := [each for each in objects_in(step.files) if key_of(each) not in there]:
            self._groups.append(missing)
            await self._kubectl.run("create", "-f", "-", stdin=_documents(missing))

    async def _claim(self, step: Manifests) -> None:
        """Before it is made, so that half of it is removed too."""
        own = set(self._own())
        if foreign := sorted(await self._existing(step.files) - own):
            raise NotOurs(
                f"{foreign[0]} is there already, and this run would change it and then delete it; "
                "delete it before, or use another cluster"
            )
        self._groups.append([each for each in objects_in(step.files) if key_of(each) not in own])

    def _demand(self, keys: Iterable[Key]) -> None:
        own = set(self._own())
        for key in keys:
            if key not in own:
                raise NotOurs(f"{key} is not this run's own, so it is left alone")

    def _demand_scalable(self, step: Scale) -> None:
        kind, _, name = step.object.partition("/")
        same_names = (key for key in self._own() if key[2:] == (step.namespace, name))
        if not any(key.kind.lower() == kind for key in same_names):
            raise NotOurs(f"{step.object} is not this run's own, so it is left alone")

    async def remove(self) -> None:
        """Delete what was made, the last first, with all that came of it, and wait until it is
        gone.

        Raises:
            LeftBehind: with what kubectl says about what stays.
        """
        problems = []
        while self._groups:
            group = self._groups.pop()
            try:
                await self._kubectl.run(
                    *("delete", "-f", "-", "--ignore-not-found", "--cascade=foreground"),
                    f"--timeout={REMOVAL_SECONDS}s",
                    stdin=_documents(group),
                )
            except KubectlFailed as error:
                problems.append(f"{', '.join(str(key_of(each)) for each in group)}: {error}")
        if problems:
            raise LeftBehind(f"objects of this run stay behind: {'; '.join(problems)}")

    def _own(self) -> Iterator[Key]:
        return (key_of(each) for group in self._groups for each in group)

    async def _existing(self, files: Sequence[Path]) -> set[Key]:
        named = (word for path in files for word in ("-f", str(path)))
        text = await self._kubectl.run("get", *named, "--ignore-not-found", "-o", "json")
        found = orjson.loads(text) if text.strip() else {"items": []}
        return {key_of(each) for each in found.get("items", [found])}


def key_of(obj: Manifest) -> Key:
    """Of a manifest, or of an object as the API shows it."""
    metadata = obj["metadata"]
    group = obj["apiVersion"].rpartition("/")[0]
    return Key(group, obj["kind"], metadata.get("namespace") or _DEFAULT, metadata["name"])


def objects_in(files: Iterable[Path]) -> list[Manifest]:
    """The manifests in some files.

    Raises:
        BadInput: one has no name, by which it could be told from others.
    """
    return [_manifest(item) for file in files for item in read_all(file)]


def _manifest(item: Item) -> Manifest:
    entries = item.mapping()
    metadata = required(entries, "metadata", item)
    for value in (
        required(entries, "apiVersion", item),
        required(entries, "kind", item),
        required(metadata.mapping(), "name", metadata),
    ):
        value.text()
    manifest: Manifest = item.plain()
    return manifest


def _documents(objects: Sequence[Manifest]) -> bytes:
    """One after the other: kubectl asks old OpenAPI documents about a List."""
    return b"\n---\n".join(map(orjson.dumps, objects))
