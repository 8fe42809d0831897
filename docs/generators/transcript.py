"""A page whose ``console`` blocks are carried out: what to do, and the page with the answers.

A line ``$ command`` is a command; what follows it, up to the next one or the end of the block, is
what it printed. A comment right above a block says where it runs (``<!-- on: worker01 -->``), or
why it does not (``<!-- not carried out: ... -->``). A ``yaml`` block that begins with the comment
``# name.yaml`` is a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_BLOCK = re.compile(
    r"^(?:<!-- (?P<word>on|not carried out): (?P<said>[^\n]+) -->\n)?"
    r"```(?P<language>console|yaml)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_FILE = re.compile(r"# (?P<name>[\w.-]+\.yaml)\n")


@dataclass(frozen=True, slots=True)
class Command:
    """``place`` is a machine's name; empty: where one types."""

    text: str
    place: str = ""


def files(page: str) -> dict[str, str]:
    """Name -> text of each file that the page shows."""
    found = {}
    for block in _BLOCK.finditer(page):
        if block["language"] == "yaml" and (name := _FILE.match(block["text"])):
            found[name["name"]] = block["text"]
    return found


def commands(page: str) -> Iterator[Command]:
    """All that are carried out, in order."""
    for block in _BLOCK.finditer(page):
        if _is_carried_out(block):
            for line in block["text"].splitlines():
                if line.startswith("$ "):
                    yield Command(line[2:], block["said"] or "")


def _is_carried_out(block: re.Match[str]) -> bool:
    return block["language"] == "console" and block["word"] != "not carried out"


def with_answers(page: str, printed: Iterable[str]) -> str:
    """The page with what was printed under each command, in order."""
    answers = iter(printed)

    def answered(block: re.Match[str]) -> str:
        if not _is_carried_out(block):
            return block[0]
        head = block[0][: block.start("text") - block.start()]
        asked = commands(block[0])
        return head + "".join(f"$ {each.text}\n{next(answers)}" for each in asked) + "```"

    return _BLOCK.sub(answered, page)


DIFFERS = {
    "AGE": r"(?<= )\d+[smhd](?:\d+[smhd])*(?= |$)",
    "MAC": r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b",
    "POD": r"\b(nginx|by-net1|coredns)-[a-z0-9]{8,10}-[a-z0-9]{5}\b",
    "VETH": r"\bcali[0-9a-f]{11}\b",
    "LINK-LOCAL": r"\bfe80::[0-9a-f:]+\b",
    "UID": r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    "MS": r"(?<=time[= ])[\d.]+ ?ms|(?<=mdev = )[\d./]+ ms",
    "IF": r"(?<=@)if\d+",
    "NET1": r"\b10\.6\.212\.10[0-2]\b",
}
"""What two runs may print differently, and nothing else: ages, random names, times, and which of
the pool's first three addresses a pod gets, when agents ask at the same moment."""


def masked(page: str) -> str:
    """The page with these taken out; runs of blanks, which align columns, count as one."""
    for word, pattern in DIFFERS.items():
        page = re.sub(pattern, word, page, flags=re.MULTILINE)
    return re.sub(r" {2,}", "  ", page)
