"""Sphinx' configuration: Markdown by MyST, with the generated parts put in."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from docs.generators import fill  # noqa: E402  # the path is set above

project = "Spiderpool in Python"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = project
html_copy_source = False
html_show_copyright = False
exclude_patterns = ["generators"]
myst_heading_anchors = 4
nitpicky = True


def put_parts_in(app: Sphinx, page: str, source: list[str]) -> None:
    """Sphinx reads ``source[0]`` afterwards."""
    source[0] = fill(source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", put_parts_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
