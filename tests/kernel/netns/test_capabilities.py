"""What the kernel can do is found by trying, and a refusal says what would help."""

from __future__ import annotations

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


@pytest.mark.parametrize("limit", ["max_net_namespaces", "max_pid_namespaces"])
def test_a_limit_that_forbids_sandboxes_is_named(limit: str) -> None:
    """Inside a user namespace, where limits can be set without touching the machine's."""
    harness = str(Path(sys.executable).with_name("harness"))
    script = f'echo 0 > /proc/sys/user/{limit} && exec "$0" doctor'
    answer = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", script, harness],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert answer.returncode == 1, answer.stderr
    assert "user.max_" in answer.stdout
    assert "scenarios cannot run here" in answer.stdout
