"""What a whole scenario must satisfy beyond its single lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.scenario.expectations import Blocked, Expectation, NetworkHas, Reaches
from harness.scenario.model import Scenario, ServiceName
from spiderpool.errors import BadInput


def check(scenario: Scenario) -> None:
    """Unique ids, controls that can serve as such, names used as what they are.

    Raises:
        BadInput: at the first line that breaks a rule.
    """
    by_id: dict[str, Expectation] = {}
    for expectation in scenario.expectations():
        if expectation.id in by_id:
            raise BadInput(
                str(expectation.where),
                f"id {expectation.id!r} is used at {by_id[expectation.id].where} already",
                "give each expectation an id of its own",
            )
        by_id[expectation.id] = expectation
    if not by_id:
        raise BadInput(f"{scenario.file}:1", "this scenario expects nothing", "add `expect` steps")
    for expectation in by_id.values():
        for problem, remedy in _problems(expectation, by_id, scenario):
            raise BadInput(str(expectation.where), problem, remedy)


def _problems(
    expectation: Expectation, by_id: Mapping[str, Expectation], scenario: Scenario
) -> Iterator[tuple[str, str]]:
    if isinstance(expectation, Blocked):
        yield from _control_problems(expectation, by_id)
    if isinstance(expectation, NetworkHas) and not expectation.lines:
        yield "no line is expected", "a table in which nothing is found proves nothing"
    if isinstance(expectation, Reaches | Blocked):
        sender = expectation.probe.sender.place.name
        if isinstance(scenario.names.get(sender), ServiceName):
            yield f"{sender!r} is a service", "probe from a pod, a node or a host"


def _control_problems(
    blocked: Blocked, by_id: Mapping[str, Expectation]
) -> Iterator[tuple[str, str]]:
    control = by_id.get(blocked.control)
    if not isinstance(control, Reaches):
        yield (
            f"control {blocked.control!r} is no expectation of an answered probe",
            "name the id of a ping, udp or tcp that is answered",
        )
    elif control.probe.protocol is not blocked.probe.protocol:
        yield f"control {blocked.control!r} is a {control.probe.protocol}", "use the same protocol"
    elif not _shares_an_end(blocked, control):
        yield (
            f"control {blocked.control!r} has neither the same sender nor the same target",
            "change one end only, so that the difference is what blocks",
        )


def _shares_an_end(blocked: Blocked, control: Reaches) -> bool:
    ours, theirs = blocked.probe, control.probe
    return ours.sender.place == theirs.sender.place or ours.target == theirs.target
