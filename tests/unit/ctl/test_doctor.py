"""``spiderpoolctl doctor`` on a root of the test's, with and without a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from installation import KUBEADM, install

from spiderpool.errors import KubeError
from spiderpool.kube.resources import CONFIGMAP, SPIDERCOORDINATOR


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)


def told(shell: Any, root: Path, *words: str) -> tuple[int, dict[str, dict[str, str]]]:
    status, out, err = shell.ctl("doctor", f"--root={root}", "--json", *words)
    assert err == ""
    answer = json.loads(out)
    assert answer["healthy"] is (status == 0)
    return status, {finding["where"]: finding for finding in answer["findings"]}


def test_an_empty_node_has_problems_and_says_what_was_not_looked_at(
    shell: Any, tmp_path: Path
) -> None:
    status, found = told(shell, tmp_path)
    assert status == 1
    assert found["/opt/cni/bin/spiderpool"]["level"] == "problem"
    assert found["the cluster"]["level"] == "warning"


def test_people_get_one_line_a_finding(shell: Any, tmp_path: Path) -> None:
    status, out, _ = shell.ctl("doctor", f"--root={tmp_path}")
    lines = out.splitlines()
    assert status == 1
    assert {line.split()[0] for line in lines[:-1]} == {"ok", "warning", "problem"}
    assert lines[-1].endswith(" warnings")


def test_a_cluster_names_the_parents_and_its_cidrs(shell: Any, tmp_path: Path) -> None:
    async def story(world: Any) -> None:
        await install(world)
        await world.put(CONFIGMAP, KUBEADM)

    shell.prepare(story)
    nic = tmp_path / "sys/class/net/ens192"
    nic.mkdir(parents=True)
    (nic / "flags").write_text("0x1003")
    (nic / "carrier").write_text("1")
    (nic / "mtu").write_text("1500")
    _, found = told(shell, tmp_path, "--kubeconfig=/k", "--node=worker01")
    assert found["NIC ens192"]["level"] == "ok"
    assert found["CIDR discovery"] == {
        "level": "ok",
        "where": "CIDR discovery",
        "text": "pods 10.233.64.0/18, services 10.233.0.0/18",
        "remedy": "",
    }
    assert found["networks"]["level"] == "ok"
    assert "the cluster" not in found


def test_a_master_that_the_node_lacks(shell: Any, tmp_path: Path) -> None:
    shell.prepare(install)
    _, found = told(shell, tmp_path, "--kubeconfig=/k")
    assert "master ens192 is not on this node" in found[
        "SpiderMultusConfig kube-system/macvlan-ens192"
    ]["text"]  # fmt: skip
    assert found["CIDR discovery"]["level"] == "problem", "nothing says the CIDRs here"


def test_a_cluster_that_refuses_leaves_the_node_to_be_examined(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def list_(*_: Any, **__: Any) -> Any:
        raise KubeError(403, "Forbidden", "you may list nothing")

    monkeypatch.setattr(shell.world.api, "list", list_)
    _, found = told(shell, tmp_path, "--kubeconfig=/k")
    assert found["the cluster"]["text"] == "cannot be asked: you may list nothing"
    assert "/opt/cni/bin/spiderpool" in found


def test_a_coordinator_that_cannot_be_read_is_a_finding(shell: Any, tmp_path: Path) -> None:
    async def story(world: Any) -> None:
        await install(world)
        wrong = {"spec": {"hostRuleTable": "many"}}
        await world.api.patch(SPIDERCOORDINATOR, "default", wrong)

    shell.prepare(story)
    status, found = told(shell, tmp_path, "--kubeconfig=/k")
    assert status == 1
    assert any("hostRuleTable" in where for where in found)
