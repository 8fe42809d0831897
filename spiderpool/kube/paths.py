"""URL paths of collections and objects, from names that are checked first."""

from __future__ import annotations

from urllib.parse import quote

from spiderpool.errors import BadInput
from spiderpool.kube.resources import Resource


def collection_path(resource: Resource, namespace: str | None) -> str:
    """The checked URL path of a collection; no namespace means all of them."""
    return resource.path(_segment(namespace) if namespace else None)


def object_path(resource: Resource, name: str, namespace: str | None, subresource: str = "") -> str:
    """The checked URL path of one object.

    Raises:
        BadInput: when a name cannot be one segment of a path, or the namespace is missing.
    """
    if resource.namespaced and not namespace:
        raise BadInput(f"{resource.kind} {name}", "has no namespace", "a namespace is needed")
    path = resource.path(_segment(namespace) if namespace else None, _segment(name))
    return f"{path}/{subresource}" if subresource else path


def _segment(name: str) -> str:
    """Kubernetes: "Object Names and IDs", Path Segment Names."""
    if not name or name in (".", "..") or "/" in name or "%" in name:
        raise BadInput(f"name {name!r}", "cannot be the name of an object")
    return quote(name, safe="")
