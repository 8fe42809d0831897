"""``harness diff`` of a case: packets tell our plugin and another apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from coordinator_standin import (
    NOTHING,
    RULE_OF_NET1_TO_TABLE_OF_ETH0,
    THE_SAME,
    executable,
)
from small_case import write_case

from harness.cli.main import main
from harness.diff.cases import compare
from harness.diff.compared import Compared, Taken
from harness.golden.context import Side
from harness.golden.recorded import read_case

pytestmark = pytest.mark.kernel

PAGE = Path(__file__).parents[3] / "docs" / "concepts" / "harness.md"
SERVICE = "pod net1 -> service 10.233.0.3"
DROPS_WHAT_GOES_OUTSIDE = """
import asyncio, os
from coordinator_standin import serve
from harness.netns import nft
from spiderpool.netlink.namespace import Namespace

serve()
if os.environ["CNI_COMMAND"] == "ADD":
    with Namespace.open(os.environ["CNI_NETNS"]) as pod:
        asyncio.run(nft.load(pod, '''table ip stray {
  chain output {
    type route hook output priority 0
    ip daddr 192.0.2.1 drop
  }
}'''))
"""
REFUSES = """
print('{"code": 7, "msg": "not today"}')
raise SystemExit(1)
"""


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return write_case(tmp_path / "case")


def calls(case: Path, other: Path) -> dict[str, Compared]:
    return {one.call: one for one in compare(read_case(case), other)}


def probes(call: Compared) -> dict[str, Taken]:
    return {taken.probe: taken for taken in call.probes}


def test_a_plugin_that_does_nothing_is_equal_where_nothing_is_to_be_done(tmp_path: Path) -> None:
    compared = calls(write_case(tmp_path / "case", "disabled"), executable(tmp_path, NOTHING))
    assert set(compared) == {"ADD net1", "DEL net1"}
    assert all(one.is_equal for one in compared.values())
    seen = probes(compared["ADD net1"])
    assert str(seen["pod -> lan 10.6.0.1"].ours) == "pod.net1 > node.ens192, and back"
    alone = seen["node -> pod net1 10.6.212.145"].theirs
    assert not alone.request
    assert "node.ens192 asks for 10.6.212.145, whom nobody answers for" in str(alone)


def test_our_plan_carried_out_by_another_is_equal(case: Path, tmp_path: Path) -> None:
    compared = calls(case, executable(tmp_path, THE_SAME))
    assert all(one.is_equal for one in compared.values())
    assert all(taken.ours.reply for taken in compared["ADD net1"].probes)


def test_a_packet_by_the_wrong_nic_is_seen(case: Path, tmp_path: Path) -> None:
    compared = calls(case, executable(tmp_path, RULE_OF_NET1_TO_TABLE_OF_ETH0))["ADD net1"]
    astray = probes(compared)["pod net1 -> outside 192.0.2.1"]
    assert astray.differs and astray.agrees
    assert astray.theirs.request == ("pod.eth0", "node.cali1f2e3d4c5b6", "node.ens192")
    assert astray.theirs.reply == ("node.ens192", "pod.net1")
    assert astray.ours.request == ("pod.net1", "node.ens192")
    assert not probes(compared)["pod -> outside 192.0.2.1"].differs


def test_packets_differ_where_no_table_does_and_the_kernels_lookup_is_contradicted(
    case: Path, tmp_path: Path
) -> None:
    compared = calls(case, executable(tmp_path, DROPS_WHAT_GOES_OUTSIDE))["ADD net1"]
    assert not compared.statements and not compared.is_equal
    lost = probes(compared)["pod -> outside 192.0.2.1"]
    assert lost.differs and not lost.theirs.agrees and lost.ours.agrees
    assert not lost.theirs.request and lost.ours.request


def test_a_refusal_is_told(case: Path, tmp_path: Path) -> None:
    compared = calls(case, executable(tmp_path, REFUSES))["ADD net1"]
    assert (Side.THEIRS, "refused: not today") in compared.statements


def test_refusals_in_other_words_are_equal(tmp_path: Path) -> None:
    nonsense = write_case(tmp_path / "case", "sideways")
    compared = calls(nonsense, executable(tmp_path, REFUSES))["ADD net1"]
    assert compared.is_equal
    idle = calls(nonsense, executable(tmp_path, NOTHING))["ADD net1"]
    ((side, said),) = idle.statements
    assert side is Side.OURS and "sideways" in said


def test_the_command_says_it_by_its_exit_status(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    idle = str(executable(tmp_path, NOTHING))
    still = str(write_case(tmp_path / "still", "disabled"))
    assert main(["diff", still, "--other", idle]) == 0
    assert capsys.readouterr().out.startswith("ADD net1: equal\n")
    assert main(["diff", str(case), "--other", idle, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["equal"] is False
    service = next(one for one in found["calls"][0]["probes"] if one["probe"] == SERVICE)
    assert service["theirs"]["request"] == ["pod.net1", "node.ens192"]
    assert service["ours"]["choices"][0] == {
        "what": "request",
        "place": "pod",
        "seen": "eth0",
        "model": {"nic": "eth0", "route": "10.233.0.0/18 via 10.6.212.132 dev eth0 table 100"},
        "agrees": True,
    }


def test_each_line_of_the_sites_page_is_printed_in_that_order(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = executable(tmp_path, RULE_OF_NET1_TO_TABLE_OF_ETH0)
    assert main(["diff", str(case), "--other", str(other)]) == 1
    printed = iter(capsys.readouterr().out.splitlines())
    _, _, block = PAGE.read_text().partition("```text\nADD net1: ")
    shown = f"ADD net1: {block.partition('```')[0]}".splitlines()
    assert len(shown) > 5
    assert [line for line in shown if line not in printed] == []


def test_what_cannot_be_compared_is_bad_input(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    idle = str(executable(tmp_path, NOTHING))
    assert main(["diff", str(tmp_path), "--other", idle]) == 2
    assert "is neither a recorded case nor a scenario" in capsys.readouterr().err
    assert main(["diff", str(case), "--other", str(tmp_path / "no")]) == 2
    assert "no: is no executable file" in capsys.readouterr().err
    text = tmp_path / "text"
    text.write_text("no program")
    text.chmod(0o755)
    assert main(["diff", str(case), "--other", str(text)]) == 2
    assert "text: cannot be executed: Exec format error" in capsys.readouterr().err
