"""``harness diff`` of recorded cases."""

from __future__ import annotations

from pathlib import Path

import pytest
from coordinator_standin import THE_SAME, executable
from golden_files import golden

from harness.cli.main import main
from harness.diff.cases import compare
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


@pytest.mark.parametrize("case", ["overlay-2nic-dual", "underlay-2nic"])
def test_our_plan_carried_out_by_another_is_equal(case: str, tmp_path: Path) -> None:
    compared = compare(read_case(DIRECTORY / case), executable(tmp_path, THE_SAME))
    assert {one.call: one.is_equal for one in compared} == {one.call: True for one in compared}
    *_, added = (one for one in compared if one.call.startswith("ADD"))
    assert all(taken.ours.reply for taken in added.probes)


def test_a_mark_that_no_table_shows_is_seen_by_packets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = executable(tmp_path, MARKS_EVERY_PING)
    compared = compare(read_case(DIRECTORY / "underlay-1nic"), path)[0]
    assert not compared.statements and not compared.is_equal
    probes = {taken.probe: taken for taken in compared.probes}
    astray = probes["pod -> outside 192.0.2.1"]
    assert astray.differs and not astray.theirs.agrees and astray.ours.agrees
    assert astray.theirs.request[0] == "pod.veth0"
    assert astray.ours.request == ("pod.eth0", "node.ens192")
    assert main(["diff", str(DIRECTORY / "underlay-1nic"), "--other", str(path)]) == 1
    contradiction = "?   theirs: left pod by veth0, but the kernel says request in pod: eth0 ("
    assert contradiction in capsys.readouterr().out
