"""The chart, and its rendered objects, as tests look at them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHART = Path(__file__).parents[2] / "deploy" / "chart" / "spiderpool"
NAMESPACE = "spiderpool"
"""Where objects are tried: on a real kube-apiserver too, where KUBEBUILDER_ASSETS leads to one."""
Object = dict[str, Any]
Render = Callable[..., list[Object]]
Helm = Callable[..., subprocess.CompletedProcess[str]]


def run(program: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """A program that lies beside this Python, or on the PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [shutil.which(program, path=path) or program, *arguments]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=200, check=False
    )


def pods(objects: list[Object]) -> dict[str, Object]:
    """The specs of pods that workloads make, by the workload's name."""
    return {
        obj["metadata"]["name"]: obj["spec"]["template"]["spec"]
        for obj in objects
        if obj["kind"] in ("DaemonSet", "Deployment", "Job")
    }


def containers(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", ()), *pod["containers"]]


def one(objects: list[Object], kind: str, name: str) -> Object:
    (found,) = (o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name)
    return found
