"""One thing that was looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """``detail`` says what was found; ``remedy`` how to mend it, or what goes without it.

    Without a ``required`` one no scenario runs.
    """

    name: str
    works: bool
    required: bool
    detail: str = ""
    remedy: str = ""


def ready(findings: Iterable[Finding]) -> bool:
    """Whether scenarios can run."""
    return all(finding.works for finding in findings if finding.required)
