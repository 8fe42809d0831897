"""``spiderpoolctl status`` on the cluster's objects: coordinator, networks, pools, addresses."""

from __future__ import annotations

from typing import Any

import pytest
from installation import SYSTEM
from told_status import only, told

from spiderpool.kube.resources import (
    NETWORKATTACHMENT,
    POD,
    SPIDERCOORDINATOR,
    SPIDERIPPOOL,
    SPIDERMULTUSCONFIG,
    SPIDERSUBNET,
)


def test_a_coordinator_that_knows_no_cidrs(shell: Any) -> None:
    status = {"phase": "NotReady", "reason": "nothing was found; write it by hand"}
    answer = told(
        shell,
        lambda world: world.api.patch(
            SPIDERCOORDINATOR, "default", {"status": status}, subresource="status"
        ),
    )
    assert "are refused: nothing was found; write it by hand" in only(answer)


def test_a_coordinator_that_is_missing(shell: Any) -> None:
    answer = told(shell, lambda world: world.api.delete(SPIDERCOORDINATOR, "default"))
    found = [f"{f['where']} {f['text']}" for f in answer["findings"]]
    assert "SpiderCoordinator default does not exist" in found[0]
    assert "is not what it ought to be" in found[1], "its network inherits nothing any more"


def test_a_network_without_its_attachment(shell: Any) -> None:
    answer = told(
        shell, lambda world: world.api.delete(NETWORKATTACHMENT, "macvlan-ens192", SYSTEM)
    )
    assert "NetworkAttachmentDefinition macvlan-ens192 does not exist" in only(answer)
    assert answer["networks"][0]["STATE"] == "missing"


def test_an_attachment_that_somebody_changed(shell: Any) -> None:
    change = {"spec": {"config": "{}"}}
    answer = told(
        shell, lambda world: world.api.patch(NETWORKATTACHMENT, "macvlan-ens192", change, SYSTEM)
    )
    assert "is not what it ought to be" in only(answer)


def test_an_attachment_by_hand_that_is_misspelt(shell: Any) -> None:
    odd = '{"plugins": [{"type": "macvlan"}, {"type": "coordinattor"}]}'
    mine = {"metadata": {"name": "mine", "namespace": "default"}, "spec": {"config": odd}}
    answer = told(shell, lambda world: world.put(NETWORKATTACHMENT, mine))
    said = only(answer, "warning")
    assert "NetworkAttachmentDefinition default/mine" in said
    assert 'called "coordinattor"; did you mean coordinator?' in said


@pytest.mark.parametrize("text", ["", "{", "[]", '{"plugins": 5}', '{"plugins": ["x"]}'])
def test_an_attachment_of_others_that_is_no_chain(shell: Any, text: str) -> None:
    other = {"metadata": {"name": "other", "namespace": "default"}, "spec": {"config": text}}
    assert told(shell, lambda world: world.put(NETWORKATTACHMENT, other))["findings"] == []


def test_a_network_that_cannot_be_used(shell: Any) -> None:
    change = {"spec": {"macvlan": None}}
    answer = told(
        shell, lambda world: world.api.patch(SPIDERMULTUSCONFIG, "macvlan-ens192", change, SYSTEM)
    )
    assert answer["networks"][0]["STATE"] == "not usable"
    assert f"SpiderMultusConfig {SYSTEM}/macvlan-ens192" in only(answer)


@pytest.mark.parametrize(
    ("name", "spec", "words", "level"),
    [
        ("b", {"ips": ["10.7.0.1-10.7.0.0"]}, "SpiderIPPool b: spec.ips[0]", "problem"),
        ("b", {"ips": []}, "SpiderIPPool b: has no address that it may give", "warning"),
        ("b", {"ips": ["10.7.0.1"], "gateway": "10.7.0.1"}, "has no address", "warning"),
    ],
)
def test_pools_that_cannot_give(shell: Any, name: str, spec: Any, words: str, level: str) -> None:
    async def broken(world: Any) -> None:
        await world.put(
            SPIDERIPPOOL, {"metadata": {"name": name}, "spec": {"subnet": "10.7.0.0/16"} | spec}
        )

    assert words in only(told(shell, broken), level)


def test_an_exhausted_pool_and_a_disabled_one(shell: Any) -> None:
    async def broken(world: Any) -> None:
        await world.pool("one", "10.6.1.1")
        await world.pool("off", "10.6.1.2", disable=True)
        await world.pod("default/x")
        async with world.agent() as agent:
            await agent.add("default/x", ipam={"default_ipv4_ippool": ["one"]})

    answer = told(shell, broken)
    assert "SpiderIPPool one: is exhausted: all 1 addresses are in use" in only(answer)
    row = answer["pools"][0]
    assert (row["POOLS"], row["DISABLED"], row["EXHAUSTED"], row["FREE"]) == (3, 1, 1, 9)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"totalIPCount": 5, "allocatedIPCount": 5}, "automatic pools cannot grow"),
        ({}, "has no status"),
    ],
)
def test_a_subnet_with_nothing_left(shell: Any, status: Any, words: str) -> None:
    async def broken(world: Any) -> None:
        spec = {"subnet": "10.9.0.0/16", "ips": ["10.9.0.1-10.9.0.5"]}
        await world.put(SPIDERSUBNET, {"metadata": {"name": "s"}, "spec": spec})
        await world.api.patch(SPIDERSUBNET, "s", {"status": status}, subresource="status")

    assert words in only(told(shell, broken), "warning")


def test_addresses_that_nobody_uses(shell: Any) -> None:
    async def broken(world: Any) -> None:
        await world.pod("default/x")
        async with world.agent() as agent:
            await agent.add("default/x", ipam={"default_ipv4_ippool": ["a"]})
        await world.api.delete(POD, "x", "default", grace_seconds=0)

    answer = told(shell, broken)
    assert "addresses: 1 held by nobody: 10.6.0.1; the controller" in only(answer, "warning")
