"""Whether a table that kubectl printed has the columns and rows that are expected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.expect.verdict import Finding

_COLUMN = re.compile(r"\S+(?: \S+)*")
"""Names of columns have single blanks in them; two or more lie between columns."""


@dataclass(frozen=True, slots=True)
class PrintedTable:
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]


def parse_tables(text: str) -> tuple[PrintedTable, ...]:
    """The tables of ``kubectl get``'s output; ``get all`` prints several, a blank line between."""
    blocks = re.split(r"\n[ \t]*\n", text.strip("\n"))
    return tuple(_parse(block.splitlines()) for block in blocks if block.strip())


def _parse(lines: Sequence[str]) -> PrintedTable:
    """Cells begin where their column's name does, so empty cells are seen as such."""
    heads = list(_COLUMN.finditer(lines[0]))
    ends = [head.start() for head in heads[1:]] + [None]
    rows = tuple(
        {
            head.group(): line[head.start() : end].strip()
            for head, end in zip(heads, ends, strict=True)
        }
        for line in lines[1:]
    )
    return PrintedTable(tuple(head.group() for head in heads), rows)


def judge_table(
    text: str, columns: tuple[str, ...], rows: Sequence[Mapping[str, str]], count: int | None
) -> Finding | None:
    """What is wrong first. ``columns`` are the words of the whole header, in order."""
    tables = parse_tables(text)
    seen = tuple(text.splitlines())
    for problem in _problems(tables, columns, rows, count):
        return Finding(problem, _expected(columns, rows), seen)
    return None


def _problems(
    tables: Sequence[PrintedTable],
    columns: tuple[str, ...],
    rows: Sequence[Mapping[str, str]],
    count: int | None,
) -> Iterator[str]:
    if columns and not any(" ".join(table.columns).split() == list(columns) for table in tables):
        found = "; ".join(" ".join(table.columns) for table in tables) or "none at all"
        yield f"the columns are {found}, not {' '.join(columns)}"
    printed = [row for table in tables for row in table.rows]
    for wanted in rows:
        if not any(wanted.items() <= row.items() for row in printed):
            yield f"no row has {_cells(wanted)}{_nearest(wanted, printed)}"
    if count is not None and len(printed) != count:
        yield f"there are {len(printed)} rows, not {count}"


def _nearest(wanted: Mapping[str, str], printed: Sequence[Mapping[str, str]]) -> str:
    """The row that agrees in most cells, as far as it does not."""
    if not printed:
        return ", there are no rows"
    best = max(printed, key=lambda row: len(wanted.items() & row.items()))
    if not wanted.items() & best.items():
        return ""
    other = {key: best.get(key, "no such column") for key in wanted if best.get(key) != wanted[key]}
    return f"; the nearest has {_cells(other)}"


def _cells(row: Mapping[str, str]) -> str:
    return ", ".join(f"{column} {cell!r}" for column, cell in row.items())


def _expected(columns: tuple[str, ...], rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    return (*([" ".join(columns)] if columns else []), *(_cells(row) for row in rows))
