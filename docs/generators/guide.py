"""Guides that lie beside what they are about, as pages of the site."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)#]+)\)")


def scenarios() -> str:
    """``scenarios/README.md``."""
    return _page(ROOT / "scenarios/README.md")


def _page(path: Path) -> str:
    """Links to files that are no pages become their names.

    Raises:
        FileNotFoundError: a link leads nowhere.
    """

    def named(link: re.Match[str]) -> str:
        target = (path.parent / link[2]).resolve(strict=True)
        return f"{link[1]} (`{target.relative_to(ROOT)}`)"

    return _LINK.sub(named, path.read_text())
