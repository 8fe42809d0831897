"""``harness diff``: packets tell our plugin and another apart, in namespaces of recorded cases."""

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
from golden_files import golden

from harness.cli.main import main
from harness.diff.cases import compare
from harness.diff.compared import Compared, Taken
from harness.golden.context import Side
from harness.golden.recorded import read_case

pytestmark = pytest.mark.kernel

DIRECTORY = golden("coordinator")

MARKS_EVERY_PING = """
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
    icmp type echo-request meta mark set 1
  }
}'''))
"""
REFUSES = """
print('{"code": 7, "msg": "not today"}')
raise SystemExit(1)
"""


def calls(case: str, path: Path) -> dict[str, Compared]:
    return {one.call: one for one in compare(read_case(DIRECTORY / case), path)}


def probes(call: Compared) -> dict[str, Taken]:
    return {taken.probe: taken for taken in call.probes}


def test_a_plugin_that_does_nothing_is_equal_where_nothing_is_to_be_done(tmp_path: Path) -> None:
    compared = calls("disable-2nic", executable(tmp_path, NOTHING))
    assert set(compared) == {"ADD net1", "DEL net1"}
    assert all(one.is_equal for one in compared.values())
    seen = probes(compared["ADD net1"])
    assert str(seen["pod -> lan 10.6.0.1"].ours) == "pod.net1 > node.ens192, and back"
    alone = seen["node -> pod net1 10.6.212.145"].theirs
    assert not alone.request
    assert "node.ens192 asks for 10.6.212.145, whom nobody answers for" in str(alone)


@pytest.mark.parametrize("case", ["seed-overlay-2nic", "overlay-2nic-dual", "underlay-2nic"])
def test_our_plan_carried_out_by_another_is_equal(case: str, tmp_path: Path) -> None:
    compared = calls(case, executable(tmp_path, THE_SAME))
    assert {call: one.is_equal for call, one in compared.items()} == dict.fromkeys(compared, True)
    added = [one for call, one in compared.items() if call.startswith("ADD")]
    assert all(taken.ours.reply for taken in added[-1].probes)


def test_a_packet_by_the_wrong_nic_is_seen(tmp_path: Path) -> None:
    path = executable(tmp_path, RULE_OF_NET1_TO_TABLE_OF_ETH0)
    compared = calls("seed-overlay-2nic", path)["ADD net1"]
    astray = probes(compared)["pod net1 -> outside 192.0.2.1"]
    assert astray.differs and astray.agrees
    assert astray.theirs.request == ("pod.eth0", "node.cali1f2e3d4c5b6", "node.ens192")
    assert astray.theirs.reply == ("node.ens192", "pod.net1")
    assert astray.ours.request == ("pod.net1", "node.ens192")
    assert not probes(compared)["pod -> outside 192.0.2.1"].differs


def test_packets_differ_where_no_table_does_and_the_kernels_lookup_is_contradicted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = executable(tmp_path, MARKS_EVERY_PING)
    compared = calls("underlay-1nic", path)["ADD eth0"]
    assert not compared.statements
    assert not compared.is_equal
    astray = probes(compared)["pod -> outside 192.0.2.1"]
    assert astray.differs and not astray.agrees and astray.ours.agrees
    assert astray.theirs.request[0] == "pod.veth0"
    assert astray.ours.request == ("pod.eth0", "node.ens192")
    assert main(["diff", str(DIRECTORY / "underlay-1nic"), "--other", str(path)]) == 1
    contradiction = "?   theirs: left pod by veth0, but the kernel says request in pod: eth0 ("
    assert contradiction in capsys.readouterr().out


def test_a_refusal_is_told(tmp_path: Path) -> None:
    compared = calls("seed-overlay-2nic", executable(tmp_path, REFUSES))["ADD net1"]
    assert (Side.THEIRS, "refused: not today") in compared.statements


def test_the_command_says_it_by_its_exit_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    idle = str(executable(tmp_path, NOTHING))
    assert main(["diff", str(DIRECTORY / "disable-2nic"), "--other", idle]) == 0
    assert capsys.readouterr().out.startswith("ADD net1: equal\n")
    assert main(["diff", str(DIRECTORY / "seed-overlay-2nic"), "--other", idle, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["equal"] is False
    service = next(
        one
        for one in found["calls"][0]["probes"]
        if one["probe"] == "pod net1 -> service 10.233.0.3"
    )
    assert service["theirs"]["request"] == ["pod.net1", "node.ens192"]
    assert service["ours"]["choices"][0] == {
        "what": "request",
        "place": "pod",
        "seen": "eth0",
        "model": {"nic": "eth0", "route": "10.233.0.0/18 via 10.6.212.132 dev eth0 table 100"},
        "agrees": True,
    }


def test_what_cannot_be_compared_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    idle = str(executable(tmp_path, NOTHING))
    assert main(["diff", str(tmp_path), "--other", idle]) == 2
    assert "is neither a recorded case nor a scenario" in capsys.readouterr().err
    assert main(["diff", str(DIRECTORY / "disable-2nic"), "--other", str(tmp_path / "no")]) == 2
    assert "no: is no executable file" in capsys.readouterr().err
    text = tmp_path / "text"
    text.write_text("no program")
    text.chmod(0o755)
    assert main(["diff", str(DIRECTORY / "disable-2nic"), "--other", str(text)]) == 2
    assert "text: cannot be executed: Exec format error" in capsys.readouterr().err
