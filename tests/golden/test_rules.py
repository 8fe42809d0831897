"""Rules are narrow: what looks like a known difference and is wrong is explained by none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from golden_files import golden

from harness.golden import accepted, discovered, invalid, nad
from harness.golden.accepted import Cause
from harness.golden.allocated import RULES as OF_ALLOCATIONS
from harness.golden.allocated import Allocations
from harness.golden.bench import Bench
from harness.golden.compare import Leaf, Rules, Verdict, explained
from harness.golden.discovered import Recorded
from harness.golden.kinds import judge
from spiderpool.controller.discovery import ClusterFacts
from spiderpool.types.codec import decode
from spiderpool.types.coordinator import CoordinatorSpec

Object = dict[str, Any]


def reason(leaf: Leaf, rules: Rules[Any], context: Any) -> str:
    (difference,) = explained([leaf], rules, context)
    return difference.explained


@pytest.mark.parametrize(
    ("path", "theirs", "ours", "says"),
    [
        ("config.plugins[1].hostRuleTable", 500, 600, "hostruletable-of-a-network"),
        ("config.plugins[1].hostRuleTable", 500, 601, ""),
        ("config.plugins[1].hostRuleTable", 600, 500, ""),
        ("config.plugins[1].podRPFilter", 0, 2, "podrpfilter-of-a-network"),
        ("config.plugins[1].podRPFilter", 0, 1, ""),
        ("config.plugins[0].mtu", 0, 600, ""),
        ("config.plugins[1].hijackCIDR[0]", "10.1.1.1", "10.1.1.1/32", "bare-address-is-a-network"),
        ("config.plugins[1].hijackCIDR[0]", "10.1.1.1", "10.1.1.0/24", ""),
        ("config.plugins[1].detectGateway", False, True, "detection-and-hostrpfilter"),
        ("config.plugins[1].detectIPConflict", False, True, ""),
        ("config.plugins[1].mode", "auto", "overlay", "old-names-are-read"),
        ("config.plugins[1].mode", "auto", "underlay", ""),
        ("config.plugins[0].ipam.default_ipv4_ippool", None, ["a"], "old-names-are-read"),
        ("config.plugins[0].ipam.default_ipv4_ippool", None, ["b"], ""),
        ("annotations.x", "1", None, ""),
    ],
)
def test_attachments(path: str, theirs: Any, ours: Any, says: str) -> None:
    settings = {
        "hostRuleTable": 600,
        "podRPFilter": 2,
        "hijackCIDR": ["10.1.1.1"],
        "detectGateway": True,
        "tuneMode": "overlay",
    }
    spec = {"coordinator": settings, "macvlan": {"spiderpoolConfigPools": {"IPv4IPPool": ["a"]}}}
    assert reason(Leaf(path, theirs, ours), nad.RULES, spec) == says


WRONG: Object = {
    "hostRuleTable": -1,
    "ips": ["10.7.1.9-10.7.1.5"],
    "multusName": ["a/b/c"],
    "namespaceAffinity": {"matchExpressions": [{"key": "a", "operator": "Near"}]},
    "macvlan": {
        "master": ["ens192/x", "ens192/x"],
        "bond": {"name": "bond0", "options": "miimon"},
    },
    "ipvlan": {"master": ["ens192"], "bond": {"name": "bond0"}},
    "ovs": {"bridge": "", "trunk": [{}]},
    "vlan": {"master": ["ens192"]},
    "sriov": {"master": ["enp0s31f6np0x"], "vlanID": 4000},
}
RIGHT: Object = {
    "hostRuleTable": 500,
    "ips": ["10.7.1.5-10.7.1.9"],
    "multusName": ["a/b"],
    "namespaceAffinity": {"matchExpressions": [{"key": "a", "operator": "In"}]},
    "macvlan": {"master": ["ens192", "ens224"], "bond": {"name": "bond0", "options": "miimon=1"}},
    "ipvlan": {"master": ["ens192", "ens224"], "bond": {"name": "bond0"}},
    "ovs": {"bridge": "br1", "trunk": [{"id": 1}]},
    "vlan": {"master": ["ens192"], "vlanID": 7},
    "sriov": {"master": ["ens192"], "vlanID": 4000},
}


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("spec.hostRuleTable", "possible-tables-only"),
        ("spec.ips[0]", "ranges-run-forward"),
        ("spec.multusName[0]", "multus-names-are-names"),
        ("spec.namespaceAffinity.matchExpressions[0].operator", "known-operators-only"),
        ("spec.macvlan.master[0]", "link-names-are-names"),
        ("spec.macvlan.master", "each-master-once"),
        ("spec.macvlan.bond.options", "bond-options-are-pairs"),
        ("spec.ipvlan.master", "a-bond-is-of-several"),
        ("spec.ovs.bridge", "ovs-needs-a-bridge"),
        ("spec.ovs.trunk[0]", "a-trunk-names-vlans"),
        ("spec.vlan.vlanID", "manual-vlan-needs-its-id"),
        ("spec.sriov.vlanID", "vlan-names-fit"),
    ],
)
def test_refusals_are_explained_by_what_is_wrong_only(field: str, says: str) -> None:
    leaf = Leaf(field, "accepted", "whatever the words are")
    assert reason(leaf, accepted.RULES, {"spec": WRONG}) == says
    assert reason(leaf, accepted.RULES, {"spec": RIGHT}) == ""
    other = Leaf("spec.subnet", "accepted", "whatever the words are")
    assert reason(other, accepted.RULES, {"spec": WRONG}) == ""


def test_one_reason_among_several_does_not_explain_a_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    causes = [Cause("spec.hostRuleTable", "no table"), Cause("spec.mode", "wrong")]
    monkeypatch.setattr(invalid, "refusal", lambda recorded, smcs: causes)
    assert judge("invalid", golden("invalid"), "coord-hosttable-neg").verdict is Verdict.DIFFERENT


def test_what_is_wrongly_accepted_is_different(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invalid, "refusal", lambda recorded, smcs: [])
    assert judge("invalid", golden("invalid"), "coord-badmode").verdict is Verdict.DIFFERENT


SUBNETS = "networking:\n  podSubnet: 10.1.0.0/16\n  serviceSubnet: 10.2.0.0/16\n"
KUBEADM: Object = {"data": {"ClusterConfiguration": SUBNETS}}
CILIUM: Object = {"data": {"ipam": "cluster-pool", "cluster-pool-ipv4-cidr": "10.3.0.0/16"}}
NOT_READY: Object = {"phase": "NotReady", "reason": True}


def synced(pods: list[str], services: list[str]) -> Object:
    return {"phase": "Synced", "overlayPodCIDR": pods, "serviceCIDR": services}


def told(kind: str, **facts: Any) -> Recorded:
    return Recorded(decode(CoordinatorSpec, {"podCIDRType": kind}, "spec"), ClusterFacts(**facts))


FLANNEL = told("auto", kubeadm_config=KUBEADM, default_cni=("cbr0", "flannel"))
WITH_CILIUM = told("cilium", kubeadm_config=KUBEADM, cilium_config=CILIUM)


@pytest.mark.parametrize(
    ("recorded", "path", "theirs", "ours", "says"),
    [
        (
            WITH_CILIUM,
            "status",
            NOT_READY,
            synced(["10.3.0.0/16"], ["10.2.0.0/16"]),
            "cilium-without-its-kind",
        ),
        (WITH_CILIUM, "status", NOT_READY, synced(["10.9.0.0/16"], ["10.2.0.0/16"]), ""),
        (WITH_CILIUM, "status", synced([], []), NOT_READY, ""),
        (told("cluster"), "status", synced([], []), NOT_READY, "no-cidr-is-not-ready"),
        (told("cluster", kubeadm_config=KUBEADM), "status", synced([], []), NOT_READY, ""),
        (
            told("calico"),
            "status",
            {"phase": None, "reason": False},
            NOT_READY,
            "missing-kind-is-a-reason",
        ),
        (told("cluster"), "status", {"phase": None, "reason": False}, NOT_READY, ""),
        (FLANNEL, "overlayPodCIDR", [], ["10.1.0.0/16"], "flannel-by-its-plugin"),
        (FLANNEL, "overlayPodCIDR", [], ["10.2.0.0/16"], ""),
        (FLANNEL, "serviceCIDR", [], ["10.1.0.0/16"], ""),
        (
            told("auto", kubeadm_config=KUBEADM),
            "overlayPodCIDR",
            [],
            ["10.1.0.0/16"],
            "auto-by-traces",
        ),
        (told("auto", kubeadm_config=KUBEADM), "overlayPodCIDR", ["10.1.0.0/16"], [], ""),
    ],
)
def test_discoveries(recorded: Recorded, path: str, theirs: Any, ours: Any, says: str) -> None:
    assert reason(Leaf(path, theirs, ours), discovered.RULES, recorded) == says


def answer(address: str, gateway: str | None = "10.20.0.1") -> Object:
    return {"ok": True, "ips": [{"address": address, "gateway": gateway}], "routes": []}


def allocations(theirs: list[Object], ours: list[Object], methods: str = "P") -> Allocations:
    nics = ("eth0", "net1")
    annotations = {"ipam.spidernet.io/ippool": '{"ipv4": ["v4-a", "v4-b"]}'}
    recorded: Object = {
        "pod": {"metadata": {"annotations": annotations}},
        "steps": [
            {
                "method": "POST" if word in "Pp" else "DELETE",
                "ifName": nics[word == "p"],
            }
            for word in methods
        ],
    }
    return Allocations(recorded, Bench.of(golden("ipam")), theirs, ours)


A10, A11, B10 = (answer(f"{address}/16") for address in ("10.20.1.10", "10.20.1.11", "10.20.2.10"))
GONE: Object = {"ok": True}


@pytest.mark.parametrize(
    ("methods", "theirs", "ours", "says"),
    [
        ("P", [B10], [A10], "pools-in-written-order"),
        ("P", [A10], [B10], ""),
        ("P", [B10], [answer("10.20.1.10/16", None)], ""),
        ("P", [A10], [A11], ""),
        ("Pp", [A10, A10], [A10, A11], "an-address-is-for-one-nic"),
        ("Pp", [A10, A11], [A10, A10], ""),
        ("PDP", [A10, GONE, A10], [A10, GONE, A11], "released-addresses-rest"),
        ("PDP", [A10, GONE, A11], [A10, GONE, A10], ""),
        ("P", [{"ok": False}], [A10], ""),
        ("P", [A10], [{"ok": False}], ""),
    ],
)
def test_addresses(methods: str, theirs: list[Object], ours: list[Object], says: str) -> None:
    context = allocations(theirs, ours, methods)
    step = len(methods) - 1
    assert reason(Leaf(f"step {step}", theirs[-1], ours[-1]), OF_ALLOCATIONS, context) == says


def changed(kind: str, case: str, files: dict[str, Callable[[Object], None]], to: Path) -> Path:
    """A folder with one case under another name, changed."""
    folder = to / kind
    folder.mkdir()
    for name, change in files.items():
        value = json.loads((golden(kind) / f"{case}{name}").read_text())
        change(value)
        (folder / f"unseen{name}").write_text(json.dumps(value))
    return folder


def test_cases_have_no_names(tmp_path: Path) -> None:
    """The same cases, called otherwise, are explained alike."""
    shutil.copytree(golden("coordinator") / "seed-overlay-2nic", tmp_path / "unseen")
    one = judge("coordinator", tmp_path, "unseen")
    assert (
        one.explanations
        == judge("coordinator", golden("coordinator"), "seed-overlay-2nic").explanations
    )
    for kind, case, suffixes in (
        ("coordstatus", "kcm-nocidr", [".json"]),
        ("invalid", "ippool-ips-reversed", [".json"]),
        ("nad", "macvlan-coord-full", [".in.json", ".nad.json"]),
    ):
        folder = changed(kind, case, dict.fromkeys(suffixes, lambda value: None), tmp_path)
        assert judge(kind, folder, "unseen").verdict is Verdict.EXPLAINED


def test_another_recorded_result_is_a_difference(tmp_path: Path) -> None:
    def other_table(nad: Object) -> None:
        nad["spec"]["config"] = nad["spec"]["config"].replace("10.244.0.0/16", "10.245.0.0/16")

    files = {".in.json": lambda value: None, ".nad.json": other_table}
    folder = changed("nad", "macvlan-coord-full", files, tmp_path)
    judgement = judge("nad", folder, "unseen")
    assert [str(one) for one in judgement.unexplained] == [
        "config.plugins[1].hijackCIDR[0]: '10.245.0.0/16' -> '10.244.0.0/16'"
    ]
    assert judgement.verdict is Verdict.DIFFERENT
