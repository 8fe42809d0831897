"""Recorded calls of the coordinator, carried out by our plugin in real namespaces."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from harness.golden.compare import Judgement
from harness.golden.coordinator import cases, judge_outcome
from harness.golden.kinds import unplayable
from harness.golden.plugins import OurCoordinator
from harness.golden.recorded import Case, read_case
from harness.golden.replay import replay
from harness.golden.stage import KernelStage
from harness.netns import isolated
from harness.netns.ledger import Ledger
from harness.netns.sandbox import RUN
from spiderpool.errors import BadInput, SpiderpoolError


def judge_in_kernel(directory: Path) -> list[Judgement]:
    """Each case of the folder, all in one sandbox.

    Raises:
        SandboxRefused: this machine gives no namespaces.
    """
    read: list[Case | Judgement] = [_read(directory / name) for name in cases(directory)]
    return isolated.call(_play_all, read)


def _read(folder: Path) -> Case | Judgement:
    """Before the sandbox, which may hide the folder."""
    try:
        return read_case(folder)
    except BadInput as problem:
        return unplayable(folder.name, problem)


def _play_all(read: Sequence[Case | Judgement]) -> list[Judgement]:
    logging.disable(logging.CRITICAL)  # the agent's; refusals are in the answers
    return [one if isinstance(one, Judgement) else play(one) for one in read]


def play(case: Case) -> Judgement:
    """One case; call it inside a sandbox."""
    try:
        with Ledger() as ledger:
            stage = KernelStage(ledger, lambda node: OurCoordinator(case, node, RUN))
            return judge_outcome(case, replay(case, stage))
    except SpiderpoolError as problem:
        return unplayable(case.name, problem)
