"""``harness diff`` beside upstream as it was recorded: its states come back, the pings that passed
then pass now, and packets show what tables of its own said only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from coordinator_standin import executable
from golden_files import golden
from recorded_coordinator import text

from harness.diff.cases import compare
from harness.diff.compared import Compared, Taken
from harness.golden.kernel import play
from harness.golden.recorded import read_case
from harness.netns import isolated
from harness.scenario.expectations import Outcome

pytestmark = pytest.mark.kernel

DIRECTORY = golden("coordinator")
PING = re.compile(r"(pod|node|lan)->(\S+) \(.*\): (ok|FAIL)")
PROBE = {
    "pod": r"pod -> (node|lan) {}",
    "node": r"node -> pod \S+ {}",
    "lan": r"lan \S+ -> pod \S+ {}",
}


def compared(case: str, folder: Path) -> dict[str, Compared]:
    path = executable(folder, text(DIRECTORY / case))
    return {one.call: one for one in compare(read_case(DIRECTORY / case), path)}


def probe(call: Compared, name: str) -> Taken:
    return next(taken for taken in call.probes if re.fullmatch(name, taken.probe))


@pytest.mark.parametrize("case", ["overlay-2nic", "overlay-3nic-dual", "underlay-2nic"])
def test_states_and_pings_are_those_that_were_recorded(case: str, tmp_path: Path) -> None:
    found = compared(case, tmp_path)
    judgement = isolated.call(play, read_case(DIRECTORY / case))
    recorded = {one.text for one in judgement.differences if " only: " in one.text}
    assert recorded == {
        f"{call}: {side} only: {said}"
        for call, one in found.items()
        for side, said in one.statements
    }
    assert all(taken.agrees for one in found.values() for taken in one.probes)
    *_, last = (one for call, one in found.items() if call.startswith("ADD"))
    pings = PING.findall((DIRECTORY / case / "probes.txt").read_text())
    assert pings
    for sender, address, result in pings:
        seen = probe(last, PROBE[sender].format(re.escape(address))).theirs
        assert (seen.outcome is Outcome.REPLIED) == (result == "ok"), (
            f"{sender} -> {address}: {seen}"
        )


def test_a_socket_bound_to_net1_reaches_services_with_ours_only(tmp_path: Path) -> None:
    call = compared("seed-overlay-2nic", tmp_path)["ADD net1"]
    service = probe(call, "pod net1 -> service 10.233.0.3")
    assert service.theirs.request == ("pod.net1", "node.ens192")
    assert service.theirs.outcome is Outcome.TIMEOUT
    assert service.ours.request[0] == "pod.eth0"
    assert service.ours.outcome is Outcome.REPLIED
