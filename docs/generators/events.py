"""The reasons of Events."""

from __future__ import annotations

from docs.generators.markdown import code, table
from spiderpool.kube.reasons import Reason


def events() -> str:
    """A table; the texts are Markdown already."""
    rows = [(code(r.value), r.meaning.on, r.meaning.says, r.meaning.remedy) for r in Reason]
    return table(("Reason", "On", "Says", "What to do"), rows)
