"""AdmissionReview in, AdmissionReview out (admission.k8s.io/v1). Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from spiderpool.controller.admission import (
    coordinator,
    multusconfig,
    pool,
    reservedip,
    subnet,
)
from spiderpool.controller.admission.defaults import defaulted
from spiderpool.controller.admission.findings import Cluster, Findings, Object, Problem, Request
from spiderpool.controller.admission.injection import inject

Rules = Callable[[Request, Cluster, Findings], None]

RULES: dict[str, Rules] = {
    "spiderippools": pool.check,
    "spidersubnets": subnet.check,
    "spiderreservedips": reservedip.check,
    "spidercoordinators": coordinator.check,
    "spidermultusconfigs": multusconfig.check,
}

LONGEST_WARNING = 256
"""Longer ones are cut by the API server."""


def validate(review: Object, cluster: Cluster) -> Object:
    """The answer of the validating webhook."""
    asked = review["request"]
    found = judge(asked["resource"]["resource"], _request(asked), cluster)
    if found.problems:
        return _answer(asked, found.warnings, {"allowed": False, "status": _status(asked, found)})
    return _answer(asked, found.warnings, {"allowed": True})


def judge(plural: str, request: Request, cluster: Cluster) -> Findings:
    """What the rules of a kind find in one write."""
    found = Findings()
    RULES[plural](request, cluster, found)
    return found


def mutate(review: Object, cluster: Cluster) -> Object:
    """The answer of the mutating webhook: a JSON Patch (RFC 6902) of what is filled in."""
    asked = review["request"]
    obj = asked["object"]
    found = Findings()
    if asked["resource"]["resource"] == "pods":
        new = found.attempt(_injected, asked, cluster)
    else:
        new, warnings = defaulted(asked["resource"]["resource"], obj, cluster.subnets)
        found.warnings += warnings
    if new is None:
        return _answer(asked, [], {"allowed": False, "status": _status(asked, found)})
    patch = [
        {"op": "add", "path": f"/{member}", "value": new[member]}
        for member in ("metadata", "spec")
        if new.get(member) != obj.get(member)
    ]
    response: Object = {"allowed": True}
    if patch:
        response |= {"patchType": "JSONPatch", "patch": _base64(patch)}
    return _answer(asked, found.warnings, response)


def _injected(asked: Object, cluster: Cluster) -> Object:
    namespace = cluster.namespaces.get(asked["namespace"], {"metadata": {}})
    return inject(asked["object"], cluster.networks, namespace)


def _base64(patch: list[Any]) -> str:
    return base64.b64encode(json.dumps(patch).encode()).decode()


def _request(asked: Object) -> Request:
    manager = (asked.get("options") or {}).get("fieldManager") or ""
    return Request(old=asked.get("oldObject"), new=asked.get("object"), manager=manager)


def _answer(asked: Object, warnings: list[str], response: Object) -> Object:
    if warnings:
        response["warnings"] = [warning[:LONGEST_WARNING] for warning in warnings]
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": asked["uid"]} | response,
    }


def _status(asked: Object, found: Findings) -> Object:
    """As the API server writes what it refuses itself: 422 Invalid, one cause a problem."""
    kind, name = asked["kind"], asked.get("name", "")
    full_kind = ".".join(filter(None, (kind["kind"], kind.get("group"))))
    causes = [
        {"reason": str(problem.reason), "message": problem.message, "field": problem.field}
        for problem in found.problems
    ]
    return {
        "status": "Failure",
        "code": 422,
        "reason": "Invalid",
        "message": f'{full_kind} "{name}" is invalid: {text(found.problems)}',
        "details": {
            "name": name,
            "group": kind.get("group", ""),
            "kind": kind["kind"],
            "causes": causes,
        },
    }


def text(problems: list[Problem]) -> str:
    """One problem as it is, several in brackets."""
    words = [str(problem) for problem in problems]
    return words[0] if len(words) == 1 else f"[{', '.join(words)}]"
