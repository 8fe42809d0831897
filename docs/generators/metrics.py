"""The numbers that agent and controller export, and the alerts of the chart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import yaml

from docs.generators.markdown import code, plain, table
from spiderpool.agent.ipam_writer import Counters
from spiderpool.agent.metrics import MeasuredIpam, condition
from spiderpool.agent.server import Handler
from spiderpool.controller.caches import Caches
from spiderpool.controller.metrics import Counts
from spiderpool.controller.metrics import metrics as exported_by_controller
from spiderpool.kube.following import followed
from spiderpool.kube.informer import WatchedCache
from spiderpool.kube.resources import JOB, POD, Resource
from spiderpool.metrics.text import Metric

MONITORING = Path(__file__).parents[2] / "deploy/chart/spiderpool/monitoring"


def agent_metrics() -> Iterator[Metric]:
    """Of an agent that has done nothing yet."""
    yield from MeasuredIpam(cast(Handler, None), Counters()).metrics()
    yield from condition([], [Path("0" * 20)])
    yield _followed(POD)


def controller_metrics() -> Iterator[Metric]:
    """Of a controller that knows one object of each kind, so that every label is there."""
    names = ("coordinators", "pools", "subnets")
    caches: dict[str, Any] = {name: _cache({"metadata": {"name": name}}) for name in names}
    yield from exported_by_controller(cast(Caches, SimpleNamespace(**caches)), Counts())
    yield _followed(JOB)


def _followed(kind: Resource) -> Metric:
    return followed([cast(WatchedCache, SimpleNamespace(resource=kind, problem=""))])


def _cache(obj: dict[str, Any]) -> Any:
    return SimpleNamespace(all=lambda: [obj])


def of_the_agent() -> str:
    """A table."""
    return _table(agent_metrics())


def of_the_controller() -> str:
    """A table."""
    return _table(controller_metrics())


def _table(metrics: Iterable[Metric]) -> str:
    rows = []
    for metric in metrics:
        labels = sorted({label for sample in metric.samples for label in sample.labels})
        rows.append(
            (
                code(metric.name),
                str(metric.kind),
                ", ".join(map(code, labels)),
                plain(metric.text),
            )
        )
    return table(("Metric", "Kind", "Labels", "Meaning"), rows)


def alerts() -> str:
    """A table of the chart's alerts."""
    rows = []
    for name in ("agent.yaml", "controller.yaml"):
        for group in yaml.safe_load((MONITORING / name).read_text())["groups"]:
            for rule in group["rules"]:
                said = rule["annotations"]
                rows.append(
                    (
                        code(rule["alert"]),
                        rule["labels"]["severity"],
                        code(" ".join(rule["expr"].split())),
                        plain(said["description"]),
                    )
                )
    return table(("Alert", "Severity", "Fires when", "Meaning"), rows)
