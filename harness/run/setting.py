"""The topology that a scenario plays in, and whether all that it points at is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

from harness.scenario.document import Where, listed
from harness.scenario.model import (
    Expect,
    KillPart,
    PodName,
    Scenario,
    StartPart,
    Step,
    StopPart,
    Wait,
)
from harness.scenario.reference import Place, placeholders
from harness.topology.load import load
from harness.topology.model import Topology
from spiderpool.errors import BadInput

TOPOLOGIES = "_topologies"


def setting(scenario: Scenario) -> Topology:
    """The topology, once every place that the scenario names is known to be in it.

    Raises:
        BadInput: there is no such topology, it is wrong, or it has not such a place.
    """
    topology = load(_file(scenario))
    nodes = [node.name for node in topology.nodes]
    for where, node in _nodes_named(scenario):
        if node not in nodes:
            raise BadInput(where, f"there is no node {node}", f"use {listed(nodes)}")
    for name in scenario.names:
        if name in topology.namespaces:
            problem = f"{name} is a machine of topology {scenario.topology}"
            raise BadInput(f"{scenario.file}: names.{name}", problem, "choose another name")
    known = (*scenario.names, *topology.namespaces)
    for named_at, place in _places_named(scenario):
        if place.name not in known:
            remedy = f"use {listed(known)}, or add it to `names`"
            raise BadInput(str(named_at), f"there is no place {place}", remedy)
    return topology


def _file(scenario: Scenario) -> Path:
    """In the nearest folder of topologies above the scenario that has it."""
    folders = [folder / TOPOLOGIES for folder in scenario.file.resolve().parents]
    for folder in folders:
        file = folder / f"{scenario.topology}.yaml"
        if file.is_file():
            return file
    there = sorted(file.stem for folder in folders for file in folder.glob("*.yaml"))
    raise BadInput(
        str(scenario.topology_at),
        f"there is no topology {scenario.topology!r} in any {TOPOLOGIES} above it",
        f"use {listed(there)}" if there else f"write {TOPOLOGIES}/{scenario.topology}.yaml",
    )


def _nodes_named(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Where, and which: of pods' names, and of steps about agents."""
    for name, meant in scenario.names.items():
        if isinstance(meant, PodName) and meant.node is not None:
            yield f"{scenario.file}: names.{name}.on", meant.node
    for step in scenario.steps:
        if isinstance(step, KillPart | StopPart | StartPart) and step.node is not None:
            yield str(step.where), step.node


def _places_named(scenario: Scenario) -> Iterator[tuple[Where, Place]]:
    for step in scenario.steps:
        yield from _places_of(step)


def _places_of(step: Step) -> Iterator[tuple[Where, Place]]:
    if isinstance(step, Expect):
        for each in step.expectations:
            yield from ((each.where, place) for place in _places_in(each, each.where, each.bound))
    elif not isinstance(step, Wait):  # its braces are JSONPath's
        yield from ((step.where, place) for place in _places_in(step, step.where, None))


def _places_in(value: object, where: Where, bound: str | None) -> Iterator[Place]:
    """Those that a step's or an expectation's fields name, and their texts in braces."""
    if isinstance(value, Place):
        yield value
    elif isinstance(value, str):
        yield from (each.place for each in placeholders(value, str(where), bound))
    elif isinstance(value, Mapping):
        yield from _places_in(tuple(value.values()), where, bound)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _places_in(each, where, bound)
    elif is_dataclass(value) and not isinstance(value, Where):
        for field in fields(value):
            yield from _places_in(getattr(value, field.name), where, bound)
