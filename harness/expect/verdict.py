"""The judgement on one expectation."""

from __future__ import annotations

from dataclasses import dataclass

from harness.scenario.expectations import Expectation

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``sentence`` says it all; ``expected`` and ``seen`` are lines to lay side by side."""

    id: str
    where: str
    ok: bool
    sentence: str
    expected: Lines = ()
    seen: Lines = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, before it is known whose it is."""

    problem: str
    expected: Lines = ()
    seen: Lines = ()


def passed(expectation: Expectation, shown: str) -> Verdict:
    """``shown`` is what was found to be true."""
    return Verdict(expectation.id, str(expectation.where), True, f"{expectation.id}: {shown}")


def failed(expectation: Expectation, problem: str | Finding) -> Verdict:
    """Also for what could not even be observed: ``problem`` is then the error's text."""
    finding = Finding(problem) if isinstance(problem, str) else problem
    sentence = f"{expectation.id} ({expectation.where}): {finding.problem}"
    return Verdict(
        expectation.id,
        str(expectation.where),
        False,
        sentence,
        finding.expected,
        finding.seen,
    )
