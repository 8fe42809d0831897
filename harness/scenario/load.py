"""From a scenario file to a Scenario, with the file and line in every error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.scenario.changes import parse_advertise, parse_ip, parse_redirect
from harness.scenario.check import check
from harness.scenario.document import Item, read, required
from harness.scenario.expectations import Expectation, Invariants
from harness.scenario.manifests import manifest
from harness.scenario.model import (
    Capability,
    Component,
    Expect,
    Given,
    Install,
    KillPart,
    Manifests,
    ManifestVerb,
    Name,
    PodName,
    Scale,
    Scenario,
    ServiceName,
    StartPart,
    Step,
    StopPart,
    Wait,
)
from harness.scenario.parts import parse_ctl, parse_part
from harness.scenario.reference import IT
from harness.scenario.variant import Changes, changed
from harness.scenario.words import namespace_of, object_name, parse_expectations

FILE_NAME = "scenario.yaml"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_SELECTOR = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9./_-]*(=[A-Za-z0-9._-]*)?"
    r"(,[A-Za-z0-9][A-Za-z0-9./_-]*(=[A-Za-z0-9._-]*)?)*\Z"
)
_CONDITION = re.compile(
    r"(delete|create|condition=[A-Za-z]+(=[A-Za-z]+)?"
    r"|jsonpath=\{[A-Za-z0-9.\[\]_-]+\}(=[A-Za-z0-9._:/-]+)?)\Z"
)
_TOP = ("scenario", "summary", "cases", "needs", "topology", "names", "steps")
_VARIANT = ("scenario", "summary", "cases", "topology", "names", "of", "without", "instead")
_PATIENCE = 60.0
_SETTLING = 10.0
"""How long counts and endpoints may take to follow the last step."""


def load(path: Path) -> Scenario:
    """The scenario that a file describes, or that a folder's ``scenario.yaml`` does.

    Raises:
        BadInput: naming file and line, what is wrong there, and how to mend it.
    """
    file = path / FILE_NAME if path.is_dir() else path
    item = read(file)
    scenario = _variant(file, item) if "of" in item.mapping() else _whole(file, item)
    check(scenario)
    return scenario


def _whole(file: Path, item: Item) -> Scenario:
    entries = item.mapping(*_TOP)
    return Scenario(
        file=file,
        name=_label(required(entries, "scenario", item)),
        summary=required(entries, "summary", item).text(),
        topology=_label(required(entries, "topology", item)),
        topology_at=entries["topology"].where,
        cases=_cases(entries),
        needs=entries["needs"].many(_capability) if "needs" in entries else (),
        names=_names(entries["names"]) if "names" in entries else {},
        steps=with_invariants([_step(step) for step in required(entries, "steps", item).items()]),
    )


def _variant(file: Path, item: Item) -> Scenario:
    """Another scenario, beside this one's folder, with what differs from it."""
    entries = item.mapping(*_VARIANT)
    beside = file.resolve().parent.parent / _label(entries["of"]) / FILE_NAME
    if not beside.is_file():
        raise entries["of"].fail(f"there is no {beside}", "name the folder of a scenario here")
    original = read(beside)
    if "of" in original.mapping():
        raise entries["of"].fail(f"{beside} is a variant itself", "name the scenario that it is of")
    changes = Changes(
        names=_names(entries["names"]) if "names" in entries else {},
        without=entries["without"].items() if "without" in entries else [],
        instead=_expectations(entries["instead"]) if "instead" in entries else (),
    )
    return replace(
        changed(_whole(beside, original), changes),
        file=file,
        name=_label(required(entries, "scenario", item)),
        summary=required(entries, "summary", item).text(),
        topology=_label(required(entries, "topology", item)),
        topology_at=entries["topology"].where,
        cases=_cases(entries),
    )


def _cases(entries: Mapping[str, Item]) -> tuple[str, ...]:
    return entries["cases"].many(lambda case: case.text()) if "cases" in entries else ()


