"""Answers as tables, as `kubectl get` asks for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from harness.kubeapi.kinds import Column, Kind
from harness.kubeapi.tables import core, jsonpath, pods, workloads
from harness.kubeapi.tables.age import age, human
from harness.kubeapi.tables.build import table

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (599, "9m59s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (8 * 3600, "8h"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (49 * 3600, "2d1h"),
        (8 * 86400, "8d"),
        (91 * 86400, "91d"),
        (2 * 365 * 86400, "2y"),
        (2 * 365 * 86400 + 86400, "2y1d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert human(seconds) == text


def test_ages() -> None:
    assert age("2026-01-01T11:58:00Z", NOW) == "2m"
    assert age(None, NOW) == "<unknown>"


DOCUMENT = {
    "status": {
        "current": {"ips": [{"interface": "net1", "ipv4": "10.0.0.1/16"}, {"interface": "net2"}]},
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}],
    },
    "spec": {"labels": {"a.b/c": "dotted"}, "flag": True, "many": {"x": 1, "y": 2}},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".status.current.ips[0].ipv4", ["10.0.0.1/16"]),
        (".status.current.ips[-1].interface", ["net2"]),
        (".status.current.ips[*].interface", ["net1", "net2"]),
        (".status.current.ips[5].interface", []),
        (".status.missing.ips[0]", []),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        ("{.status.conditions[?(@.type=='Other')].status}", ["False"]),
        ('.status.conditions[?(@.type!="Ready")].status', ["False"]),
        (".spec.labels['a.b/c']", ["dotted"]),
        (r".spec.labels.a\.b/c", ["dotted"]),
        (".spec.many[*]", [1, 2]),
    ],
)
def test_paths(path: str, found: list[Any]) -> None:
    assert jsonpath.find(path, DOCUMENT) == found


def test_path_that_is_none() -> None:
    with pytest.raises(jsonpath.BadPath):
        jsonpath.parse(".a[?(what)]")


def waiting(reason: str) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason}}}


RUNNING = {"ready": True, "state": {"running": {}}}
FAILED = {"state": {"terminated": {"exitCode": 3}}}
DONE = {"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ({}, "Pending"),
        ({"phase": "Running", "containerStatuses": [RUNNING]}, "Running"),
        ({"phase": "Pending", "containerStatuses": [waiting("Creating")]}, "Creating"),
        ({"phase": "Running", "containerStatuses": [RUNNING, waiting("Crash")]}, "Crash"),
        ({"phase": "Failed", "containerStatuses": [FAILED]}, "ExitCode:3"),
        ({"phase": "Succeeded", "containerStatuses": [DONE]}, "Completed"),
        ({"phase": "Running", "containerStatuses": [DONE, RUNNING]}, "NotReady"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"phase": "Pending", "initContainerStatuses": [DONE, RUNNING]}, "Init:1/2"),
        ({"phase": "Pending", "initContainerStatuses": [FAILED]}, "Init:ExitCode:3"),
        ({"phase": "Pending", "initContainerStatuses": [waiting("Pulling")]}, "Init:Pulling"),
    ],
)
def test_words_for_pods(status: dict[str, Any], word: str) -> None:
    spec: dict[str, Any] = {"initContainers": [{}, {}] if "initContainerStatuses" in status else []}
    assert pods.reason({"metadata": {}, "spec": spec, "status": status}) == word


def test_pod_that_goes() -> None:
    pod = {"metadata": {"deletionTimestamp": "x"}, "status": {"phase": "Running"}}
    assert pods.reason(pod) == "Terminating"


def test_restarts_tell_when() -> None:
    ended = {"terminated": {"finishedAt": "2026-01-01T11:50:00Z"}}
    status = {"containerStatuses": [{"restartCount": 3, "lastState": ended}]}
    cells = pods.cells({"metadata": {}, "spec": {"containers": [{}]}, "status": status}, NOW)
    assert cells[:3] == ["0/1", "Pending", "3 (10m ago)"]


def test_nodes() -> None:
    labels = {"node-role.kubernetes.io/control-plane": "", "other": ""}
    node = {
        "metadata": {"labels": labels, "creationTimestamp": "2026-01-01T11:58:00Z"},
        "spec": {"unschedulable": True},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": "10.6.212.131"}],
            "nodeInfo": {"kubeletVersion": "v1.35.0"},
        },
    }
    cells = core.node(node, NOW)
    assert cells[:5] == [
        "Ready,SchedulingDisabled",
        "control-plane",
        "2m",
        "v1.35.0",
        "10.6.212.131",
    ]
    assert core.node({"metadata": {}}, NOW)[0] == "Unknown"


def test_endpoints_are_shortened() -> None:
    addresses = [{"ip": f"10.0.0.{number}"} for number in range(5)]
    subsets = [{"addresses": addresses, "ports": [{"port": 80}]}]
    cells = core.endpoints({"metadata": {}, "subsets": subsets}, NOW)
    assert cells[0] == "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 2 more..."
    assert core.endpoints({"metadata": {}}, NOW)[0] == "<none>"


def test_jobs() -> None:
    job = {
        "metadata": {},
        "spec": {"completions": 3, "parallelism": 2},
        "status": {"succeeded": 1, "startTime": "2026-01-01T11:59:00Z"},
    }
    assert workloads.job(job, NOW)[:3] == ["Running", "1/3", "60s"]
    done = {"type": "Complete", "status": "True"}
    job["status"] = {"succeeded": 3, "conditions": [done]}
    assert workloads.job(job, NOW)[:3] == ["Complete", "3/3", ""]


def test_columns_without_values_stay_empty() -> None:
    columns = (
        Column("N", "integer", path=".spec.n"),
        Column("Flag", "boolean", path=".spec.flag"),
        Column("Text", "string", path=".spec.text"),
        Column("List", "string", path=".spec.list"),
        Column("When", "date", path=".spec.when"),
    )
    kind = Kind("x.io", "v1", "Thing", "things", True, {}, builtin=False, columns=columns)
    full = {"n": 1, "flag": False, "text": "t", "list": [1], "when": "2026-01-01T11:58:00Z"}
    items = [
        {"metadata": {"name": "full"}, "spec": full},
        {"metadata": {"name": "empty"}},
        {"metadata": {"name": "wrong"}, "spec": {"n": "x", "flag": "y", "text": 5}},
    ]
    answer = table(kind, {"metadata": {}, "items": items}, "v1", "", NOW)
    assert [row["cells"] for row in answer["rows"]] == [
        ["full", 1, False, "t", "[1]", "2m"],
        ["empty", None, None, None, None, None],
        ["wrong", None, None, "5", None, None],
    ]
