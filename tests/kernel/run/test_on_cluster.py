"""Scenarios on a cluster that is there, which the harness itself imitates."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from imitation import SCENARIOS, Imitation, imitation

from harness.netns import isolated
from harness.run.kubectl import Kubectl
from harness.scenario.load import load

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.binary("kubectl"),
    pytest.mark.binary("nft"),
]

T = TypeVar("T")
Events = list[dict[str, Any]]

GIVEN = ("coordinator.yaml", "kubeadm-config.yaml")
KINDS = (
    "deployments,services,endpointslices,configmaps,pods,spidercoordinators,spiderippools,"
    "spidermultusconfigs,network-attachment-definitions,spiderendpoints"
)
SMALL = """\
scenario: small
summary: A pod and what it serves
topology: one-node
names:
  web: {pod: app=web}
steps:
  - create: web.yaml
  - wait: deployment/web
    for: condition=Available
  - expect:
      - id: answered
        udp: {from: client, to: worker01.ens192, port: 7}
        leaves: client.eth0
        arrives: worker01.ens192
      - id: served
        tcp: {from: worker01, to: web.eth0, port: 80}
        path: [web.eth0]
      - id: wrong-way
        ping: {from: client, to: outside.eth0}
        path: [client.eth0, outside.eth0]
  - wait: deployment/web
    for: condition=Never
    within: 60
"""
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web, ports: [{containerPort: 80}]}]}
"""


def on_an_imitation(act: Callable[[Imitation], Awaitable[T]], *given: str) -> T:
    """What ``act`` finds on a cluster that has the ``given`` manifests."""

    async def imitated() -> T:
        async with imitation(given=given) as cluster:
            return await act(cluster)

    return isolated.call(lambda: asyncio.run(imitated()))


def written(folder: Path, scenario: str = SMALL) -> Path:
    shutil.copytree(SCENARIOS / "_topologies", folder / "_topologies")
    (folder / "scenario.yaml").write_text(scenario)
    (folder / "web.yaml").write_text(WEB)
    return folder


def ended(events: Events) -> dict[str, Any]:
    assert events[-1]["event"] == "ended"
    return events[-1]


def failed_step(events: Events) -> dict[str, Any]:
    return next(event for event in events if event["event"] == "step" and event["problem"])


def test_the_page_holds_and_leaves_nothing() -> None:
    async def act(cluster: Imitation) -> tuple[int, Events, list[str], list[str]]:
        before = await cluster.objects(KINDS)
        return *await cluster.harness(SCENARIOS / "one-node"), before, await cluster.objects(KINDS)

    status, events, before, after = on_an_imitation(act, *GIVEN)
    verdicts = [event for event in events if event["event"] == "judged"]
    assert [event for event in verdicts if event["result"] != "passed"] == []
    expectations = load(SCENARIOS / "one-node").expectations()
    assert [event["id"] for event in verdicts] == [each.id for each in expectations]
    assert not ended(events)["problem"]
    assert status == 0
    assert "SpiderCoordinator/default" in before
    assert sorted(after) == sorted(before)


def test_another_topology_is_refused_and_nothing_made() -> None:
    async def act(cluster: Imitation) -> tuple[int, Events, list[str]]:
        return *await cluster.harness(SCENARIOS / "quickstart"), await cluster.objects(KINDS)

    status, events, after = on_an_imitation(act)
    assert status == 3
    assert ended(events)["cannot"] == (
        "the cluster is not what the scenario's topology says: "
        "the API has no node controller; the inventory has no controller"
    )
    assert [event["event"] for event in events] == ["started", "ended"]
    assert after == ["Service/kubernetes"]


def test_failures_are_told_and_what_was_made_goes(tmp_path: Path) -> None:
    scenario = written(tmp_path, SMALL.replace("within: 60", "within: 0.2"))

    async def act(cluster: Imitation) -> tuple[int, Events, list[str]]:
        events = await cluster.harness("--keep", tmp_path, scenario)
        return *events, await cluster.objects(KINDS)

    status, events, after = on_an_imitation(act)
    assert status == 1
    results = {event["id"]: event["result"] for event in events if event["event"] == "judged"}
    assert results == {"answered": "passed", "served": "passed", "wrong-way": "failed"}
    assert after == ["Service/kubernetes"]
    kept = {file.name for file in (tmp_path / "small").iterdir()}
    assert {"wrong-way.pcapng", "worker01.txt", "objects.yaml"} <= kept


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    scenario = written(tmp_path)

    async def act(cluster: Imitation) -> tuple[int, Events, list[str]]:
        await cluster.cluster.kubectl.run("create", "-f", str(scenario / "web.yaml"))
        return *await cluster.harness(scenario), await cluster.objects("deployments")

    status, events, after = on_an_imitation(act)
    assert status == 1
    (step,) = (event for event in events if event["event"] == "step")
    assert step["problem"].startswith("Deployment web is there already, and this run")
    assert after == ["Deployment/web"]


