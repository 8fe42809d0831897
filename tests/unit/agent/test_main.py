"""The agent's command line: what is wrong is one line, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

KUBECONFIG = {
    "current-context": "a",
    "contexts": [{"name": "a", "context": {"cluster": "a"}}],
    "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
}


def agent(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spiderpool.agent", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("wrong", ["kubeconfig", "socket", "netns"])
def test_a_wrong_option_is_one_line(tmp_path: Path, wrong: str) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(json.dumps(KUBECONFIG))
    given = {
        "kubeconfig": str(config),
        "socket": str(tmp_path / "s"),
        "state-dir": str(tmp_path / "state"),
        "node": "worker01",
    } | {wrong: str(tmp_path / "kubeconfig" / "x")}
    done = agent(*(f"--{name}={value}" for name, value in given.items()))
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    (line,) = [line for line in lines if not line.startswith("{")]
    assert not [line for line in lines if "Unclosed" in line]
    assert line.startswith("spiderpool-agent: ")
    assert str(tmp_path / "kubeconfig" / "x") in line


def test_the_node_must_be_named() -> None:
    done = agent()
    assert done.returncode == 2
    assert "--node" in done.stderr
