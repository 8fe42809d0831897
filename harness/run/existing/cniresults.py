"""Which network namespace a pod has, by the results that its container runtime keeps.

libcni writes a JSON file for each network of each sandbox (``cniCacheV1``). It says whose pod it
is by the arguments that kubelet's runtime gives, and where the namespace is: by ``netns``, which
is there since libcni 1.2, or by the ``sandbox`` of the interfaces in the plugin's result.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from spiderpool.types.names import PodUID

_KIND = "cniCacheV1"
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SandboxSpace:
    """The namespace of one sandbox of a pod."""

    uid: PodUID
    container: str
    netns: str


def sandbox_spaces(folder: Path) -> list[SandboxSpace]:
    """Those that the files of ``folder`` tell of, the latest first.

    Files that go meanwhile, are no JSON or of another kind say nothing.

    Raises:
        OSError: the folder cannot be read.
    """
    found = ((path, _written(path)) for path in folder.iterdir())
    ordered = sorted(found, key=lambda entry: entry[1], reverse=True)
    return [space for path, _ in ordered for space in _spaces(path)]


def _written(path: Path) -> int:
    """When, in nanoseconds; 0 for what is gone."""
    with contextlib.suppress(OSError):
        return path.stat().st_mtime_ns
    return 0


def _spaces(path: Path) -> Iterator[SandboxSpace]:
    with contextlib.suppress(OSError, ValueError):
        if path.stat().st_size <= _MOST_BYTES:
            yield from spaces_in(orjson.loads(path.read_bytes()))


def spaces_in(entry: Any) -> Iterator[SandboxSpace]:
    """What one file says: nothing, or one namespace. Pure."""
    if not isinstance(entry, dict) or entry.get("kind") != _KIND:
        return
    arguments = _pairs(entry.get("cniArgs"))
    uid, netns = arguments.get("K8S_POD_UID"), entry.get("netns") or _sandbox(entry.get("result"))
    if uid and isinstance(netns, str) and netns.startswith("/"):
        yield SandboxSpace(PodUID(uid), str(entry.get("containerId")), netns)


def _pairs(arguments: Any) -> Mapping[str, str]:
    pairs = arguments if isinstance(arguments, list) else []
    return {
        str(pair[0]): str(pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == 2
    }


def _sandbox(result: Any) -> str | None:
    interfaces = result.get("interfaces") if isinstance(result, dict) else None
    for interface in interfaces if isinstance(interfaces, list) else []:
        sandbox = interface.get("sandbox") if isinstance(interface, dict) else None
        if isinstance(sandbox, str) and sandbox:
            return sandbox
    return None
