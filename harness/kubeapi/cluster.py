"""The state of the API server, and what a write of one object changes besides that object.

Every write goes through ``commit`` or ``remove``. Both are synchronous: the caller reads,
decides and commits without an ``await`` between, which makes it a transaction.
"""

from __future__ import annotations

import orjson

from harness.kubeapi import crds, status
from harness.kubeapi.admission import Admission, check_namespace
from harness.kubeapi.builtin.kinds import builtin_kinds
from harness.kubeapi.builtin.services import ServiceAllocator, ServiceRanges
from harness.kubeapi.deletion import is_finished
from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object, key_of
from harness.kubeapi.registry import Registry
from harness.kubeapi.store import KEPT_CHANGES, Store
from harness.kubeapi.webhooks import Webhooks

CRD_BUCKET = "customresourcedefinitions.apiextensions.k8s.io"
NAMESPACE_BUCKET = "namespaces."
MOST_BYTES = 1536 * 1024
"""Larger objects are refused, as etcd's default --max-request-bytes does."""


class Cluster:
    """Store, registry and allocations, kept in step."""

    def __init__(
        self,
        ranges: ServiceRanges | None = None,
        admission: Admission | None = None,
        history: int = KEPT_CHANGES,
    ) -> None:
        self.store = Store(history)
        self.registry = Registry(builtin_kinds())
        self.services = ServiceAllocator(ranges or ServiceRanges())
        self.admission: Admission = admission or Webhooks(self.store)

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """Raises 404."""
        found = self.store.get(kind.bucket, (namespace, name))
        if found is None:
            raise status.not_found(kind.plural, kind.group, name)
        return presented(kind, found)

    def check_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        if kind.namespaced:
            found = self.store.get(NAMESPACE_BUCKET, ("", namespace))
            check_namespace(kind, name, namespace, found)

    def commit(self, kind: Kind, old: Object | None, new: Object) -> Object:
        """Store an object; one whose deletion nothing holds any more is removed instead."""
        if old is not None and _same(old, new):
            return old
        if kind.plural == "services" and not kind.group:
            self.services.take(old, new)
        if kind.storage_version != kind.version:
            new = {**new, "apiVersion": f"{kind.group}/{kind.storage_version}"}
        size = len(orjson.dumps(new))
        if size > MOST_BYTES:
            raise status.ApiError(500, "", "etcdserver: request is too large")
        stored = self.store.put(kind.bucket, new, size)
        if is_finished(stored):
            return presented(kind, self.remove(kind, stored))
        if kind.bucket == CRD_BUCKET:
            self._definition_written(stored)
        return presented(kind, stored)

    def remove(self, kind: Kind, obj: Object) -> Object:
        gone = self.store.delete(kind.bucket, key_of(obj))
        if kind.plural == "services" and not kind.group:
            self.services.release(gone)
        if kind.bucket == CRD_BUCKET:
            self._definition_removed(gone)
        if not kind.builtin:
            self._instance_removed(kind)
        return gone

    def _definition_written(self, crd: Object) -> None:
        spec = crd["spec"]
        if crds.is_terminating(crd):
            return
        others = (each for each in self.store.all(CRD_BUCKET) if key_of(each) != key_of(crd))
        taken = crds.taken_name(crd, others)
        self.registry.remove(spec["group"], spec["names"]["plural"])
        if not taken:
            self.registry.add(crds.kinds_of(crd))
        accepted = crds.established_status(crd, taken)
        if accepted != crd.get("status"):
            self.store.put(
                CRD_BUCKET, {**crd, "metadata": dict(crd["metadata"]), "status": accepted}
            )

    def _definition_removed(self, crd: Object) -> None:
        spec = crd["spec"]
        self.registry.remove(spec["group"], spec["names"]["plural"])
        self.store.drop(f"{spec['names']['plural']}.{spec['group']}")

    def _instance_removed(self, kind: Kind) -> None:
        """A definition that is being deleted goes with the last of its objects."""
        crd = self.store.get(CRD_BUCKET, ("", kind.bucket))
        if crd and crds.is_terminating(crd) and not self.store.all(kind.bucket):
            self.release_definition(crd)

    def release_definition(self, crd: Object) -> None:
        """Take the clean-up finalizer off a definition that has no objects left."""
        metadata = dict(crd["metadata"])
        rest = [name for name in metadata.get("finalizers") or [] if name != crds.CLEANUP]
        metadata["finalizers"] = rest
        kind = self.registry.find("apiextensions.k8s.io", "v1", "customresourcedefinitions")
        self.commit(kind, crd, {**crd, "metadata": metadata})


def presented(kind: Kind, obj: Object) -> Object:
    """The object under the version that was asked for."""
    if obj.get("apiVersion") == kind.api_version and obj.get("kind") == kind.name:
        return obj
    return {**obj, "apiVersion": kind.api_version, "kind": kind.name}


def _same(old: Object, new: Object) -> bool:
    """A write that changes nothing gets no new revision."""
    if old.get("metadata") is new.get("metadata") or old["metadata"] == new["metadata"]:
        return {**old, "apiVersion": ""} == {**new, "apiVersion": ""}
    return False
