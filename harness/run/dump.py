"""State kept of a failed run: every namespace as ``ip`` and ``nft`` print it, objects, logs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.netns.nft import ruleset
from harness.run.session import Session
from spiderpool.errors import SpiderpoolError
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import as_lines

_OBJECTS = (
    "pods,services,endpointslices,nodes,events,spiderippools,spideripblocks,spiderendpoints,"
    "spidercoordinators,spidermultusconfigs,network-attachment-definitions"
)


async def write_state(session: Session, folder: Path) -> None:
    """Write one file a place, the objects and the components' logs into ``folder``."""
    try:
        objects = await session.cluster.kubectl.run("get", _OBJECTS, "-A", "-o", "yaml")
    except SpiderpoolError as error:
        objects = f"# {error}\n"
    rules = {place: await ruleset(ns) for place, ns in session.namespaces.items()}
    _write(session, folder, objects, rules)
    for name, log in (await session.cluster.logs()).items():
        (folder / f"{name}.log").write_bytes(log)


def _write(session: Session, folder: Path, objects: str, rules: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "objects.yaml").write_text(objects)
    for place, namespace in session.namespaces.items():
        try:
            text = "\n".join(as_lines(dump(namespace)))
        except SpiderpoolError as error:
            text = str(error)
        (folder / f"{place.replace('/', '_')}.txt").write_text(f"{text}\n\n{rules[place]}")
