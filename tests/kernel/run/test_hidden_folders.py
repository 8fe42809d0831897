"""Scenarios and what is kept of them may lie where the sandbox has files of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.netns import isolated

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.binary("kubectl"),
    pytest.mark.binary("nft"),
]

TOPOLOGIES = Path(__file__).parents[3] / "scenarios/_topologies"
SCENARIO = """\
scenario: wrong
summary: A way that is not taken
topology: page
steps:
  - expect:
      - id: way
        ping: {from: client, to: outside.eth0}
        path: [client.eth0, worker01.ens192, outside.eth0]
"""


def kept_of(scenarios: Path, keep: Path, cwd: Path) -> tuple[str, list[str]]:
    """What a run says, and the names of what it keeps; in a sandbox, to spare the machine."""
    for folder in (scenarios, cwd):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(TOPOLOGIES, scenarios / "_topologies")
    (scenarios / "scenario.yaml").write_text(SCENARIO)
    harness = Path(sys.executable).with_name("harness")
    command: list[str | Path] = [harness, "run", scenarios, "--keep", keep]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr, [file.name for file in (cwd / keep).rglob("*.pcapng")]


@pytest.mark.parametrize("keep", ["/var/lib/new/kept", "/run/kept", "kept"])
def test_what_is_kept_is_there_afterwards(keep: str) -> None:
    folder = Path("/var/lib/some")
    said, names = isolated.call(kept_of, folder, Path(keep), folder)
    assert "expected client.eth0 -> worker01.ens192" in said
    assert names == ["way.pcapng"]


def test_a_scenario_that_the_sandbox_hides_is_refused() -> None:
    said, names = isolated.call(kept_of, Path("/run/some"), Path("/run/kept"), Path("/run"))
    assert "/run/some: lies in /run, which a sandbox has for itself; move it elsewhere" in said
    assert names == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    said, _ = isolated.call(kept_of, tmp_path, Path("/proc/kept"), tmp_path)
    assert "--keep /proc/kept: cannot be used: No such file or directory; give a folder" in said