def with_invariants(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps, and at their end what must be true whatever happened: the rules of IPAM."""
    last = next((s for s in reversed(steps) if isinstance(s, Expect)), None)
    if last is None or not any(isinstance(step, Install) for step in steps):
        return tuple(steps)
    return (*steps, Expect(last.where, (Invariants("invariants", last.where, None, _SETTLING),)))


def _capability(item: Item) -> Capability:
    return Capability(item.one_of(*Capability))


def _label(item: Item) -> str:
    if not _LABEL.match(item.text()):
        raise item.fail(
            f"{item.name} {item.text()!r} is no name", "use lower-case letters, digits and dashes"
        )
    return item.text()


def _names(item: Item) -> Mapping[str, Name]:
    return {name: _name(entry) for name, entry in item.mapping().items()}


def _name(item: Item) -> Name:
    if item.name == IT or not _LABEL.match(item.name):
        raise item.fail(
            f"{item.name!r} cannot be a name here",
            f"use lower-case letters, digits and dashes, and not {IT!r}",
        )
    if "service" in item.mapping():
        entries = item.mapping("service", "namespace")
        return ServiceName(_label(entries["service"]), namespace_of(entries))
    entries = item.mapping("pod", "namespace", "on", "number")
    selector = _selector(required(entries, "pod", item))
    node = _label(entries["on"]) if "on" in entries else None
    number = entries["number"].integer() if "number" in entries else 1
    if number < 1:
        raise entries["number"].fail(f"there is no pod number {number}", "count from 1")
    return PodName(selector, namespace_of(entries), node, number)


def _selector(item: Item) -> str:
    if not _SELECTOR.match(item.text()):
        raise item.fail(f"{item.text()!r} is no label selector", "write it like app=nginx")
    return item.text()


def _step(item: Item) -> Step:
    entries = item.mapping()
    verb = next(iter(entries), "")
    if verb not in _STEPS:
        raise item.fail(f"{verb!r} is no step", f"use one of {', '.join(_STEPS)}")
    return _STEPS[verb](item)


def _install(item: Item) -> Install:
    entry = item.mapping("install")["install"]
    return Install(entry.where, Component(entry.one_of(*Component)))


def _given(item: Item) -> Given:
    entry = item.mapping("given")["given"]
    return Given(entry.where, entry.many(manifest))


def _manifests(verb: ManifestVerb) -> Callable[[Item], Manifests]:
    def step(item: Item) -> Manifests:
        known = (str(verb), "force") if verb is ManifestVerb.DELETE else (str(verb),)
        entries = item.mapping(*known)
        entry = entries[str(verb)]
        force = "force" in entries and entries["force"].boolean()
        return Manifests(entry.where, verb, entry.many(manifest), force)

    return step


def _scale(item: Item) -> Scale:
    entries = item.mapping("scale", "to", "namespace")
    replicas = required(entries, "to", item).integer()
    if not 0 <= replicas <= 1000:
        raise entries["to"].fail(f"{replicas} replicas", "use 0 to 1000")
    return Scale(
        entries["scale"].where, object_name(entries["scale"]), namespace_of(entries), replicas
    )


def _wait(item: Item) -> Wait:
    entries = item.mapping("wait", "for", "namespace", "selector", "within")
    condition = required(entries, "for", item)
    if not _CONDITION.match(condition.text()):
        raise condition.fail(
            f"{condition.text()!r} is no condition",
            "write it like condition=Ready or jsonpath={.status.phase}=Synced",
        )
    return Wait(
        entries["wait"].where,
        object_name(entries["wait"]),
        condition.text(),
        namespace_of(entries),
        _selector(entries["selector"]) if "selector" in entries else None,
        entries["within"].seconds() if "within" in entries else _PATIENCE,
    )


def _expect(item: Item) -> Expect:
    entry = item.mapping("expect")["expect"]
    return Expect(entry.where, _expectations(entry))


def _expectations(item: Item) -> tuple[Expectation, ...]:
    return tuple(found for each in item.items() for found in parse_expectations(each))


_STEPS: Mapping[str, Callable[[Item], Step]] = {
    "install": _install,
    "given": _given,
    **{str(verb): _manifests(verb) for verb in ManifestVerb},
    "scale": _scale,
    "wait": _wait,
    "ip": parse_ip,
    "redirect": parse_redirect,
    "advertise": parse_advertise,
    "kill": parse_part("kill", KillPart),
    "stop": parse_part("stop", StopPart),
    "start": parse_part("start", StartPart),
    "spiderpoolctl": parse_ctl,
    "expect": _expect,
}
