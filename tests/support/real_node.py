"""The node of a real cluster, seen by a test that runs on it: its API, processes, and files."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Object = dict[str, Any]
NAMESPACE = "kube-system"
PAGE = Path(__file__).parents[2] / "scenarios" / "quickstart"
TOKEN = "var/run/secrets/kubernetes.io/serviceaccount/token"
PATIENCE = 60.0
_CAPABILITIES = {"NET_ADMIN": 12, "NET_RAW": 13, "SYS_ADMIN": 21}
"""Bits of those that the chart gives (linux/capability.h)."""


def run(*command: str, stdin: str = "") -> str:
    """A program's output."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def kubectl(*arguments: str, stdin: str = "") -> str:
    return run("kubectl", *arguments, stdin=stdin)


def items(kind: str, *options: str) -> list[Object]:
    found: list[Object] = json.loads(kubectl("get", kind, *options, "-o=json"))["items"]
    return found


def pods_of(component: str) -> list[Object]:
    """Spiderpool's own."""
    return items("pods", f"-n={NAMESPACE}", f"-l=app.kubernetes.io/component={component}")


def until(holds: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What ``holds`` says, once that is true."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"not so after {seconds:g} s: {holds()!r}"
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Container:
    """One that runs: how it was asked for, and what the kernel knows of its first process."""

    name: str
    account: str
    spec: Object
    status: Object
    process: Path

    @property
    def capabilities(self) -> set[str]:
        """Permitted to it now; what is not known by name is given by its bit."""
        mask = int(self._line("CapPrm"), 16)
        names = {bit: name for name, bit in _CAPABILITIES.items()}
        return {names.get(bit, str(bit)) for bit in range(64) if mask >> bit & 1}

    @property
    def user(self) -> int:
        return int(self._line("Uid").split()[1])

    @property
    def filters_system_calls(self) -> bool:
        return self._line("Seccomp") == "2"

    @property
    def may_gain_power(self) -> bool:
        return self._line("NoNewPrivs") != "1"

    @property
    def root_is_read_only(self) -> bool:
        mounts = (self.process / "mountinfo").read_text().splitlines()
        (root,) = (line.split() for line in mounts if line.split()[4] == "/")
        return "ro" in root[5].split(",")

    @property
    def token(self) -> str | None:
        path = self.process / "root" / TOKEN
        return path.read_text() if path.exists() else None

    def _line(self, name: str) -> str:
        lines = (self.process / "status").read_text().splitlines()
        return next(line for line in lines if line.startswith(f"{name}:")).partition("\t")[2]


def containers_of(component: str) -> Iterator[Container]:
    """Those of all pods of a component."""
    tasks = run("ctr", "--namespace=k8s.io", "task", "list").splitlines()[1:]
    processes = {line.split()[0]: line.split()[1] for line in tasks}
    for pod in pods_of(component):
        specs = {spec["name"]: spec for spec in pod["spec"]["containers"]}
        for status in pod["status"]["containerStatuses"]:
            identity = status["containerID"].removeprefix("containerd://")
            yield Container(
                status["name"],
                pod["spec"]["serviceAccountName"],
                specs[status["name"]],
                status,
                Path("/proc") / processes[identity],
            )
