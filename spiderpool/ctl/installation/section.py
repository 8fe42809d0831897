"""One part of the installation: rows for a table, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spiderpool.ctl.finding import Finding

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Section:
    """``name`` is the key in JSON; rows have the same keys, in capitals."""

    name: str
    rows: Rows
    findings: list[Finding]
