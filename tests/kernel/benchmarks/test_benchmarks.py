"""The benchmarks run with the fewest rounds, and tell what they promise to tell."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from thin_clients import native

from harness.kubeapi.real import assets_folder

ROOT = Path(__file__).parents[3]
SCENARIO = """\
scenario: small
summary: One answered ping
topology: page
steps:
  - expect:
      - id: answered
        ping: {from: client, to: outside.eth0}
        path: [client.eth0, router.lan6, router.lan7, outside.eth0]
"""

pytestmark = pytest.mark.kernel


def run(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", "--rounds", "1", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def numbers(name: str, *options: str) -> Any:
    done = run(name, *options)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def scenario(folder: Path, text: str) -> str:
    shutil.copytree(ROOT / "scenarios/_topologies", folder / "_topologies")
    file = folder / "small.yaml"
    file.write_text(text)
    return str(file)


def test_the_coordinator_has_parts_floors_and_calls() -> None:
    first, *others = numbers("coordinator", "--pods", "2")
    again = others[0]
    assert [row["case"] for row in (first, *others)] == [
        "overlay net1, 2 pods",
        "overlay net1, 2 pods, again",
        "underlay eth0, 2 pods",
        "underlay eth0, 2 pods, again",
    ]
    parts = {"dump", "plan", "apply", "announce", "rest", "ADD", "split", "by socket"}
    assert set(first["ms"]) == parts | {"dump floor", "apply floor"}
    assert set(again["ms"]) == parts
    assert set(first["ratio"]) == {"dump", "apply", "ADD", "split"}
    assert first["operations"] > 0 == again["operations"]
    assert first["calls"]["setns"] % 2 == 0, "each way in has its way out"
    assert "rename" in first["calls"]
    assert "rename" not in again["calls"], "nothing new is to be remembered"
    assert again["calls"]["sendto"] < first["calls"]["sendto"]


def test_executables_are_held_against_an_empty_process() -> None:
    answer = numbers("cni", "--native", str(native()))
    assert [row["way"] for row in answer["processes"]] == [
        "/bin/true",
        "python -ISE -c pass",
        "static, VERSION",
        "static, ADD",
        "script, VERSION",
        "script, ADD",
        "plain Python, ADD",
    ]
    assert answer["processes"][0]["ratio"] == 1
    assert answer["server_ms"] > 0


def test_the_controller_is_held_against_the_least_program_on_each_api() -> None:
    rows = numbers("controller", "--starts", "1")
    assert [row["api"] for row in rows] == ["embedded", *(["real"] if assets_folder() else [])]
    for row in rows:
        assert set(row["ms"]) == {"start", "start floor", "change", "change floor"}
        assert set(row["ratio"]) == {"start", "change"}
        assert min(row["ms"].values()) > 0


@pytest.mark.binary("kubectl")
@pytest.mark.binary("nft")
@pytest.mark.binary("ip")
@pytest.mark.binary("sysctl")
def test_the_page_is_held_against_its_limits(tmp_path: Path) -> None:
    answer = numbers("quickstart", "--scenario", scenario(tmp_path, SCENARIO))
    assert answer["promised_ms"] == {"page": 10_000, "cluster": 1_000}
    for kind in ("ms", "least_ms", "ratio"):
        assert set(answer[kind]) == {"page", "nodes ready", "cluster", "network", "ip -batch"}
    assert answer["ratio"]["ip -batch"] == 1
    assert answer["ms"]["nodes ready"] < answer["ms"]["page"], "it is a part of it"


@pytest.mark.binary("kubectl")
@pytest.mark.binary("nft")
def test_a_page_that_fails_has_no_time(tmp_path: Path) -> None:
    wrong = SCENARIO.replace("router.lan6, router.lan7, ", "")
    done = run("quickstart", "--scenario", scenario(tmp_path, wrong))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "client" in done.stderr