@pytest.mark.parametrize(
    ("number", "until"),
    [
        (signal.SIGKILL, "served"),
        (signal.SIGKILL, "wrong-way"),
        (signal.SIGTERM, "served"),
    ],
    ids=["killed while it probes", "killed while it waits", "terminated"],
)
def test_a_run_that_is_ended_leaves_nothing(
    tmp_path: Path, number: signal.Signals, until: str
) -> None:
    scenario = written(tmp_path)

    async def act(cluster: Imitation) -> list[str]:
        run = await begun(cluster, scenario, until)
        run.send_signal(number)
        await run.wait()
        async with asyncio.timeout(30):
            while found := await cluster.objects("deployments,replicasets,pods"):
                await asyncio.sleep(0.05)
        return found

    assert on_an_imitation(act) == []


async def begun(cluster: Imitation, scenario: Path, until: str) -> asyncio.subprocess.Process:
    """A run that has judged the expectation ``until``."""
    run = await cluster.started("--json", scenario)
    assert run.stdout is not None
    async for line in run.stdout:
        if json.loads(line).get("id") == until:
            break
    assert "Deployment/web" in await cluster.objects("deployments")
    return run


def test_a_person_who_interrupts_twice_interrupts_no_deletion(tmp_path: Path) -> None:
    """A terminal's signals go to everything that the command has started."""
    scenario = written(tmp_path)

    async def act(cluster: Imitation) -> tuple[int, str, list[str]]:
        run = await begun(cluster, scenario, "wrong-way")
        os.killpg(run.pid, signal.SIGINT)
        async with asyncio.timeout(30):
            while not await is_being_deleted(cluster):
                await asyncio.sleep(0.01)
        os.killpg(run.pid, signal.SIGINT)
        _, complaints = await run.communicate()
        assert run.returncode is not None
        return run.returncode, complaints.decode(), await cluster.objects("deployments,pods")

    status, complaints, after = on_an_imitation(act)
    assert status == 130
    assert "Traceback" not in complaints
    assert after == []


async def is_being_deleted(cluster: Imitation) -> bool:
    """Or is gone already."""
    kubectl, path = cluster.cluster.kubectl, "{.metadata.deletionTimestamp}"
    options = ("--ignore-not-found", "-o", f"jsonpath=there{path}")
    return await kubectl.run("get", "deployment", "web", *options) != "there"


def test_a_container_that_listens_itself_is_refused(tmp_path: Path) -> None:
    scenario = written(tmp_path)

    async def act(cluster: Imitation) -> tuple[int, Events]:
        cluster.ports.append(80)
        return await cluster.harness(scenario)

    status, events = on_an_imitation(act)
    assert status == 1
    problem = failed_step(events)["problem"]
    assert problem.startswith("pod default/web-")
    assert "Address already in use; a container that listens on its ports itself" in problem


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    scenario = written(tmp_path)

    async def act(cluster: Imitation) -> tuple[int, Events]:
        client = cluster.cluster.places["client"]
        with client.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("", 7))
            return await cluster.harness(scenario)

    status, events = on_an_imitation(act)
    assert status == 1
    words = "client: port 7, where probes are answered: Address already in use"
    assert ended(events)["problem"] == words


def test_pods_that_no_result_is_about_are_named(tmp_path: Path) -> None:
    scenario = written(tmp_path)

    async def act(cluster: Imitation) -> tuple[int, Events]:
        content = cluster.describe()
        content["nodes"]["worker01"]["cniResults"] = os.fspath(tmp_path / "_topologies")
        cluster.inventory.write_text(json.dumps(content))
        return await cluster.harness(scenario)

    _, events = on_an_imitation(act)
    problem = failed_step(events)["problem"]
    assert problem.startswith("pod default/web-")
    assert problem.endswith("runs on worker01, but no result of a CNI plugin is about it")


def test_an_inventory_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    scenario = written(tmp_path)

    async def act(cluster: Imitation) -> tuple[int, Events]:
        content = cluster.describe()
        content["places"]["router"] = os.fspath(scenario / "web.yaml")
        cluster.inventory.write_text(json.dumps(content))
        return await cluster.harness(scenario)

    status, events = on_an_imitation(act)
    assert status == 1
    words = f"router: {scenario}/web.yaml is no network namespace; give the path of a network"
    assert words in ended(events)["problem"]


def test_a_context_of_another_namespace_is_refused(tmp_path: Path) -> None:
    """The scenario's manifests and tables mean the default one."""
    scenario, config = written(tmp_path), tmp_path / "kubeconfig"

    async def act(cluster: Imitation) -> tuple[int, Events]:
        shutil.copy(cluster.cluster.kubeconfig, config)
        kubectl = Kubectl(config, tmp_path)
        await kubectl.run("config", "set-context", "--current", "--namespace=kube-system")
        return await cluster.harness("--kubeconfig", config, scenario)

    status, events = on_an_imitation(act)
    assert status == 1
    assert ended(events)["problem"] == (
        f"{config}: the current context's namespace: is 'kube-system'; "
        "use a context whose namespace is default"
    )
