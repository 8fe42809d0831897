"""Which webhooks a write has to pass, what they are asked and what their answers mean. Pure.

The protocol is ``admission.k8s.io/v1`` (Kubernetes, "Dynamic Admission Control").
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from harness.kubeapi.admission import Attempt
from harness.kubeapi.cel.evaluate import evaluate
from harness.kubeapi.cel.functions import EvaluationError
from harness.kubeapi.cel.syntax import BadExpression, parse
from harness.kubeapi.objects import Object, new_uid
from harness.kubeapi.patch.json_patch import apply_json_patch
from harness.kubeapi.selectors import selector_predicate
from harness.kubeapi.status import ApiError

USER = {"username": "harness", "groups": ["system:masters", "system:authenticated"]}
_OWN_GROUP = "admissionregistration.k8s.io"


class BadReview(Exception):
    """The webhook's answer is none."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``obj`` is the changed object, or None when nothing was changed."""

    obj: Object | None
    warnings: tuple[str, ...]


def matching(
    configurations: list[Object], attempt: Attempt, namespace: Object | None
) -> Iterator[Object]:
    """The webhooks of these configurations that have a say, in the order of their names."""
    if attempt.kind.group == _OWN_GROUP:
        return
    for configuration in configurations:
        for webhook in configuration.get("webhooks") or []:
            if _matches(webhook, attempt, namespace):
                yield webhook


def _matches(webhook: Object, attempt: Attempt, namespace: Object | None) -> bool:
    if not any(_rule_matches(rule, attempt) for rule in webhook.get("rules") or []):
        return False
    scope = attempt.obj if attempt.kind.name == "Namespace" else namespace
    if scope is not None and not _selects(webhook.get("namespaceSelector"), scope):
        return False
    objects = [each for each in (attempt.obj, attempt.old) if each is not None]
    return any(_selects(webhook.get("objectSelector"), each) for each in objects)


def _selects(selector: Object | None, obj: Object) -> bool:
    labels = (obj.get("metadata") or {}).get("labels") or {}
    return selector_predicate(selector or {})(labels)


def _rule_matches(rule: Object, attempt: Attempt) -> bool:
    kind = attempt.kind
    scope = "Namespaced" if kind.namespaced else "Cluster"
    return (
        _listed(rule, "operations", attempt.operation)
        and _listed(rule, "apiGroups", kind.group)
        and _listed(rule, "apiVersions", kind.version)
        and rule.get("scope", "*") in ("*", scope)
        and any(
            _resource_matches(resource, kind.plural, attempt.subresource)
            for resource in rule.get("resources") or []
        )
    )


def _listed(rule: Object, field: str, value: str) -> bool:
    values = rule.get(field) or []
    return "*" in values or value in values


def _resource_matches(pattern: str, plural: str, subresource: str) -> bool:
    name, slash, part = pattern.partition("/")
    if name not in ("*", plural):
        return False
    return part in ("*", subresource) if slash else not subresource


def condition_holds(webhook: Object, request: Object) -> bool:
    """``matchConditions``, in CEL. Raises BadReview when one cannot be evaluated."""
    variables = {
        "request": request,
        "object": request.get("object"),
        "oldObject": request.get("oldObject"),
    }
    try:
        return all(
            evaluate(parse(condition["expression"]), variables) is True
            for condition in webhook.get("matchConditions") or []
        )
    except (BadExpression, EvaluationError) as error:
        raise BadReview(f"match condition: {error}") from None


def review_of(attempt: Attempt) -> Object:
    """The AdmissionReview to send."""
    kind = attempt.kind
    about = {"group": kind.group, "version": kind.version}
    request: Object = {
        "uid": new_uid(),
        "kind": {**about, "kind": kind.name},
        "resource": {**about, "resource": kind.plural},
        "requestKind": {**about, "kind": kind.name},
        "requestResource": {**about, "resource": kind.plural},
        "name": attempt.name,
        "operation": attempt.operation,
        "userInfo": USER,
        "object": attempt.obj,
        "oldObject": attempt.old,
        "dryRun": attempt.dry_run,
        "options": {
            "kind": f"{attempt.operation.capitalize()}Options",
            "apiVersion": "meta.k8s.io/v1",
        },
    }
    if attempt.field_manager:
        request["options"]["fieldManager"] = attempt.field_manager
    if attempt.subresource:
        request |= {"subResource": attempt.subresource, "requestSubResource": attempt.subresource}
    if kind.namespaced:
        request["namespace"] = attempt.namespace
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def verdict(webhook: Object, review: Object, answer: Any, *, changes: bool) -> Verdict:
    """Raises ApiError when the webhook refuses, and BadReview when its answer makes no sense."""
    response = answer.get("response") if isinstance(answer, dict) else None
    if not isinstance(response, dict):
        raise BadReview("expected response.uid, got no response")
    asked = review["request"]["uid"]
    if response.get("uid") != asked:
        raise BadReview(f'expected response.uid="{asked}", got "{response.get("uid", "")}"')
    warnings = tuple(response.get("warnings") or ())
    if not response.get("allowed"):
        raise _refusal(webhook["name"], response.get("status") or {})
    patch = response.get("patch")
    if not patch or not changes:
        return Verdict(None, warnings)
    return Verdict(_patched(review["request"]["object"], patch), warnings)


def _patched(obj: Object, patch: str) -> Object:
    try:
        operations = orjson.loads(base64.b64decode(patch, validate=True))
        changed: Object = apply_json_patch(obj, operations)
    except (binascii.Error, ValueError, ApiError) as error:
        raise BadReview(f"cannot apply the patch: {error}") from None
    return changed


def _refusal(name: str, status: Object) -> ApiError:
    """The webhook's own status, with its name before the words; 400 when it gives no code."""
    why = status.get("message") or status.get("reason") or ""
    told = f": {why}" if why else " without explanation"
    message = f'admission webhook "{name}" denied the request{told}'
    code, reason = status.get("code") or 400, status.get("reason") or ""
    return ApiError(code, reason, message, status.get("details"))
