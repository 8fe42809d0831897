"""Dashboard and alerts ask for numbers that are exported; each alert fires for its own reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from deploy_chart import CHART, Object, Render, one, run
from exported_series import series_of

from docs.generators.metrics import agent_metrics, controller_metrics
from spiderpool.metrics.text import Metric

FOLDER = CHART / "monitoring"
RULES = {
    name: yaml.safe_load((FOLDER / name).read_text()) for name in ("agent.yaml", "controller.yaml")
}
ALERTS = {
    rule["alert"]: rule
    for file in RULES.values()
    for group in file["groups"]
    for rule in group["rules"]
}
CASES = yaml.safe_load(Path(__file__).with_name("alerts.yaml").read_text())
FROM_PROMETHEUS = {"job", "instance", "namespace", "pod", "service"}
"""Labels that Prometheus adds where it scrapes by a ServiceMonitor."""
METRICS: Object = {"enabled": True, "prometheusRule": {"install": True, "labels": {"release": "x"}}}
WATCHED: Object = {
    "spiderpoolAgent": {"prometheus": METRICS, "name": "sp-agent"},
    "spiderpoolController": {"prometheus": METRICS},
    "grafanaDashboard": {"install": True, "namespace": "grafana"},
}


EXPORTED = {"up": set[str](), **series_of((*agent_metrics(), *controller_metrics()))}


def dashboard() -> Object:
    found: Object = json.loads((FOLDER / "dashboard.json").read_text())
    return found


def questions() -> dict[str, str]:
    """Every expression by where it stands; Grafana's own words have values put in."""
    asked = {name: rule["expr"] for name, rule in ALERTS.items()}
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            text = target["expr"].replace("$__rate_interval", "5m")
            asked[f"{panel['title']} {target['refId']}"] = text
    return asked


QUESTIONS = questions()


def parts(expression: Any) -> Iterator[Any]:
    """The expression and all that it is made of."""
    yield expression
    for name in ("expr", "lhs", "rhs", "vector_selector"):
        if (inner := getattr(expression, name, None)) is not None:
            yield from parts(inner)
    for argument in getattr(expression, "args", None) or ():
        yield from parts(argument)


def unknown(text: str) -> set[str]:
    """Names and labels in a PromQL expression that nobody exports."""
    named: dict[str, set[str]] = {}
    grouped: set[str] = set()
    for part in parts(promql_parser.parse(text)):
        match part:
            case promql_parser.VectorSelector():
                named.setdefault(str(part.name), set()).update(
                    m.name for m in part.matchers.matchers
                )
            case promql_parser.AggregateExpr() if part.modifier is not None:
                grouped.update(part.modifier.labels)
    wrong = {name for name in named if name not in EXPORTED}
    known = FROM_PROMETHEUS.union(*(EXPORTED.get(name, set()) for name in named))
    for name, labels in named.items():
        wrong |= labels - EXPORTED.get(name, set()) - FROM_PROMETHEUS - {"__name__"}
    return wrong | (grouped - known)


@pytest.mark.parametrize("where", QUESTIONS)
def test_every_question_is_about_what_is_exported(where: str) -> None:
    assert not unknown(QUESTIONS[where])


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("spiderpool_agent_redy == 0", {"spiderpool_agent_redy"}),
        ("sum by (pool) (spiderpool_agent_ready)", {"pool"}),
        ('rate(spiderpool_agent_ready{pool="x"}[5m])', {"pool"}),
        ("max(sum by (le) (rate(spiderpool_nil[5m])))", {"spiderpool_nil", "le"}),
    ],
)
def test_a_wrong_question_is_seen(text: str, wrong: set[str]) -> None:
    """The control: names and labels are found wherever they stand."""
    assert unknown(text) == wrong


def test_what_is_no_question_is_refused() -> None:
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        promql_parser.parse("sum by (")


def test_labels_in_texts_are_those_of_the_result() -> None:
    for rule in ALERTS.values():
        texts = " ".join(rule["annotations"].values())
        for label in re.findall(r"\$labels\.(\w+)", texts):
            grouped = re.findall(r"by \(([^)]*)\)", rule["expr"])
            sums = re.search(r"\b(sum|max|min|absent)\b", rule["expr"]) is not None
            assert label in grouped if sums else label == "instance", rule["alert"]


def test_every_metric_is_on_the_dashboard_or_is_a_gauge_of_a_histogram() -> None:
    shown = " ".join(QUESTIONS.values())
    metrics: list[Metric] = [*agent_metrics(), *controller_metrics()]
    left = {metric.name for metric in metrics if metric.name not in shown}
    single = re.compile(r"_(average|max|min|latest)_(limit_)?duration_seconds$")
    release = {name for name in left if name.startswith("spiderpool_ipam_release_")}
    assert {name for name in left - release if not single.search(name)} == {
        "spiderpool_total_subnet_counts"
    }


def test_every_alert_has_a_case() -> None:
    assert list(CASES["alerts"]) == list(ALERTS)
    for name, instead in CASES["alerts"].items():
        assert instead.keys() <= CASES["well"].keys(), name


def firing(series: dict[str, str], expected: list[str], folder: Path) -> None:
    """promtool replays an hour of ``series``; exactly ``expected`` fire at its end."""
    test = {
        "interval": "1m",
        "input_series": [{"series": k, "values": v} for k, v in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "59m",
                "exp_samples": [
                    {"labels": f'{{alertname="{name}"}}', "value": 1} for name in expected
                ],
            }
        ],
    }
    files = [str(FOLDER / name) for name in RULES]
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump({"rule_files": files, "tests": [test]}))
    done = run("promtool", "test", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.binary("promtool")
def test_nothing_fires_when_all_is_well(tmp_path: Path) -> None:
    firing(CASES["well"], [], tmp_path)


@pytest.mark.binary("promtool")
@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_fires_alone(name: str, tmp_path: Path) -> None:
    firing(CASES["well"] | CASES["alerts"][name], [name], tmp_path)


@pytest.mark.binary("promtool")
def test_prometheus_takes_the_rules_as_the_chart_renders_them(
    render: Render, tmp_path: Path
) -> None:
    objects = render(WATCHED)
    rules = [obj for obj in objects if obj["kind"] == "PrometheusRule"]
    assert [obj["metadata"]["name"] for obj in rules] == ["sp-agent", "spiderpool-controller"]
    for obj in rules:
        assert obj["metadata"]["labels"]["release"] == "x"
        path = tmp_path / f"{obj['metadata']['name']}.yaml"
        path.write_text(yaml.safe_dump(obj["spec"]))
        done = run("promtool", "check", "rules", str(path))
        assert done.returncode == 0, done.stderr


@pytest.mark.binary("helm")
def test_jobs_are_those_of_the_services(render: Render) -> None:
    """A ServiceMonitor's job is the name of the Service that it finds."""
    objects = render(WATCHED)
    services = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Service"}
    text = json.dumps([obj for obj in objects if obj["kind"] == "PrometheusRule"])
    jobs = set(re.findall(r'job=\\"([^"\\]+)\\"', text))
    assert jobs == {"sp-agent-metrics", "spiderpool-controller-metrics"} <= services


@pytest.mark.binary("helm")
def test_the_dashboard_is_found_by_the_sidecar(render: Render) -> None:
    found = one(render(WATCHED), "ConfigMap", "spiderpool-dashboard")
    assert found["metadata"]["namespace"] == "grafana"
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["spiderpool.json"]) == dashboard()


def test_panels_do_not_lie_upon_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells), panel["title"]
        taken |= cells
    idents = [panel["id"] for panel in dashboard()["panels"]]
    assert len(set(idents)) == len(idents)
