"""What falls under suspicion, and what nothing can bring under it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from spiderpool.ipam.facts import Controller, Pod
from spiderpool.ipam.ledger import Entry
from spiderpool.ipam.reclaim import Reason, Watchlist, suspects
from spiderpool.ipam.surroundings import (
    Keeper,
    Node,
    Surroundings,
    read_node,
    read_statefulset,
)
from spiderpool.types.address import Address
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import IfName, NodeName, PodUID, PoolName

NOW = 1_800_000_000.0
DELETED = "2027-01-15T07:00:00Z"
"""An hour before NOW."""


def pod(uid: str = "u", name: str = "x", **fields: Any) -> Pod:
    return Pod(
        uid=PodUID(uid),
        namespace="default",
        name=name,
        node=NodeName("worker01"),
        controller=Controller("Pod", name),
        phase=fields.pop("phase", "Running"),
        **fields,
    )


def entry(name: str = "x", **fields: Any) -> Entry:
    slot = Slot(
        generation=3,
        state=SlotState.HELD,
        pool=PoolName("a"),
        pod=f"default/{name}",
        pod_uid=PodUID("u"),
        nic=IfName("net1"),
        node=NodeName("worker01"),
    )
    return Entry(Address("10.6.0.1"), replace(slot, **fields))


def judge(of: Entry, *pods: Pod, **around: Any) -> Reason | None:
    nodes = around.pop("nodes", (Node(NodeName("worker01")),))
    surroundings = Surroundings(
        pods={pod.uid: pod for pod in pods},
        nodes={node.name: node for node in nodes},
        now=NOW,
        **around,
    )
    found = list(suspects([of], surroundings))
    return found[0].reason if found else None


@pytest.mark.parametrize(
    ("pods", "reason"),
    [
        ((pod(),), None),
        ((pod(phase="Pending"),), None),
        ((pod(phase="Unknown"),), None),
        ((pod("other"),), Reason.POD_GONE),
        ((), Reason.POD_GONE),
        ((pod(phase="Succeeded", restart_policy="Never"),), Reason.POD_FINISHED),
        ((pod(phase="Failed", restart_policy="Never"),), Reason.POD_FINISHED),
        ((pod(phase="Failed", reason="Evicted"),), Reason.POD_FINISHED),
        ((pod(phase="Failed"),), None),
        ((pod(deleted_at=DELETED),), None),
    ],
    ids=[
        *("runs", "pending", "unknown", "same name", "gone", "succeeded", "failed"),
        *("evicted", "restarts", "terminating"),
    ],
)
def test_only_an_owner_that_cannot_use_it_makes_suspect(
    pods: tuple[Pod, ...], reason: Reason | None
) -> None:
    assert judge(entry(), *pods) is reason


def test_a_terminating_pod_is_lost_only_when_its_node_is() -> None:
    overdue = pod(deleted_at=DELETED)
    fenced = Node(NodeName("worker01"), fenced=True)
    assert judge(entry(), overdue, nodes=(fenced,)) is Reason.POD_LOST
    assert judge(entry(), overdue, nodes=()) is Reason.POD_LOST
    young = pod(deleted_at="2027-01-15T07:59:30Z")
    assert judge(entry(), young, nodes=()) is None


def test_without_pod_and_node_one_look_is_enough() -> None:
    assert judge(entry(), nodes=()) is Reason.NODE_GONE


@pytest.mark.parametrize(
    "witness",
    [
        pod("other", addresses=("10.6.0.1",)),
        pod(
            "other",
            annotations={
                "k8s.v1.cni.cncf.io/network-status": json.dumps(
                    [{"interface": "net1", "ips": ["10.6.0.1"]}]
                )
            },
        ),
    ],
    ids=["podIPs", "network-status"],
)
def test_an_address_that_a_live_pod_reports_is_never_suspect(witness: Pod) -> None:
    assert judge(entry()) is Reason.POD_GONE
    assert judge(entry(), witness) is None
    assert judge(entry(), replace(witness, deleted_at=DELETED)) is Reason.POD_GONE


def test_status_that_is_no_json_is_no_witness() -> None:
    for text in ("{", "[1]", '[{"ips": 3}]', '{"ips": []}'):
        witness = pod("other", annotations={"k8s.v1.cni.cncf.io/network-status": text})
        assert judge(entry(), witness) is Reason.POD_GONE


@pytest.mark.parametrize(
    ("name", "keeper", "reason"),
    [
        ("web-0", Keeper(range(0, 2)), None),
        ("web-1", Keeper(range(0, 2)), None),
        ("web-2", Keeper(range(0, 2)), Reason.KEEPER_GONE),
        ("web-0", Keeper(range(0, 0)), Reason.KEEPER_GONE),
        ("web-0", Keeper(range(5, 7)), Reason.KEEPER_GONE),
        ("web-0", None, Reason.KEEPER_GONE),
    ],
)
def test_an_ordinal_is_kept_while_the_statefulset_wants_it(
    name: str, keeper: Keeper | None, reason: Reason | None
) -> None:
    kept = entry(name, owner="StatefulSet/web")
    keepers = {("default", "StatefulSet/web"): keeper} if keeper else {}
    kinds = frozenset({"StatefulSet"})
    assert judge(kept, keepers=keepers, kinds=kinds) is reason
    assert judge(kept, pod(name=name), keepers={}, kinds=kinds) is None


def test_an_ordinal_whose_next_pod_runs_without_the_address_loses_it() -> None:
    kept = entry("web-0", owner="StatefulSet/web")
    around: dict[str, Any] = {
        "keepers": {("default", "StatefulSet/web"): Keeper(range(0, 1))},
        "kinds": frozenset({"StatefulSet"}),
    }
    assert judge(kept, pod("next", "web-0", phase="Pending"), **around) is None
    assert judge(kept, pod("next", "web-0"), **around) is Reason.UNWANTED
    assert judge(kept, pod("u", "web-0"), **around) is None


def test_a_pod_that_still_ends_holds_its_address_though_nothing_keeps_it() -> None:
    kept = entry("web-2", owner="StatefulSet/web")
    kinds = frozenset({"StatefulSet"})
    ending = pod("u", "web-2", deleted_at=DELETED)
    assert judge(kept, ending, kinds=kinds) is None
    assert judge(kept, kinds=kinds) is Reason.KEEPER_GONE


def test_what_an_unknown_kind_keeps_is_kept() -> None:
    kept = entry("launcher", owner="VirtualMachineInstance/vm1")
    assert judge(kept) is None
    kinds = frozenset({"VirtualMachineInstance"})
    assert judge(kept, kinds=kinds) is Reason.KEEPER_GONE
    keepers = {("default", "VirtualMachineInstance/vm1"): Keeper()}
    assert judge(kept, kinds=kinds, keepers=keepers) is None


def test_it_takes_two_looks_at_the_same_record() -> None:
    watch, around = (
        Watchlist(),
        Surroundings(nodes={NodeName("worker01"): Node(NodeName("worker01"))}, now=NOW),
    )

    def look(of: Entry, now: float) -> int:
        return len(watch.look(suspects([of], around), now))

    assert [look(entry(), now) for now in (0, 10, 19.9)] == [0, 0, 0]
    assert look(entry(generation=4), 20) == 0, "the record changed in between"
    assert [look(entry(generation=4), now) for now in (39.9, 40)] == [0, 1]
    assert watch.look([], 41) == []
    assert look(entry(generation=4), 42) == 0, "it was above suspicion in between"


def test_nodes_and_statefulsets_are_read() -> None:
    taint = {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}
    assert read_node({"metadata": {"name": "n"}, "spec": {"taints": [taint]}}).fenced
    assert not read_node({"metadata": {"name": "n"}}).fenced
    spec = {"replicas": 2, "ordinals": {"start": 5}}
    assert read_statefulset({"metadata": {}, "spec": spec}).ordinals == range(5, 7)
    assert read_statefulset({"metadata": {}, "spec": {}}).ordinals == range(0, 1)
    assert read_statefulset({"metadata": {}, "spec": {"replicas": 0}}).ordinals == range(0)
    gone = {"metadata": {"deletionTimestamp": DELETED}, "spec": {"replicas": 2}}
    assert read_statefulset(gone).ordinals == range(0)
