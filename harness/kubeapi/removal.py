"""Delete: one object, or a collection; and the clean-up that goes with a definition."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from harness.kubeapi import crds, option_rules
from harness.kubeapi.admission import Attempt, Operation
from harness.kubeapi.cluster import CRD_BUCKET, Cluster
from harness.kubeapi.deletion import (
    DeleteOptions,
    Propagation,
    check_preconditions,
    is_finished,
    marked,
)
from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object, clone
from harness.kubeapi.request import Query


def parse_options(data: Any, query: Query) -> DeleteOptions:
    """From the body, a ``DeleteOptions`` object, or else from the query. Raises 400 and 422."""
    body: Object = data if isinstance(data, dict) else {}
    preconditions = body.get("preconditions") or {}
    policy = body.get("propagationPolicy", query.text("propagationPolicy") or None)
    orphan, stages = body.get("orphanDependents"), body.get("dryRun") or query.texts("dryRun")
    option_rules.check_delete(policy, orphan, stages)
    if orphan is not None:
        policy = Propagation.ORPHAN if orphan else Propagation.BACKGROUND
    grace = body.get("gracePeriodSeconds")
    return DeleteOptions(
        grace_seconds=grace if grace is not None else query.number("gracePeriodSeconds"),
        uid=preconditions.get("uid") or "",
        revision=preconditions.get("resourceVersion") or "",
        propagation=Propagation(policy) if policy else None,
        dry_run=bool(stages),
        waits=orphan is False,
    )


async def delete(
    cluster: Cluster, kind: Kind, namespace: str, name: str, options: DeleteOptions
) -> tuple[Object, bool]:
    """The object as the deletion left it, and whether it is gone. Raises ApiError."""
    old = cluster.get(kind, namespace, name)
    attempt = Attempt(Operation.DELETE, kind, namespace, name, None, old, "", options.dry_run)
    await cluster.admission.change(attempt)
    await cluster.admission.check(attempt)
    return remove_or_mark(cluster, kind, cluster.get(kind, namespace, name), options)


def remove_or_mark(
    cluster: Cluster, kind: Kind, old: Object, options: DeleteOptions
) -> tuple[Object, bool]:
    check_preconditions(kind, old, options.uid, options.revision)
    new = marked(kind, old, options, datetime.now(UTC))
    if kind.bucket == CRD_BUCKET:
        return _delete_definition(cluster, kind, old, new, options)
    if is_finished(new):
        left = new if kind.bucket == "pods." else old
        if options.dry_run:
            return left, True
        revision = cluster.remove(kind, old)["metadata"]["resourceVersion"]
        return {**left, "metadata": {**left["metadata"], "resourceVersion": revision}}, True
    if options.dry_run:
        return new, False
    return cluster.commit(kind, old, new), False


def _delete_definition(
    cluster: Cluster, kind: Kind, old: Object, new: Object, options: DeleteOptions
) -> tuple[Object, bool]:
    """All objects of the definition go first; it waits for them by a finalizer of its own."""
    if options.dry_run or crds.is_terminating(old):
        return new, False
    new = clone(new)
    finalizers = new["metadata"].setdefault("finalizers", [])
    if crds.CLEANUP not in finalizers:
        finalizers.append(crds.CLEANUP)
    new["status"] = crds.terminating_status(new)
    stored = cluster.commit(kind, old, new)
    served = crds.kinds_of(stored)
    for instance in cluster.store.all(served[0].bucket) if served else []:
        remove_or_mark(cluster, served[0], instance, DeleteOptions())
    remaining = cluster.store.get(CRD_BUCKET, ("", stored["metadata"]["name"]))
    if remaining and not cluster.store.all(
        f"{old['spec']['names']['plural']}.{old['spec']['group']}"
    ):
        cluster.release_definition(remaining)
    return stored, False
