"""The migration's commands keep what users wrote, in a form that an API server takes again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from doc_blocks import ROOT

from harness.kubeapi.launch import embedded_server
from spiderpool.types.crd import DIRECTORY

pytestmark = [pytest.mark.binary("kubectl"), pytest.mark.binary("jq")]

PAGE = (ROOT / "docs/migration.md").read_text()
FINALIZER = "spiderpool.spidernet.io"
GROUP = "apiVersion: spiderpool.spidernet.io/v2beta1"
UPSTREAM = f"""
{{{GROUP}, kind: SpiderSubnet, metadata: {{name: s, finalizers: [{FINALIZER}]}},
 spec: {{subnet: 10.7.0.0/16, ips: [10.7.0.10-10.7.0.20]}}}}
---
{{{GROUP}, kind: SpiderIPPool, metadata: {{name: a, finalizers: [{FINALIZER}]}},
 spec: {{subnet: 10.6.0.0/16, ips: [10.6.0.10]}}}}
---
{{{GROUP}, kind: SpiderIPPool, metadata: {{name: auto4-web-eth0-1,
 labels: {{ipam.spidernet.io/owner-application-uid: u}}}},
 spec: {{subnet: 10.7.0.0/16, ips: [10.7.0.11]}}}}
---
{{{GROUP}, kind: SpiderReservedIP, metadata: {{name: r}}, spec: {{ips: [10.6.0.9]}}}}
---
{{{GROUP}, kind: SpiderMultusConfig, metadata: {{name: m, namespace: default}},
 spec: {{cniType: macvlan, macvlan: {{master: [ens192],
  spiderpoolConfigPools: {{IPv4IPPool: [a]}}}}}}}}
"""


def shell(config: Path, text: str, folder: Path, stdin: str = "") -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", text],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env={"PATH": path, "KUBECONFIG": str(config), "HOME": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """The old cluster, and one with this installation."""
    one, other = tmp_path / "old", tmp_path / "new"
    one.mkdir()
    other.mkdir()
    with embedded_server(one) as old, embedded_server(other) as new:
        for config in (old, new):
            shell(config, f"kubectl apply --filename={DIRECTORY}", tmp_path)
            shell(config, "kubectl wait --for=condition=Established crd --all", tmp_path)
        yield old, new


def keeping() -> str:
    """The page's command that writes objects.json."""
    (block,) = (b for b in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) if "jq" in b)
    return textwrap.dedent(block)


def test_objects_are_kept_and_taken_again(servers: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = servers
    shell(old, "kubectl create --filename=-", tmp_path, UPSTREAM)
    status = '{"status": {"totalIPCount": 1, "allocatedIPCount": 1}}'
    shell(
        old,
        f"kubectl patch spiderippool a --subresource=status --type=merge -p '{status}'",
        tmp_path,
    )
    shell(old, keeping(), tmp_path)
    shell(new, "kubectl create --filename objects.json", tmp_path)
    assert "`kubectl create --filename objects.json`" in PAGE
    names = shell(new, "jq -r .metadata.name objects.json", tmp_path).split()
    assert names == ["s", "a", "r", "m"]
    (pool,) = json.loads(shell(new, "kubectl get spiderippools -o json", tmp_path))["items"]
    assert pool["spec"]["ips"] == ["10.6.0.10"]
    assert "finalizers" not in pool["metadata"]
    assert not pool.get("status", {}).get("allocatedIPCount")
