"""Steps about Spiderpool's own programs: ``kill``, ``stop``, ``start``, ``spiderpoolctl``."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.scenario.document import Item
from harness.scenario.model import Ctl, KillPart, Part, StartPart, StopPart

_WORD = re.compile(r"[A-Za-z0-9-][A-Za-z0-9.:/-]*\Z")
_NOT_OURS = "--kubeconfig"


PartStep = KillPart | StopPart | StartPart


def parse_part(verb: str, step: type[PartStep]) -> Callable[[Item], PartStep]:
    """``kill: agent``, ``on: worker01``; ``kill: controller``; the same with other verbs."""

    def parse(item: Item) -> PartStep:
        entries = item.mapping(verb, "on")
        part = Part(entries[verb].one_of(*Part))
        node = entries["on"].text() if "on" in entries else None
        if (part is Part.AGENT) is (node is None):
            remedy = "name its node by `on:`" if node is None else "leave `on:` out"
            raise item.fail(
                f"there is {'one on each node' if node is None else 'only one'}", remedy
            )
        return step(entries[verb].where, part, node)

    return parse


def parse_ctl(item: Item) -> Ctl:
    """``spiderpoolctl: gc --now``.

    Raises:
        BadInput: a word is none of a command line's, or names another cluster.
    """
    entry = item.mapping("spiderpoolctl")["spiderpoolctl"]
    words = entry.text().split()
    for word in words:
        if not _WORD.match(word) or word.startswith(_NOT_OURS):
            raise entry.fail(f"{word!r} is no word of spiderpoolctl here", "see spiderpoolctl -h")
    return Ctl(entry.where, tuple(words))
