"""Recorded calls through real plugins in real namespaces: ours, and others beside it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from golden_files import golden

from harness.cli.main import main
from harness.golden.compare import Verdict
from harness.golden.context import Side
from harness.golden.kernel import judge_in_kernel
from harness.golden.recorded import read_case
from harness.golden.sidebyside import Compared, compare
from spiderpool.types.names import IfName

pytestmark = pytest.mark.kernel

DIRECTORY = golden("coordinator")

NOTHING = """
import json, sys
print(json.dumps(json.load(sys.stdin).get("prevResult", {})))
"""
CLUSTER_BY_NET1 = """
import json, os, socket, sys
from spiderpool.netlink.apply import apply
from spiderpool.netlink.namespace import Namespace
from spiderpool.testing.builders import route
from spiderpool.netlink.operations import AddRoute

given = json.load(sys.stdin)
with socket.socket(socket.AF_UNIX) as agent:
    agent.connect("/run/spidernet/spiderpool.sock")
    agent.sendall(b"GET /v1/coordinator/config HTTP/1.0\\r\\n\\r\\n")
    told = json.loads(agent.makefile().read().partition("\\n\\n")[2])
if os.environ["CNI_COMMAND"] == "ADD":
    with Namespace.open(os.environ["CNI_NETNS"]) as pod:
        apply(pod, [AddRoute(route(told["serviceCIDR"][0], "net1", "10.6.0.1"))])
print(json.dumps(given.get("prevResult", {})))
"""
REFUSES = """
print('{"code": 7, "msg": "not today"}')
raise SystemExit(1)
"""


def plugin(folder: Path, text: str) -> Path:
    path = folder / "coordinator"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return path


def calls(case: str, path: Path) -> dict[str, Compared]:
    return {one.call: one for one in compare(read_case(DIRECTORY / case), path)}


def test_every_recorded_call_by_our_plugin_in_namespaces() -> None:
    judgements = judge_in_kernel(DIRECTORY)
    assert len(judgements) == len(list(DIRECTORY.iterdir()))
    unexplained = {one.case: list(map(str, one.unexplained)) for one in judgements}
    assert {case: texts for case, texts in unexplained.items() if texts} == {}
    assert any(one.verdict is Verdict.EXPLAINED for one in judgements)


def test_a_case_that_cannot_be_read_is_different(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "case.json").write_text("{}")
    (judgement,) = judge_in_kernel(tmp_path)
    assert judgement.verdict is Verdict.DIFFERENT
    assert "broken: cannot be read" in str(judgement.differences[0])


def test_a_plugin_that_does_the_same_is_equal(tmp_path: Path) -> None:
    compared = calls("disable-2nic", plugin(tmp_path, NOTHING))
    assert set(compared) == {"ADD net1", "DEL net1"}
    assert not any(one.differs for one in compared.values())
    ways = {taken.probe: taken.ours.nic for taken in compared["ADD net1"].probes}
    assert ways["pod net1 -> service 10.233.0.3"] == IfName("net1")
    assert ways["node -> pod net1 10.6.212.145"] == IfName("ens192")


def test_a_plugin_that_sends_services_by_net1_is_seen_by_state_and_probe(tmp_path: Path) -> None:
    compared = calls("seed-overlay-2nic", plugin(tmp_path, CLUSTER_BY_NET1))["ADD net1"]
    theirs = [text for side, text in compared.statements if side is Side.THEIRS]
    assert "pod route main 10.233.0.0/18 via 10.6.0.1 dev net1" in theirs
    ways = {taken.probe: (taken.theirs.nic, taken.ours.nic) for taken in compared.probes}
    assert ways["pod -> service 10.233.0.3"] == ("net1", "eth0")
    assert ways["pod net1 -> lan 10.6.0.1"] == ("net1", "net1")
    assert ways["node -> pod net1 10.6.212.145"] == ("ens192", "cali1f2e3d4c5b6")


def test_a_refusal_is_told(tmp_path: Path) -> None:
    compared = calls("seed-overlay-2nic", plugin(tmp_path, REFUSES))["ADD net1"]
    assert (Side.THEIRS, "refused: not today") in compared.statements


def test_the_commands_say_it_by_their_exit_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same, other = tmp_path / "same", tmp_path / "other"
    for folder in (same, other):
        folder.mkdir()
    idle, wrong = plugin(same, NOTHING), plugin(other, CLUSTER_BY_NET1)
    assert main(["diff", str(DIRECTORY / "disable-2nic"), "--impl", str(idle)]) == 0
    assert capsys.readouterr().out.startswith("ADD net1: equal\n")
    words = ["diff", str(DIRECTORY / "seed-overlay-2nic"), "--impl", str(wrong), "--json"]
    assert main(words) == 1
    assert json.loads(capsys.readouterr().out)["differs"] is True
    assert main(["diff", str(tmp_path), "--impl", str(idle)]) == 2
    assert "is no recorded case" in capsys.readouterr().err
    assert main(["diff", str(DIRECTORY / "disable-2nic"), "--impl", str(tmp_path / "no")]) == 2
    assert "no: is no executable file" in capsys.readouterr().err
