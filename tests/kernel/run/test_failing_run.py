"""A run in which things fail says which, why, and keeps what shows it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.binary("kubectl"),
    pytest.mark.binary("nft"),
]

TOPOLOGIES = Path(__file__).parents[3] / "scenarios/_topologies"
SCENARIO = """\
scenario: failing
summary: One of each kind of failure
topology: page
names:
  nobody: {pod: app=nobody}
steps:
  - expect:
      - id: answered
        ping: {from: client, to: outside.eth0}
        path: [client.eth0, router.lan6, router.lan7, outside.eth0]
      - id: wrong-way
        ping: {from: client, to: outside.eth0}
        path: [client.eth0, worker01.ens192, outside.eth0]
      - id: answered-though-blocked
        ping: {from: client, to: controller.ens192}
        blocked: timeout
        control: answered
      - id: blocked-without-proof
        ping: {from: client, to: 10.8.0.1}
        blocked: unreachable
        control: wrong-way
      - id: no-such-object
        object: configmap/nowhere
        within: 0.2
        has: {data: {a: b}}
      - id: no-such-pod
        on: nobody
        ip rule: "0: from all lookup local"
      - id: local-table
        on: client
        ip route show table 255: local 10.6.212.250 dev eth0 proto kernel scope host src *
        without: local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1
  - create: pod.yaml
  - wait: pod/web
    for: condition=Ready
    within: 2
  - expect:
      - id: not-reached
        ping: {from: client, to: outside.eth0}
        leaves: client.eth0
"""
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations: {k8s.v1.cni.cncf.io/networks: nowhere}
spec:
  containers: [{name: nginx, image: nginx}]
"""


@dataclass(frozen=True)
class Run:
    status: int
    events: list[dict[str, Any]]
    kept: Path

    def verdict(self, identifier: str) -> dict[str, Any]:
        return next(event for event in self.events if event.get("id") == identifier)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("failing")
    shutil.copytree(TOPOLOGIES, folder / "_topologies")
    (folder / "scenario.yaml").write_text(SCENARIO)
    (folder / "pod.yaml").write_text(POD)
    harness = Path(sys.executable).with_name("harness")
    command: list[str | Path] = [harness, "run", folder, "--json", "--keep", folder]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, timeout=60)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return Run(done.returncode, events, folder / "failing")


def test_the_status_says_that_something_failed(run: Run) -> None:
    assert run.status == 1
    assert run.events[-1]["event"] == "ended"


def test_what_is_right_passes_beside_what_is_not(run: Run) -> None:
    assert run.verdict("answered")["result"] == "passed"


def test_a_wrong_way_is_said_shown_and_explained(run: Run) -> None:
    verdict = run.verdict("wrong-way")
    assert verdict["result"] == "failed"
    assert verdict["where"].endswith("scenario.yaml:11")
    assert "the request goes by client.eth0 -> router.lan6 -> router.lan7" in verdict["sentence"]
    details = "\n".join(verdict["details"])
    assert "expected  path client.eth0 -> worker01.ens192 -> outside.eth0" in details
    assert "seen      data request: router.lan6 in, 10.6.212.250 -> 10.7.212.101" in details
    assert (
        "why       request: client: rule 32766: from all lookup main -> "
        "default via 10.6.0.1 dev eth0" in details
    )


def test_the_table_that_the_kernel_keeps_is_read_when_asked_for(run: Run) -> None:
    verdict = run.verdict("local-table")
    assert "has `local 127.0.0.1 dev lo" in verdict["sentence"], "and so has the line before"


def test_an_answer_to_what_should_be_blocked_fails(run: Run) -> None:
    verdict = run.verdict("answered-though-blocked")
    assert verdict["result"] == "failed"
    assert verdict["sentence"].endswith("ended replied, expected timeout")


def test_a_control_that_fails_proves_nothing(run: Run) -> None:
    verdict = run.verdict("blocked-without-proof")
    assert verdict["result"] == "failed"
    assert "is unreachable, which proves nothing, as its control fails" in verdict["sentence"]


@pytest.mark.parametrize(
    ("identifier", "words"),
    [("no-such-object", "it does not exist"), ("no-such-pod", "there is no place nobody")],
)
def test_what_is_not_there_is_said(run: Run, identifier: str, words: str) -> None:
    verdict = run.verdict(identifier)
    assert verdict["result"] == "failed"
    assert words in verdict["sentence"]


def test_after_a_failed_step_nothing_is_judged(run: Run) -> None:
    verdict = run.verdict("not-reached")
    assert verdict["result"] == "not-reached"
    assert "not judged, as this failed: wait for pod/web" in verdict["sentence"]


def test_a_wait_in_vain_says_what_objects_complain_of(run: Run) -> None:
    *_, step = (event for event in run.events if event["event"] == "step")
    assert "timed out waiting" in step["problem"]
    assert (
        "Pod web: FailedCreatePodSandBox: NetworkAttachmentDefinition default/nowhere: "
        "does not exist; create it" in step["problem"]
    )


def test_captures_of_failures_are_kept_and_no_others(run: Run) -> None:
    kept = {file.stem for file in run.kept.glob("*.pcapng")}
    assert kept == {"wrong-way", "answered-though-blocked", "blocked-without-proof"}


def test_the_state_is_kept(run: Run) -> None:
    worker = (run.kept / "worker01.txt").read_text()
    assert "10.233.105.128/26 via 10.6.212.131 dev ens192" in worker
    assert "table ip" in worker, "nft's rules"
    assert "kind: Node" in (run.kept / "objects.yaml").read_text()
    assert (run.kept / "kube-apiserver.log").exists()
