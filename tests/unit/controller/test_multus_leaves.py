"""Multus' pods are replaced by such that tidy up, before the release goes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from spiderpool.controller.install.multus import KEEPS, REMOVES, departing, withdraw
from spiderpool.kube.resources import DAEMONSET
from spiderpool.testing.kube import FakeClient

NAME, NAMESPACE = "spiderpool-multus", "kube-system"
CONTAINER = {"name": "multus-cni", "image": "multus", "args": ["--a=b", KEEPS]}
SPEC: dict[str, Any] = {"template": {"spec": {"hostNetwork": True, "containers": [CONTAINER]}}}
METADATA = {"name": NAME, "namespace": NAMESPACE, "generation": 1}


def cluster(**status: int) -> FakeClient:
    return FakeClient([(DAEMONSET, {"metadata": METADATA, "spec": SPEC, "status": status})])


async def arguments(api: FakeClient) -> list[str]:
    spec = (await api.get(DAEMONSET, NAME, NAMESPACE))["spec"]["template"]["spec"]
    assert spec["hostNetwork"]
    (container,) = spec["containers"]
    assert container["image"] == "multus"
    return list(container["args"])


async def report(api: FakeClient, **status: int) -> None:
    await api.patch(DAEMONSET, NAME, {"status": status}, NAMESPACE, subresource="status")


def test_only_the_end_of_its_program_changes() -> None:
    (container,) = departing(SPEC)["template"]["spec"]["containers"]
    assert container == CONTAINER | {"args": ["--a=b", REMOVES]}


def test_it_waits_for_a_new_pod_on_each_node() -> None:
    async def story() -> None:
        api = cluster(desiredNumberScheduled=2, updatedNumberScheduled=2, numberReady=2)
        leaving = asyncio.create_task(withdraw(api, NAME, NAMESPACE, 20))
        while await arguments(api) != ["--a=b", REMOVES]:
            await asyncio.sleep(0.001)
        new = (await api.get(DAEMONSET, NAME, NAMESPACE))["metadata"]["generation"]
        await report(api, observedGeneration=new, updatedNumberScheduled=2, numberReady=1)
        assert await still(leaving)
        await report(api, numberReady=2)
        await asyncio.wait_for(leaving, 10)

    asyncio.run(story())


async def still(task: asyncio.Task[None]) -> bool:
    """Whether it has looked again and goes on."""
    done, _ = await asyncio.wait({task}, timeout=1.2)
    return not done


def test_a_node_that_is_away_is_told_and_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    api = cluster(observedGeneration=9, desiredNumberScheduled=3, updatedNumberScheduled=2)
    asyncio.run(withdraw(api, NAME, NAMESPACE, 0))
    (record,) = caplog.records
    assert "3 of 3 nodes have no new pod of it; delete Multus' configuration" in record.message


def test_where_it_is_not_installed_nothing_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(withdraw(FakeClient(), NAME, NAMESPACE, 0))
    assert caplog.records == []


def test_where_no_node_has_a_pod_of_it_nothing_is_changed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    api = cluster()
    asyncio.run(withdraw(api, NAME, NAMESPACE, 0))
    assert asyncio.run(arguments(api)) == ["--a=b", KEEPS]
    assert caplog.records == []
