"""A cluster that is killed leaves the machine as it was: processes, mounts, links, groups."""

from __future__ import annotations

import subprocess
from pathlib import Path

from machine_state import killed_without_a_trace, machine_state
from real_node import until
from realcluster_cgroups import MOUNTS, Groups, hierarchies

ROOT = Path(__file__).parents[3]
PARTS = 10
"""Init, the worker, seven components, and what has begun of a container."""
FOLDERS = (
    *map(Path, ("/var/lib/containerd", "/var/lib/kubelet", "/etc/cni", "/opt/cni")),
    *map(Path, ("/run/containerd", "/var/log/pods", "/var/log/containers")),
    Path.home() / ".kube" / "cache" / "discovery" / "10.6.212.132_6443",
)
SETTINGS = ("kernel/panic", "vm/overcommit_memory", "kernel/hostname", "kernel/keys/root_maxkeys")


def state() -> dict[str, str]:
    files = {str(folder): str(_entries(folder)) for folder in FOLDERS}
    settings = {name: (Path("/proc/sys") / name).read_text() for name in SETTINGS}
    return machine_state() | files | settings


def _entries(folder: Path) -> list[str] | None:
    return sorted(map(str, folder.iterdir())) if folder.exists() else None


def test_a_killed_cluster_leaves_nothing() -> None:
    before = state()
    command = [str(ROOT / "ci" / "realcluster"), "run", "--", "true"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as cluster:
        assert cluster.stderr is not None
        groups = Groups(f"realcluster-{cluster.pid}", hierarchies(MOUNTS.read_text()))
        said = iter(cluster.stderr.readline, b"")
        assert any(b"node Ready" in line for line in said), "it ended before it was killed"
        until(lambda: [each for each in groups.folders if _containers(each)])
        assert killed_without_a_trace(cluster, PARTS)
    until(lambda: not [folder for folder in groups.folders if folder.exists()])
    assert state() == before


def _containers(folder: Path) -> list[Path]:
    return list(folder.glob("k8s.io/*"))
