"""Refusals as ``metav1.Status`` objects, with the reasons and words of a real API server.

Clients decide by ``reason`` and ``details``, people by ``message``; both are part of the
protocol (k8s.io/apimachinery, package ``api/errors``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.kubeapi.objects import Object


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is wrong: ``reason`` is a word like ``FieldValueInvalid``."""

    reason: str
    message: str
    field: str


class ApiError(Exception):
    """An answer other than success; ``status`` is the Status object that is sent."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            **({"reason": reason} if reason else {}),
            **({} if details is None else {"details": details}),
            "code": code,
        }


def success(details: Object) -> Object:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }


def qualified(plural: str, group: str) -> str:
    """``deployments.apps``: how messages name a resource."""
    return f"{plural}.{group}" if group else plural


def _about(kind: str, group: str, name: str = "", **more: Any) -> Object:
    details = {"name": name, "group": group, "kind": kind, **more}
    return {field: value for field, value in details.items() if value}


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(plural: str, group: str, name: str, why: str, *causes: Cause) -> ApiError:
    message = f'{qualified(plural, group)} "{name}" is forbidden: {why}'
    more = {"causes": [_cause(cause) for cause in causes]}
    return ApiError(403, "Forbidden", message, _about(plural, group, name, **more))


def not_found(plural: str, group: str, name: str) -> ApiError:
    message = f'{qualified(plural, group)} "{name}" not found'
    return ApiError(404, "NotFound", message, _about(plural, group, name))


def no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed() -> ApiError:
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def not_acceptable(accepted: Sequence[str]) -> ApiError:
    """No media type of the request's is written here."""
    message = "406: Not Acceptable\n\nAvailable representations: " + ", ".join(accepted)
    return ApiError(406, "NotAcceptable", message, {})


def unfit_form(message: str) -> ApiError:
    """The media type is known, but not in the form that is asked for."""
    return ApiError(406, "NotAcceptable", message)


def unsupported_media_type(accepted: Sequence[str]) -> ApiError:
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted)
    )
    return ApiError(415, "UnsupportedMediaType", message)


def unsupported_patch() -> ApiError:
    return ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def already_exists(plural: str, group: str, name: str, *, going: bool = False) -> ApiError:
    """``going`` is true when the object that exists is being deleted."""
    message = f'{qualified(plural, group)} "{name}" already exists'
    message = f"object is being deleted: {message}" if going else message
    return ApiError(409, "AlreadyExists", message, _about(plural, group, name))


def conflict(plural: str, group: str, name: str, why: str) -> ApiError:
    message = f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}'
    return ApiError(409, "Conflict", message, _about(plural, group, name))


def stale(plural: str, group: str, name: str) -> ApiError:
    why = (
        "the object has been modified; please apply your changes to the latest version "
        "and try again"
    )
    return conflict(plural, group, name, why)


def apply_conflict(owners: Mapping[str, Sequence[str]]) -> ApiError:
    """Fields of an applied configuration that other managers own with other values.

    ``owners`` has the fields by who owns them.
    """
    total = sum(map(len, owners.values()))
    counted = "1 conflict" if total == 1 else f"{total} conflicts"
    groups = [
        f"conflict with {owner}: {fields[0]}"
        if total == 1
        else "\n- ".join([f"conflicts with {owner}:", *fields])
        for owner, fields in sorted(owners.items())
    ]
    causes = [
        Cause("FieldManagerConflict", f"conflict with {owner}", field)
        for owner, fields in owners.items()
        for field in fields
    ]
    message = f"Apply failed with {counted}: " + "\n".join(groups)
    return ApiError(409, "Conflict", message, {"causes": [_cause(cause) for cause in causes]})


def expired(message: str) -> ApiError:
    return ApiError(410, "Expired", message)


def too_old(asked: int, oldest: int) -> ApiError:
    return expired(f"too old resource version: {asked} ({oldest})")


def too_large(asked: int, current: int) -> ApiError:
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return ApiError(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1})


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> ApiError:
    """422: the object is well-formed, but some of its values are not allowed."""
    each = [f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in causes]
    listed = each[0] if len(each) == 1 else "[" + ", ".join(each) + "]"
    message = f'{qualified(kind, group)} "{name}" is invalid: {listed}'
    details = _about(kind, group, name, causes=[_cause(cause) for cause in causes])
    return ApiError(422, "Invalid", message, details)


def bad_options(options: str, *causes: Cause) -> ApiError:
    """Query parameters that are out of place; ``options`` is ``List``, ``Create``, ..."""
    return invalid(f"{options}Options", "meta.k8s.io", "", causes)


def _cause(cause: Cause) -> Object:
    return {"reason": cause.reason, "message": cause.message, "field": cause.field}
