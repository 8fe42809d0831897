"""What a machine lacks for a scenario is said before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.netns import programs
from harness.run import kubectl, readiness
from harness.run.apiservers import ApiServer
from harness.run.readiness import obstacles, obstacles_on_a_cluster
from harness.scenario.document import Where
from harness.scenario.model import Capability, Ip, Scenario, Step
from harness.scenario.reference import Place

WHERE = Where("s.yaml", 3)


def scenario(*needs: Capability, steps: tuple[Step, ...] = ()) -> Scenario:
    return Scenario(Path("s.yaml"), "s", "a scenario", "page", WHERE, (), needs, {}, steps)


@pytest.fixture(autouse=True)
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has every program."""
    monkeypatch.setattr(kubectl, "find", lambda: "/bin/kubectl")
    monkeypatch.setattr(programs, "find", lambda name: f"/bin/{name}")
    monkeypatch.setattr(readiness, "machine_plugins", lambda: {"macvlan": Path("/bin/macvlan")})


def no_question() -> frozenset[Capability]:
    raise AssertionError("the kernel was asked without need")


def test_a_complete_machine_has_no_obstacle() -> None:
    assert list(obstacles(scenario(), able=no_question)) == []


def test_each_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubectl, "find", lambda: None)
    monkeypatch.setattr(programs, "find", lambda _: None)
    monkeypatch.setattr(readiness, "machine_plugins", dict)
    kubectl_, nft_, macvlan = obstacles(scenario(), able=no_question)
    assert kubectl_.startswith("no kubectl: run ci/setup")
    assert nft_.startswith("no nft: install")
    assert macvlan.startswith("no CNI plugin macvlan: install")


def test_ip_is_missed_by_scenarios_that_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (Ip(WHERE, Place("worker01"), ("link", "show")),)
    assert list(obstacles(scenario(steps=steps), able=no_question)) == []
    monkeypatch.setattr(programs, "find", lambda name: None if name == "ip" else f"/bin/{name}")
    assert list(obstacles(scenario(), able=no_question)) == []
    (missing,) = obstacles(scenario(steps=steps), able=no_question)
    assert missing.startswith("no ip: install")


def test_a_real_apiserver_needs_its_programs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    (missing,) = obstacles(scenario(), ApiServer.REAL, no_question)
    assert missing.endswith("set it: export KUBEBUILDER_ASSETS=$(ci/kube-assets)")
    for program in ("etcd", "kube-apiserver"):
        (tmp_path / program).touch(mode=0o755)
    assert list(obstacles(scenario(), ApiServer.REAL, no_question)) == []


def test_a_kernel_that_lacks_what_is_needed() -> None:
    needs = scenario(Capability.VLAN, Capability.IPV6)
    assert list(obstacles(needs, able=lambda: set(Capability))) == []
    (missing,) = obstacles(needs, able=lambda: {Capability.IPV6})
    assert missing == "the kernel has no vlan: `harness doctor` says how to get it"


def privileges(folder: Path, mask: int) -> Path:
    status = folder / "status"
    status.write_text(f"Name:\tpython3\nCapEff:\t{mask:016x}\n")
    return status


def on_a_cluster(status: Path) -> list[str]:
    return list(obstacles_on_a_cluster(scenario(), no_question, status))


def test_a_cluster_that_is_there_needs_kubectl_and_privileges(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(programs, "find", lambda _: None)
    monkeypatch.setattr(readiness, "machine_plugins", dict)
    assert on_a_cluster(privileges(tmp_path, 1 << 13 | 1 << 21)) == []
    (missing,) = on_a_cluster(privileges(tmp_path, 1 << 13))
    assert missing.startswith("no CAP_SYS_ADMIN, by which pods' namespaces are looked into")
    (missing,) = on_a_cluster(privileges(tmp_path, 1 << 21))
    assert missing.startswith("no CAP_NET_RAW")
    monkeypatch.setattr(kubectl, "find", lambda: None)
    assert len(on_a_cluster(privileges(tmp_path, 1 << 13 | 1 << 21))) == 1
