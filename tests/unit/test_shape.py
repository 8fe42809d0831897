"""The shape that keeps the code readable: small files, small functions, telling names."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("spiderpool", "harness", "ci", "benchmarks", "docs", "tests")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
SAYS_NOTHING = {"utils", "util", "common", "helpers", "misc"}
LONGEST_FILE, MEDIAN_FILE, LONGEST_FUNCTION = 400, 150, 80


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_FILE, "split it by what it is about"
    assert path.stem not in SAYS_NOTHING, "name it for what it does"
    tree = ast.parse(text)
    assert not text.strip() or ast.get_docstring(tree), "say in a docstring what it is for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


def test_the_median_file_is_read_in_one_go() -> None:
    assert median(len(path.read_text().splitlines()) for path in FILES) <= MEDIAN_FILE
