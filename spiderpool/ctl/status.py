"""``spiderpoolctl status``: the whole installation at one look, and what is wrong with it.

Exit status: 0 nothing is, 1 something is, 2 the API could not be asked.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib.metadata import version

from spiderpool.ctl.evidence import with_api
from spiderpool.ctl.finding import Finding, as_lines, problem, status_of
from spiderpool.ctl.installation import addresses, components, definitions, networks, webhook
from spiderpool.ctl.installation.facts import Facts, look
from spiderpool.ctl.installation.section import Section
from spiderpool.ctl.table import table
from spiderpool.errors import NotFound

PARTS: tuple[Callable[[Facts], Section], ...] = (
    definitions.judge,
    components.judge,
    components.agents,
    webhook.judge,
    networks.coordinators,
    networks.networks,
    addresses.pools,
    addresses.subnets,
    addresses.holders,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this command."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def main(options: argparse.Namespace) -> int:
    """Prints what there is and what is wrong; status 1 when something is."""
    facts = with_api(options.kubeconfig, look)
    sections, findings = judged(facts)
    if options.json:
        print(json.dumps(as_object(facts, sections, findings)))
    else:
        print("\n".join(as_text(facts, sections, findings)))
    return status_of(findings)


def judged(facts: Facts) -> tuple[list[Section], list[Finding]]:
    """The parts, and the findings of all of them."""
    sections = [part(facts) for part in PARTS]
    return sections, [*_unread(facts), *(f for section in sections for f in section.findings)]


def _unread(facts: Facts) -> Iterator[Finding]:
    """Kinds that may not be read; those that are not there are the definitions' problem."""
    for kind, refusal in facts.unread.items():
        if not isinstance(refusal, NotFound):
            yield problem(
                kind.kind, f"cannot be read: {refusal}", f"get the right to list {kind.plural}"
            )


def as_object(facts: Facts, sections: list[Section], findings: list[Finding]) -> dict[str, object]:
    """For programs."""
    return {
        "healthy": status_of(findings) == 0,
        "kubernetes": facts.version,
        "spiderpoolctl": version("spiderpool"),
        "leader": components.leaders(facts),
        **{section.name: section.rows for section in sections},
        "findings": [asdict(finding) for finding in findings],
    }


def as_text(facts: Facts, sections: list[Section], findings: list[Finding]) -> Iterator[str]:
    """For people: a table for each part that has anything, and the findings last."""
    leader = components.leaders(facts) or "nobody"
    yield f"Kubernetes {facts.version}, spiderpoolctl {version('spiderpool')}, leader: {leader}"
    for section in sections:
        if section.rows:
            yield ""
            yield table(section.rows)
    yield ""
    yield from as_lines(findings)
