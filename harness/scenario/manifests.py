"""Where a scenario's manifests lie: beside it, or in a folder that scenarios share."""

from __future__ import annotations

import os
from pathlib import Path

from harness.scenario.document import Item

SHARED = "_manifests"


def manifest(item: Item) -> Path:
    """A file below the scenario's folder, or below the nearest shared one above it; nothing
    outside of these is ever read.

    Raises:
        BadInput: it lies elsewhere, or does not exist.
    """
    folder = Path(item.where.file).parent.resolve()
    for root in (folder, *(above / SHARED for above in folder.parents)):
        path = (root / item.text()).resolve()
        if not path.is_relative_to(root):
            raise item.fail(f"{item.text()!r} lies outside of {root}", "keep manifests beside it")
        if os.path.isfile(path):  # noqa: PTH113  # Path's own fails for names that are too long
            return path
    raise item.fail(f"{item.text()!r} does not exist in {folder}, nor in any {SHARED} above it")
