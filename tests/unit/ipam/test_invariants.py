"""Every rule finds what breaks it, and nothing in a cluster that is well."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from spiderpool.ipam.invariants import Evidence, Rule, changes, problems
from spiderpool.ipam.reclaim import NETWORK_STATUS
from spiderpool.kube.resources import (
    NODE,
    POD,
    SPIDERENDPOINT,
    SPIDERIPBLOCK,
    SPIDERIPPOOL,
    SPIDERRESERVEDIP,
)

Lists = dict[str, Any]
"""Lists of objects, by the field of Evidence that takes them."""


async def healthy(world: Any) -> Lists:
    """Two pods with an address each, as lists of objects."""
    await world.node("worker01", "10.6.0.250")
    await world.pool("a", "10.6.0.1-10.6.0.9")
    await world.pool("b", "10.6.0.20")
    await world.reserve("r", "10.6.0.9")
    async with world.agent() as agent:
        for name in ("x", "y"):
            await world.pod(f"default/{name}")
            await agent.add(f"default/{name}", ipam={"default_ipv4_ippool": ["a"]})
    await world.api.patch(
        SPIDERIPPOOL, "a", {"status": {"allocatedIPCount": 2}}, subresource="status"
    )
    kinds = {
        "blocks": SPIDERIPBLOCK,
        "pools": SPIDERIPPOOL,
        "reserved": SPIDERRESERVEDIP,
        "nodes": NODE,
        "endpoints": SPIDERENDPOINT,
        "pods": POD,
    }
    return {name: (await world.api.list(kind))["items"] for name, kind in kinds.items()}


def slot(lists: Lists, address: str = "10.6.0.1") -> dict[str, Any]:
    found: dict[str, Any] = lists["blocks"][0]["spec"]["slots"][address]
    return found


def lose_slot(lists: Lists) -> None:
    del lists["blocks"][0]["spec"]["slots"]["10.6.0.5"]


def unreadable(lists: Lists) -> None:
    slot(lists)["state"] = "lent"


def wrong_name(lists: Lists) -> None:
    lists["blocks"][0]["metadata"]["name"] = "10-6-0-32"


def too_large(lists: Lists) -> None:
    slot(lists)["pod"] = "default/" + "x" * 70000


def nameless(lists: Lists) -> None:
    del slot(lists)["nic"]


def endless(lists: Lists) -> None:
    slot(lists)["state"] = "cooling"


def second_address(lists: Lists) -> None:
    lists["blocks"][0]["spec"]["slots"]["10.6.0.4"] = dict(slot(lists))


def reserved(lists: Lists) -> None:
    lists["reserved"][0]["spec"]["ips"] = ["10.6.0.1"]


def node_has_it(lists: Lists) -> None:
    lists["nodes"][0]["status"]["addresses"][0]["address"] = "10.6.0.1"


def pool_gone(lists: Lists) -> None:
    lists["pools"] = lists["pools"][1:]


def miscounted(lists: Lists) -> None:
    lists["pools"][0]["status"]["allocatedIPCount"] = 3


def endpoint_gone(lists: Lists) -> None:
    del lists["endpoints"][0]


def endpoint_of_another(lists: Lists) -> None:
    lists["endpoints"][0]["status"]["current"]["uid"] = "other"


def pod_gone(lists: Lists) -> None:
    del lists["pods"][0]


def pod_finished(lists: Lists) -> None:
    lists["pods"][0]["status"] = {"phase": "Failed", "reason": "Evicted"}


def reserved_unreadable(lists: Lists) -> None:
    lists["reserved"][0]["spec"]["ips"] = ["10.6.0.1-oops"]


def listed_for_another(lists: Lists) -> None:
    listed = {"10.6.0.1": {"podUid": "other"}, "10.6.0.2": {"podUid": "other"}}
    lists["pools"][0]["status"]["allocatedIPs"] = json.dumps(listed)


def used_by_two(lists: Lists) -> None:
    lists["pods"][1]["status"] = {"podIPs": [{"ip": "10.6.0.1"}]}


def used_by_nobodys_leave(lists: Lists) -> None:
    status = [{"name": "default/n", "interface": "net1", "ips": ["10.6.0.7"]}]
    lists["pods"][1]["metadata"]["annotations"] = {NETWORK_STATUS: json.dumps(status)}


@pytest.mark.parametrize(
    ("harm", "rule"),
    [
        (lose_slot, Rule.BLOCK),
        (unreadable, Rule.BLOCK),
        (wrong_name, Rule.BLOCK),
        (too_large, Rule.SIZE),
        (nameless, Rule.RECORD),
        (endless, Rule.RECORD),
        (second_address, Rule.ONE_ADDRESS),
        (reserved, Rule.GROUND),
        (node_has_it, Rule.GROUND),
        (pool_gone, Rule.GROUND),
        (miscounted, Rule.COUNT),
        (endpoint_gone, Rule.ENDPOINT),
        (endpoint_of_another, Rule.ENDPOINT),
        (pod_gone, Rule.OWNER),
        (pod_finished, Rule.OWNER),
        (reserved_unreadable, Rule.GROUND),
        (listed_for_another, Rule.COUNT),
        (used_by_two, Rule.USE),
        (used_by_nobodys_leave, Rule.USE),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_each_rule_finds_what_breaks_it(
    play: Any, harm: Callable[[Lists], None], rule: Rule
) -> None:
    async def story(world: Any) -> None:
        lists = await healthy(world)
        assert [str(problem) for problem in problems(Evidence(**lists))] == []
        harm(lists)
        found = problems(Evidence(**lists))
        assert rule in {problem.rule for problem in found}
        assert all(problem.where and problem.text for problem in found)

    play(story)


def test_what_pods_report_rightly_is_no_problem(play: Any) -> None:
    """Their own addresses, a node's, those of other networks, and nonsense."""

    async def story(world: Any) -> None:
        lists = await healthy(world)
        ips = ["10.6.0.1", "10.244.0.7", "fd00::7", "nonsense"]
        lists["pods"][0]["status"] = {"podIPs": [{"ip": ip} for ip in ips]}
        on_host: dict[str, Any] = {"metadata": {"name": "h", "namespace": "default", "uid": "h"}}
        on_host |= {"spec": {"hostNetwork": True}, "status": {"podIPs": [{"ip": "10.6.0.2"}]}}
        lists["pods"].append(on_host)
        assert problems(Evidence(**lists)) == []

    play(story)


@pytest.mark.parametrize(
    ("after", "text"),
    [
        ({"generation": 0}, "generation went from 1 to 0"),
        ({"node": "elsewhere"}, "changed within generation 1"),
        (None, "its slot is gone"),
    ],
)
def test_what_must_not_have_happened_in_between(play: Any, after: Any, text: str) -> None:
    async def story(world: Any) -> None:
        before = (await healthy(world))["blocks"]
        later = copy.deepcopy(before)
        assert changes(before, later) == []
        if after is None:
            del later[0]["spec"]["slots"]["10.6.0.1"]
        else:
            later[0]["spec"]["slots"]["10.6.0.1"] |= after
        (problem,) = changes(before, later)
        assert (problem.rule, problem.where, problem.text) == (Rule.GENERATION, "10.6.0.1", text)

    play(story)
