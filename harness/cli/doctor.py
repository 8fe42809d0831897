"""``harness doctor``: what this machine can do, and how to mend what it cannot.

Exit status: 0 scenarios can run, 1 something that they need is missing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict

from harness.doctor.finding import Finding, ready
from harness.doctor.kernel import examine_kernel
from harness.doctor.machine import examine_machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``harness doctor``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def main(options: argparse.Namespace) -> int:
    """Look, print, and say by the exit status whether scenarios can run."""
    findings = [*examine_kernel(), *examine_machine()]
    print(as_json(findings) if options.json else as_text(findings))
    return 0 if ready(findings) else 1


def as_json(findings: Iterable[Finding]) -> str:
    """``{"ready": bool, "findings": [...]}``."""
    listed = list(findings)
    return json.dumps({"ready": ready(listed), "findings": [asdict(f) for f in listed]}, indent=2)


def as_text(findings: Iterable[Finding]) -> str:
    """One line a finding, and below it the remedy if one is needed; the verdict last."""
    listed = list(findings)
    width = max(len(finding.name) for finding in listed)
    lines = []
    for finding in listed:
        mark = "ok" if finding.works else "MISSING" if finding.required else "absent"
        lines.append(f"{mark:8}{finding.name:{width}}  {finding.detail}".rstrip())
        if finding.remedy:
            lines.append(f"{'':8}{'':{width}}  -> {finding.remedy}")
    verdict = "scenarios can run here" if ready(listed) else "scenarios cannot run here"
    return "\n".join([*lines, "", verdict])
