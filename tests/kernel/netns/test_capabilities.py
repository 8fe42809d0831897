"""What the kernel can do is found by trying, and a refusal says what would help."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.doctor.kernel import examine_kernel
from harness.netns import isolated
from harness.netns.capabilities import link_kinds
from spiderpool.netlink.objects import LinkKind

pytestmark = pytest.mark.kernel


def by_ip_program() -> set[LinkKind]:
    """The same question to iproute2, for kinds that need no parent and no options."""
    kinds = (LinkKind.BRIDGE, LinkKind.DUMMY, LinkKind.BOND)
    return {
        kind
        for kind in kinds
        if subprocess.run(["ip", "link", "add", "x", "type", kind], check=False).returncode == 0
        and subprocess.run(["ip", "link", "del", "x"], check=True)
    }


def test_link_kinds_are_those_that_iproute2_can_make() -> None:
    ours, theirs = isolated.call(link_kinds), isolated.call(by_ip_program)
    assert {LinkKind.VETH, LinkKind.MACVLAN} <= ours
    assert ours & {LinkKind.BRIDGE, LinkKind.DUMMY, LinkKind.BOND} == theirs


def test_the_doctor_finds_what_every_scenario_needs() -> None:
    findings = {finding.name: finding for finding in examine_kernel()}
    missing = [f for f in findings.values() if f.required and not f.works]
    assert not missing
    assert findings["link vlan"].works or "8021q" in findings["link vlan"].remedy


def doctor_says(*before: str) -> str:
    """What it prints to a user of whom ``before`` takes something away."""
    harness = str(Path(sys.executable).with_name("harness"))
    answer = subprocess.run(
        [*before, harness, "doctor"], check=False, capture_output=True, text=True, timeout=30
    )
    assert (answer.returncode, answer.stderr) in {(0, ""), (1, "")}
    return answer.stdout


@pytest.mark.parametrize("limit", ["max_net_namespaces", "max_pid_namespaces"])
def test_a_limit_that_forbids_sandboxes_is_named(limit: str) -> None:
    """Inside a user namespace, where limits can be set without touching the machine's."""
    script = f'echo 0 > /proc/sys/user/{limit} && exec "$@"'
    said = doctor_says("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh")
    assert "user.max_" in said
    assert "scenarios cannot run here" in said


def test_a_limit_that_the_page_needs_more_of_is_required() -> None:
    script = 'echo 9 > /proc/sys/user/max_net_namespaces && ulimit -n 100 && exec "$@"'
    said = doctor_says("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh")
    assert "MISSING open files" in said
    assert "MISSING namespaces" in said
    assert "scenarios cannot run here" in said


def without(*capabilities: str) -> list[str]:
    """Run as a root that lacks these, as in a container."""
    kept = ",".join(f"-{name}" for name in capabilities)
    return ["setpriv", f"--bounding-set={kept}", f"--inh-caps={kept}"]


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs a root to take capabilities from")


@as_root
@pytest.mark.parametrize("name", ["net_admin", "net_raw", "net_bind_service", "sys_admin"])
def test_a_root_without_a_capability_has_it_in_a_user_namespace(name: str) -> None:
    assert "ok      sandbox          as root\n" in doctor_says(), "the control"
    said = doctor_says(*without(name))
    assert "ok      sandbox          in a user namespace\n" in said
    assert "scenarios can run here" in said


@as_root
def test_a_user_namespace_without_capabilities_is_refused() -> None:
    """Writing its map is what AppArmor's restriction refuses; here the kernel does."""
    said = doctor_says(*without("sys_admin", "setfcap"))
    assert "MISSING sandbox" in said
    assert "kernel.apparmor_restrict_unprivileged_userns=0" in said
