"""Rollouts, with reports that lag behind and pods that take their time."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.nodes.control.actions import Create, Delete, Patch
from harness.nodes.control.deployments import HASH, REVISION, deployment_plan, sort_out, status_of
from harness.nodes.control.podstate import template_hash
from spiderpool.kube.resources import DEPLOYMENT, REPLICASET

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Object = dict[str, Any]


def deployment(replicas: int = 2, image: str = "one", **strategy: Any) -> Object:
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": image}]},
    }
    return {
        "metadata": {"name": "web", "namespace": "default", "uid": "u", "generation": 1},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template,
            "strategy": {"rollingUpdate": strategy} if strategy else {},
        },
    }


@dataclass
class Cluster:
    """What the API and the kubelets would do, one small step at a time."""

    deployment: Object
    sets: dict[str, Object] = field(default_factory=dict)
    pods: dict[str, list[bool]] = field(default_factory=dict)

    def plan(self) -> None:
        for action in deployment_plan(copy.deepcopy(self.deployment), self.owned(), NOW):
            if isinstance(action, Create):
                obj = copy.deepcopy(action.obj)
                obj["metadata"]["uid"] = obj["metadata"]["name"]
                self.sets.setdefault(obj["metadata"]["name"], obj)
                self.pods.setdefault(obj["metadata"]["name"], [])
            elif isinstance(action, Patch) and action.resource == REPLICASET:
                name = action.obj["metadata"]["name"]
                self.sets[name]["spec"] |= action.body.get("spec", {})
                annotations = action.body.get("metadata", {}).get("annotations", {})
                self.sets[name]["metadata"].setdefault("annotations", {}).update(annotations)
            elif isinstance(action, Delete):
                del self.sets[action.obj["metadata"]["name"]]

    def owned(self) -> list[Object]:
        return copy.deepcopy(sorted(self.sets.values(), key=lambda each: each["metadata"]["name"]))

    def sync(self, name: str) -> None:
        """The ReplicaSet controller: unready pods go first."""
        pods, wanted = self.pods[name], self.sets[name]["spec"]["replicas"]
        pods.sort(reverse=True)
        self.pods[name] = pods[:wanted] + [False] * max(0, wanted - len(pods))

    def get_ready(self, name: str) -> None:
        if False in self.pods[name]:
            self.pods[name][self.pods[name].index(False)] = True

    def report(self, name: str) -> None:
        pods = self.pods[name]
        self.sets[name]["status"] = {
            "replicas": len(pods),
            "readyReplicas": sum(pods),
            "availableReplicas": sum(pods),
        }

    def step(self, number: int) -> None:
        kinds = (self.sync, self.get_ready, self.report)
        names = sorted(self.sets)
        if not names or number % 4 == 3:
            self.plan()
        else:
            kinds[number % 4](names[number // 4 % len(names)])

    def settle(self) -> None:
        """Let everything happen often enough."""
        for _ in range(60):
            self.plan()
            for name in sorted(self.sets):
                self.sync(name)
                self.get_ready(name)
                self.report(name)

    @property
    def ready(self) -> int:
        return sum(sum(self.pods[name]) for name in self.sets)

    @property
    def total(self) -> int:
        return sum(len(self.pods[name]) for name in self.sets)

    @property
    def current(self) -> str:
        return f"web-{template_hash(self.deployment['spec']['template'])}"


STRATEGIES = st.sampled_from([(1, 0), (0, 1), (2, 1), ("25%", "25%"), ("100%", 0), (0, "50%")])


@settings(max_examples=60)
@given(st.integers(1, 5), STRATEGIES, st.lists(st.integers(0, 30), max_size=120))
def test_rollouts_keep_their_limits_and_end(
    replicas: int, strategy: tuple[Any, Any], steps: list[int]
) -> None:
    cluster = Cluster(deployment(replicas, "one", maxSurge=strategy[0], maxUnavailable=strategy[1]))
    cluster.settle()
    assert cluster.pods[cluster.current] == [True] * replicas
    container = cluster.deployment["spec"]["template"]["spec"]["containers"][0]
    container["image"] = "two"
    surge, unavailable = limits(replicas, *strategy)
    for number in steps:
        cluster.step(number)
        assert cluster.ready >= replicas - unavailable
        assert cluster.total <= replicas + surge
    cluster.settle()
    assert cluster.pods[cluster.current] == [True] * replicas
    assert cluster.total == replicas


def limits(replicas: int, surge: int | str, unavailable: int | str) -> tuple[int, int]:
    """As Kubernetes rounds: surge up, unavailability down, and never both nothing."""

    def share(value: int | str, up: bool) -> int:
        if isinstance(value, int):
            return value
        hundredths = replicas * int(value[:-1])
        return -(-hundredths // 100) if up else hundredths // 100

    most, fewest = share(surge, True), share(unavailable, False)
    return most, fewest if most or fewest else 1


def test_new_set_is_named_for_its_template() -> None:
    (create, *_) = deployment_plan(deployment(), [], NOW)
    assert isinstance(create, Create)
    name = create.obj["metadata"]["labels"][HASH]
    assert create.obj["metadata"]["name"] == f"web-{name}"
    assert create.obj["spec"]["selector"]["matchLabels"] == {"app": "web", HASH: name}
    assert create.obj["spec"]["template"]["metadata"]["labels"] == {"app": "web", HASH: name}
    assert create.obj["spec"]["replicas"] == 2


def test_equal_templates_have_equal_names() -> None:
    first, second = deployment()["spec"]["template"], deployment()["spec"]["template"]
    assert template_hash(first) == template_hash(second)
    second["spec"]["containers"][0]["image"] = "other"
    assert template_hash(first) != template_hash(second)


def test_recreate_waits_until_the_old_are_gone() -> None:
    cluster = Cluster(deployment(2))
    cluster.settle()
    cluster.deployment["spec"]["strategy"] = {"type": "Recreate"}
    cluster.deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "two"
    old = next(iter(cluster.sets))
    cluster.plan()
    cluster.plan()
    assert cluster.sets[cluster.current]["spec"]["replicas"] == 0
    assert cluster.sets[old]["spec"]["replicas"] == 0
    cluster.settle()
    assert cluster.pods[cluster.current] == [True, True]


def test_paused_deployment_does_not_roll() -> None:
    cluster = Cluster(deployment(2))
    cluster.settle()
    cluster.deployment["spec"]["paused"] = True
    cluster.deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "two"
    old = next(iter(cluster.sets))
    cluster.settle()
    assert cluster.pods[old] == [True, True]


def test_old_sets_are_forgotten_beyond_the_limit() -> None:
    cluster = Cluster(deployment(1))
    cluster.deployment["spec"]["revisionHistoryLimit"] = 2
    for image in "abcde":
        cluster.deployment["spec"]["template"]["spec"]["containers"][0]["image"] = image
        cluster.settle()
    assert len(cluster.sets) == 3


def test_going_back_makes_the_old_set_the_newest() -> None:
    cluster = Cluster(deployment(1))
    for image in ("one", "two", "one"):
        cluster.deployment["spec"]["template"]["spec"]["containers"][0]["image"] = image
        cluster.settle()
    revisions = {
        name: each["metadata"]["annotations"][REVISION] for name, each in cluster.sets.items()
    }
    assert revisions[cluster.current] == "3"
    assert sorted(revisions.values()) == ["2", "3"]


@pytest.mark.parametrize(
    ("ready", "available", "progress"),
    [(2, "True", "NewReplicaSetAvailable"), (0, "False", "ReplicaSetUpdated")],
)
def test_conditions(ready: int, available: str, progress: str) -> None:
    cluster = Cluster(deployment(2))
    cluster.settle()
    cluster.pods[cluster.current] = [index < ready for index in range(2)]
    cluster.report(cluster.current)
    found = status_of(cluster.deployment, sort_out(cluster.deployment, cluster.owned()), NOW)
    conditions = {each["type"]: each for each in found["conditions"]}
    assert conditions["Available"]["status"] == available
    assert conditions["Progressing"]["reason"] == progress
    assert found.get("availableReplicas", 0) == ready


def test_deleted_deployment_starts_nothing() -> None:
    going = deployment()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    actions = deployment_plan(going, [], NOW)
    assert all(isinstance(action, Patch) and action.resource == DEPLOYMENT for action in actions)
