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


def log_path(namespace: str, pod: str) -> str:
    """Where the log of a pod's container is read."""
    return f"/api/v1/namespaces/{_segment(namespace)}/pods/{_segment(pod)}/log"


def proxy_path(plural: str, namespace: str, name: str, page: str) -> str:
    """A page of a pod or Service by the API server's proxy; ``name`` is ``[https:]NAME:PORT``."""
    where = f"/api/v1/namespaces/{_segment(namespace)}/{plural}/{_segment(name)}"
    return f"{where}/proxy{page}"


def _segment(name: str) -> str:
    """Kubernetes: "Object Names and IDs", Path Segment Names."""
    if not name or name in (".", "..") or "/" in name or "%" in name:
        raise BadInput(f"name {name!r}", "cannot be the name of an object")
    return quote(name, safe="")
