"""Parts of the site that are made from the code, each time that the site is built.

A page says where one goes by a line ``<!-- generated: NAME -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from docs.generators import (
    annotation_keys,
    command_lines,
    definitions,
    events,
    guide,
    metrics,
    values,
)

PARTS: dict[str, Callable[[], str]] = {
    "annotations": annotation_keys.annotation_table,
    "labels": annotation_keys.label_table,
    "command-lines": command_lines.command_lines,
    "definitions": definitions.definitions,
    "events": events.events,
    "agent-metrics": metrics.of_the_agent,
    "controller-metrics": metrics.of_the_controller,
    "alerts": metrics.alerts,
    "scenarios": guide.scenarios,
    "values": values.values,
}
"""Name -> Markdown."""

_MARKER = re.compile(r"^<!-- generated: (\S+) -->$", re.MULTILINE)


def fill(page: str) -> str:
    """The page with its generated parts in it.

    Raises:
        KeyError: there is no part of a name.
    """
    return _MARKER.sub(lambda match: PARTS[match[1]](), page)
