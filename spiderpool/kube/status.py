"""From a ``Status`` object of the Kubernetes API to an exception, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spiderpool.errors import (
    AlreadyExists,
    Busy,
    Conflict,
    Gone,
    Invalid,
    KubeError,
    NotFound,
    Unreachable,
)

OUTCOME_UNKNOWN = frozenset({500, 502, 503, 504})
"""Answers after which a write may or may not have happened (etcd timed out, a proxy lost
the server): the same as no answer at all."""

_BY_CODE: Mapping[int, type[KubeError]] = {
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
    429: Busy,
}


def error_of(code: int, body: object, doing: str) -> KubeError:
    """The exception for an HTTP status ``code`` and its JSON ``body``.

    ``doing`` names the request (``PUT /api/...``) where the body has no words of its own.
    Kubernetes API conventions, "Response Status Kind".
    """
    status: Mapping[str, Any] = body if isinstance(body, dict) else {}
    reason = str(status.get("reason") or "")
    message = str(status.get("message") or f"{doing}: the API server answered {code}")
    details = status.get("details")
    if code in OUTCOME_UNKNOWN:
        return Unreachable(message)
    kind = AlreadyExists if reason == "AlreadyExists" else _BY_CODE.get(code, KubeError)
    return kind(code, reason, message, details if isinstance(details, dict) else None)
