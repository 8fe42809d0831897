"""``harness plan``: what the coordinator would do in a recorded case, without doing it.

The case is played on a model of the kernel, so neither root nor namespaces are needed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from harness.golden.inmemory import MemoryStage
from harness.golden.recorded import Add, Case, read_case
from harness.golden.replay import Answer, replay
from spiderpool.coordinator.config import Config
from spiderpool.netlink.operations import Operation
from spiderpool.netlink.text import as_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``harness plan``."""
    parser.add_argument("case", type=Path, help="folder of one recorded case of the coordinator")
    parser.add_argument("--json", action="store_true", help="print a JSON list of calls")


def main(options: argparse.Namespace) -> int:
    """Prints the plan of each call as commands.

    Raises:
        BadInput: the folder holds no readable case.
    """
    stage = PlanningStage(read_case(options.case))
    replay(stage.case, stage)
    print(json.dumps(stage.calls, indent=2) if options.json else as_text(stage.calls))
    return 0


class PlanningStage(MemoryStage):
    """Notes what each call would carry out."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.case = case
        self.calls: list[dict[str, Any]] = []

    def attach(self, add: Add, config: Config) -> Answer:
        self._begin(f"ADD {add.nic}")
        return self._noted(super().attach(add, config))

    def detach(self, add: Add, config: Config) -> Answer:
        self._begin(f"DEL {add.nic}")
        return self._noted(super().detach(add, config))

    def _begin(self, call: str) -> None:
        self.calls.append({"call": call, "pod": [], "node": []})

    def _noted(self, answer: Answer) -> Answer:
        if answer.refusal:
            self.calls[-1]["refused"] = answer.refusal
        return answer

    def _apply(self, pod: tuple[Operation, ...], node: tuple[Operation, ...]) -> None:
        self.calls[-1]["pod"] = [as_command(operation) for operation in pod]
        self.calls[-1]["node"] = [as_command(operation) for operation in node]
        super()._apply(pod, node)


def as_text(calls: list[dict[str, Any]]) -> str:
    """Calls one after another, each with the commands for the pod and for the node."""
    lines = []
    for call in calls:
        lines.append(f"# {call['call']}" + (f": {call['refused']}" if "refused" in call else ""))
        for title, place in (("in the pod", "pod"), ("on the node", "node")):
            lines.append(f"#   {title}" + ("" if call[place] else ": nothing to do"))
            lines += call[place]
    return "\n".join(lines)
