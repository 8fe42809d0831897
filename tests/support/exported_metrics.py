"""Every number that agent and controller export, as the code makes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from spiderpool.agent.ipam_writer import Counters
from spiderpool.agent.metrics import MeasuredIpam, condition
from spiderpool.agent.server import Handler
from spiderpool.controller.caches import Caches
from spiderpool.controller.metrics import Counts
from spiderpool.controller.metrics import metrics as of_controller
from spiderpool.metrics.text import Metric


def agent_metrics() -> Iterator[Metric]:
    """Of an agent that has done nothing yet."""
    yield from MeasuredIpam(cast(Handler, None), Counters()).metrics()
    yield from condition([], [Path("0" * 20)])


def controller_metrics() -> Iterator[Metric]:
    """Of a controller that knows one object of each kind, so that every label is there."""
    names = ("coordinators", "pools", "subnets")
    caches: dict[str, Any] = {name: _cache({"metadata": {"name": name}}) for name in names}
    yield from of_controller(cast(Caches, SimpleNamespace(**caches)), Counts())


def _cache(obj: dict[str, Any]) -> Any:
    return SimpleNamespace(all=lambda: [obj])
