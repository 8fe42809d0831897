"""Get and list, with resource versions, selectors and pages."""

from __future__ import annotations

import base64
import binascii

import orjson

from harness.kubeapi import option_rules, status
from harness.kubeapi.cluster import Cluster, presented
from harness.kubeapi.kinds import Kind
from harness.kubeapi.label_selectors import label_predicate
from harness.kubeapi.objects import Object, key_of
from harness.kubeapi.request import Query
from harness.kubeapi.selectors import Predicate, field_predicate, field_terms

_STALE_PAGE = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this "
    "response to retrieve the remainder of the results. Continuing with the provided token "
    "results in an inconsistent list - objects that were created, modified, or deleted between "
    "the time the first chunk was returned and now may show up in the list."
)


def check_query(query: Query) -> None:
    """Raises 400 for what cannot be read, and 422 for what contradicts itself."""
    query.number("limit")
    query.number("timeoutSeconds")
    label_predicate(query.text("labelSelector"))
    field_terms(query.text("fieldSelector"))
    option_rules.check_list(query)


def selected(kind: Kind, namespace: str, query: Query) -> Predicate:
    """Whether an object is in the namespace and matches both selectors. Raises 400."""
    labels = label_predicate(query.text("labelSelector"))
    fields = field_predicate(
        query.text("fieldSelector"), kind.selectable, plain=kind.builtin and not kind.selectable
    )

    def holds(obj: Object) -> bool:
        metadata = obj["metadata"]
        if namespace and metadata.get("namespace") != namespace:
            return False
        return labels(metadata.get("labels") or {}) and fields(obj)

    return holds


def check_revision(cluster: Cluster, asked: int | None) -> None:
    """Nothing newer than the present can be read: 504, as a server that lags behind says."""
    if asked is not None and asked > cluster.store.revision:
        raise status.too_large(asked, cluster.store.revision)


def list_objects(cluster: Cluster, kind: Kind, namespace: str, query: Query) -> Object:
    """The list object. Raises 400, 410 and 504."""
    holds = selected(kind, namespace, query)
    limit = max(query.number("limit") or 0, 0)
    revision, after = _start(cluster, kind, query)
    if revision == cluster.store.revision:
        candidates = cluster.store.all(kind.bucket, namespace)
    else:
        candidates = cluster.store.snapshot(kind.bucket, revision, namespace)
    items = [obj for obj in candidates if key_of(obj) > after and holds(obj)]
    metadata: Object = {} if kind.builtin else {"continue": ""}
    metadata["resourceVersion"] = str(revision)
    if limit and len(items) > limit:
        metadata["continue"] = _token(revision, key_of(items[limit - 1]))
        if not (query.text("labelSelector") or query.text("fieldSelector")):
            metadata["remainingItemCount"] = len(items) - limit
        items = items[:limit]
    return {
        "kind": kind.list_name,
        "apiVersion": kind.api_version,
        "metadata": metadata,
        "items": [presented(kind, obj) for obj in items],
    }


def _start(cluster: Cluster, kind: Kind, query: Query) -> tuple[int, tuple[str, str]]:
    """The revision to list at, and the key after which to begin."""
    token, asked = query.text("continue"), query.revision
    match = query.text("resourceVersionMatch")
    if token:
        if asked:
            raise status.bad_request(
                "specifying resource version is not allowed when using continue"
            )
        return _resume(cluster, kind, token)
    check_revision(cluster, asked)
    exact = match == "Exact" or (asked and not match and query.number("limit"))
    return (asked if exact and asked else cluster.store.revision), ("", "")


def _token(revision: int, key: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([revision, *key])).rstrip(b"=").decode()


def _resume(cluster: Cluster, kind: Kind, token: str) -> tuple[int, tuple[str, str]]:
    try:
        padded = token + "=" * (-len(token) % 4)
        revision, namespace, name = orjson.loads(base64.urlsafe_b64decode(padded))
    except (binascii.Error, ValueError, TypeError):
        raise status.bad_request(
            "invalid continue token: continue key is not valid: it is no token of this server"
        ) from None
    if revision == -1:
        return cluster.store.revision, (namespace, name)
    if revision < cluster.store.bucket(kind.bucket).forgotten:
        error = status.expired(_STALE_PAGE)
        error.status["metadata"] = {"continue": _token(-1, (namespace, name))}
        raise error
    return revision, (namespace, name)
