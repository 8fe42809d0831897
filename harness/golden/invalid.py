"""Recorded refusals: what upstream's admission refuses, ours refuses too, in its own words."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from harness.golden.accepted import RULES, Cause
from harness.golden.compare import Difference, Judgement, Leaf, explained
from harness.kubeapi.names import name_causes
from harness.kubeapi.schema.structural import fill_defaults, prune
from harness.kubeapi.schema.validate import validate
from spiderpool.controller.admission import review
from spiderpool.controller.admission.defaults import DEFAULTS
from spiderpool.controller.admission.findings import Cluster, Request
from spiderpool.controller.admission.poolbook import PoolBook
from spiderpool.ipam.ledger import Entry
from spiderpool.types.address import Address
from spiderpool.types.crd import definition
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import PoolName
from spiderpool.types.registry import KINDS

Object = dict[str, Any]

BENCH: Object = {
    "metadata": {"name": "bench"},
    "spec": {
        "ipVersion": 4,
        "subnet": "10.6.0.0/16",
        "ips": ["10.6.212.0-10.6.254.255"],
    },
}
"""The pool that was there while the cases were recorded, with one address in use."""


def cases(directory: Path) -> list[str]:
    """Names of the cases that lie in a directory."""
    return sorted(path.stem for path in directory.glob("*.json"))


def judge(directory: Path, case: str) -> Judgement:
    """Upstream's verdict against ours. Needs the cases of nad beside those of invalid."""
    recorded = json.loads((directory / f"{case}.json").read_text())
    causes = refusal(recorded, networks(directory.parent / "nad"))
    if bool(causes) is not recorded["accepted"]:
        return Judgement(case, ())
    if not causes:
        return Judgement(case, (Difference("refused -> accepted"),))
    found = [Leaf(cause.field, "accepted", cause.message) for cause in causes]
    return Judgement(case, explained(found, RULES, recorded["object"]))


def networks(directory: Path) -> tuple[Object, ...]:
    """The SpiderMultusConfigs that were there while the cases were recorded."""
    paths = sorted(directory.glob("*.in.json"))
    return tuple(json.loads(path.read_text()) for path in paths)


def refusal(recorded: Object, smcs: tuple[Object, ...]) -> list[Cause]:
    """Why the object is refused: by its name, the schema, or the rules; empty: accepted."""
    plural, old = recorded["resource"], _updated(recorded, smcs)
    new = _merged(old, recorded["object"]) if old else copy.deepcopy(recorded["object"])
    if old is None and plural == "spiderippools" and new["metadata"]["name"] == "bench":
        return [Cause("metadata.name", "already exists")]
    schema = _schema(plural)
    prune(schema, new)
    fill_defaults(schema, new)
    new, _ = DEFAULTS[plural](new)
    named = name_causes(new.get("kind", ""), new["metadata"]["name"])
    causes = [*named, *validate(schema, new)]
    if causes:
        return [Cause(cause.field, cause.message) for cause in causes]
    cluster = Cluster(
        pools=PoolBook([BENCH]),
        networks=smcs,
        held=_held,
        families=frozenset({4} if recorded["name"].startswith("v6off") else {4, 6}),
    )
    found = review.judge(plural, Request(old, new), cluster)
    return [Cause(problem.field, problem.message) for problem in found.problems]


def _updated(recorded: Object, smcs: tuple[Object, ...]) -> Object | None:
    """The object that an update changes."""
    operation, _, name = recorded["operation"].partition(" ")
    if not operation.startswith("UPDATE"):
        return None
    return next(obj for obj in (BENCH, *smcs) if obj["metadata"]["name"] == name)


def _merged(old: Object, patch: Object) -> Object:
    """The update as it was recorded: a merge patch, but for the name."""
    metadata = old["metadata"] | {
        key: value for key, value in patch["metadata"].items() if key == "annotations"
    }
    return old | {"metadata": metadata, "spec": old["spec"] | patch["spec"]}


def _held(pool: PoolName) -> list[Entry]:
    slot = Slot(generation=1, state=SlotState.HELD, pool=pool, pod="bench/inuse")
    return [Entry(Address("10.6.212.0"), slot)]


@cache
def _schema(plural: str) -> Object:
    cls = next(cls for cls in KINDS if cls.KIND.plural == plural)
    schema: Object = definition(cls)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema
