"""Who owns what, by ``metadata.ownerReferences``."""

from __future__ import annotations

from collections import defaultdict

from spiderpool.kube.api import Informer, Object
from spiderpool.kube.informer import Key, key_of
from spiderpool.kube.resources import Resource


def reference_to(resource: Resource, owner: Object) -> Object:
    """The reference of an object that ``owner`` controls."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Object) -> Object | None:
    """The reference to the object's controller, if it has one."""
    references = obj["metadata"].get("ownerReferences") or []
    return next((reference for reference in references if reference.get("controller")), None)


class Owned:
    """The objects of one cache by the UID of their controller."""

    def __init__(self, cache: Informer) -> None:
        self._cache = cache
        self._keys: dict[str, set[Key]] = defaultdict(set)
        cache.subscribe(self._changed)

    def of(self, owner: Object) -> list[Object]:
        """What ``owner`` controls, sorted by name."""
        keys = sorted(self._keys.get(owner["metadata"]["uid"], ()), key=str)
        found = (self._cache.get(name, namespace) for namespace, name in keys)
        return [obj for obj in found if obj is not None]

    def _changed(self, old: Object | None, new: Object | None) -> None:
        for obj, is_new in ((old, False), (new, True)):
            reference = controller_of(obj) if obj else None
            if obj and reference and is_new:
                self._keys[reference["uid"]].add(key_of(obj))
            elif obj and reference:
                keys = self._keys[reference["uid"]]
                keys.discard(key_of(obj))
                if not keys:
                    del self._keys[reference["uid"]]
