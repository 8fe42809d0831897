"""The fenced blocks of the site's pages, and what each of them is."""

from __future__ import annotations

import enum
import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from deploy_chart import CHART

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in (*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "scenarios/README.md")
)
LANGUAGES = ("bash", "console", "json", "text", "yaml")
DIRECTIVES = ("{toctree}",)
VALUES = json.loads((CHART / "values.schema.json").read_text())["properties"]

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\S*)[^\n]*\n(?P<text>.*?)^ *```[ ]*$", re.MULTILINE | re.DOTALL
)


class Unclear(ValueError):
    """Nobody knows by what a block is to be judged; the text says where it stands."""


class What(enum.Enum):
    """By what a block is judged."""

    OBJECTS = "the API server, and our rules for our kinds"
    VALUES = "helm, with the chart's schema"
    SCENARIO = "the loader of scenarios"
    EXPECTATIONS = "the same, as a step of the quick start"
    NETWORK = "the parser of CNI configurations"
    PLUGIN = "the controller, as an entry of chainCNIJsonData"
    LOG = "the formatter of log lines"
    INVENTORY = "the loader of existing clusters"


@dataclass(frozen=True, slots=True)
class Block:
    """``line`` is that of its first line of text, from 1."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def documents(self) -> list[Any]:
        """Raises Unclear with the very line when it cannot be read."""
        try:
            if self.language == "json":
                return [json.loads(self.text)]
            return [each for each in yaml.safe_load_all(self.text) if each is not None]
        except yaml.MarkedYAMLError as error:
            line = self.line + (error.problem_mark.line if error.problem_mark else 0)
            raise Unclear(f"{self.page.relative_to(ROOT)}:{line}: {error.problem}") from None
        except json.JSONDecodeError as error:
            line = self.line + error.lineno - 1
            raise Unclear(f"{self.page.relative_to(ROOT)}:{line}: {error.msg}") from None


def blocks(page: Path, text: str | None = None) -> Iterator[Block]:
    """All of a page; ``text`` instead of what the file says."""
    text = page.read_text() if text is None else text
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start("text")) + 1
        yield Block(page, line, match["language"], textwrap.dedent(match["text"]))


def what_is(block: Block) -> What:
    """Raises Unclear."""
    documents = block.documents()
    if block.language == "json":
        return _what_is_json(block, documents)
    match documents:
        case [list() as items] if all("id" in item for item in items):
            return What.EXPECTATIONS
        case [{"scenario": _}]:
            return What.SCENARIO
        case [dict() as values] if "kind" not in values and values.keys() <= VALUES.keys():
            return What.VALUES
        case [_, *_] if all(
            isinstance(d, dict) and {"apiVersion", "kind"} <= d.keys() for d in documents
        ):
            return What.OBJECTS
    raise Unclear(
        f"{block.where}: is neither objects with apiVersion and kind, nor values of the chart, "
        "nor a scenario or its expectations; write it whole"
    )


_JSON = {
    What.NETWORK: {"cniVersion"},
    What.PLUGIN: {"type"},
    What.LOG: {"time", "logger", "message"},
    What.INVENTORY: {"nodes"},
}
"""Keys by which each is known."""


def _what_is_json(block: Block, documents: list[Any]) -> What:
    for what, keys in _JSON.items():
        if all(isinstance(each, dict) and keys <= each.keys() for each in documents):
            return what
    kinds = "a CNI configuration, a plugin of one, a line of a log, nor an inventory"
    raise Unclear(f"{block.where}: is neither {kinds}")
