"""A program of the cluster that ends by itself ends the run, which says so."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from machine_state import descendants

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.binary("kubectl"),
    pytest.mark.binary("nft"),
]

TOPOLOGIES = Path(__file__).parents[3] / "scenarios/_topologies"
HARNESS = str(Path(sys.executable).with_name("harness"))
PING = """\
  - expect:
      - id: {id}
        ping: {{from: client, to: outside.eth0}}
        path: [client.eth0, router.lan6, router.lan7, outside.eth0]
"""
INSTALL = "  - install: spiderpool\n"
WAIT = "  - wait: node/worker01\n    for: jsonpath={.metadata.name}=x\n    within: 50\n"
EXPECTED = """\
  - expect:
      - id: awaited
        object: node/worker01
        within: 50
        has: {metadata: {name: x}}
"""


def run(folder: Path, *steps: str) -> Iterator[dict[str, Any]]:
    """Events of a scenario in which an agent is killed once it serves."""
    shutil.copytree(TOPOLOGIES, folder / "_topologies")
    head = "scenario: ends\nsummary: One part ends\ntopology: page\nsteps:\n"
    (folder / "scenario.yaml").write_text(head + "".join(steps))
    command = [HARNESS, "run", "--json", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event.get("text") == "install spiderpool":
                os.kill(agent(process.pid), signal.SIGKILL)
            yield event
    assert process.returncode == 1


def agent(caller: int) -> int:
    """Of ``worker01``, below the process that ran the scenario."""
    words = b"spiderpool.agent", b"worker01"
    for pid in descendants(caller):
        line = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if all(word in line for word in words):
            return pid
    raise AssertionError("no agent of worker01 runs")


@pytest.mark.parametrize(
    ("step", "name"), [(WAIT, "wait for node/worker01"), (EXPECTED, "expect 1 things")]
)
def test_a_run_goes_no_further(tmp_path: Path, step: str, name: str) -> None:
    events = list(run(tmp_path, PING.format(id="before"), INSTALL, step, PING.format(id="later")))
    verdicts = {event["id"]: event["result"] for event in events if "id" in event}
    assert verdicts.pop("before") == "passed"
    assert set(verdicts.values()) == {"not-reached"}
    assert "later" in verdicts
    problem = next(event for event in events if event.get("problem"))
    assert problem["text"].startswith(name)
    assert "spiderpool-agent-worker01 ended with status -9: " in problem["problem"]
    assert events[-1]["seconds"] < 50, "it does not wait for what nobody does any more"
