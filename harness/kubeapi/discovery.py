"""Discovery documents: which groups, versions and resources there are. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object
from harness.kubeapi.registry import Registry

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_PART_VERBS = ["get", "patch", "update"]


def version_info() -> Object:
    """``/version``: the release whose behaviour is followed."""
    return {
        "major": "1",
        "minor": "35",
        "gitVersion": "v1.35.0+embedded",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "linux/amd64",
    }


def core_versions(server: str) -> Object:
    """``/api``."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": server}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def group_list(registry: Registry) -> Object:
    """``/apis``."""
    groups = [
        api_group(group, versions)
        for group, versions in sorted(registry.versions().items())
        if group
    ]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def api_group(group: str, versions: list[str]) -> Object:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def resource_list(registry: Registry, group: str, version: str) -> Object:
    """``/api/v1`` or ``/apis/GROUP/VERSION``."""
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": [
            entry for kind in registry.in_version(group, version) for entry in _entries(kind)
        ],
    }


def _entries(kind: Kind) -> Iterator[Object]:
    yield {
        "name": kind.plural,
        "singularName": kind.singular_name,
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": verbs_of(kind),
        **({"shortNames": list(kind.short_names)} if kind.short_names else {}),
        **({"categories": list(kind.categories)} if kind.categories else {}),
    }
    for name, part, verbs in parts_of(kind):
        entry: Object = {"name": f"{kind.plural}/{name}", "singularName": "", "verbs": verbs}
        entry |= {"namespaced": kind.namespaced, "kind": part["kind"]}
        if part.get("group"):
            entry |= {"group": part["group"], "version": part["version"]}
        yield entry


def verbs_of(kind: Kind) -> list[str]:
    return [verb for verb in _VERBS if kind.deleted_together or verb != "deletecollection"]


def parts_of(kind: Kind) -> Iterator[tuple[str, Object, list[str]]]:
    """Subresources: name, the kind of their bodies (its group only when it differs), verbs."""
    own = {"kind": kind.name}
    if kind.has_status:
        yield "status", own, _PART_VERBS
    if kind.scale:
        yield "scale", {"group": "autoscaling", "version": "v1", "kind": "Scale"}, _PART_VERBS
    for name in kind.subresources:
        if name == "binding":
            yield name, {"kind": "Binding"}, ["create"]
        elif name == "eviction":
            yield name, {"group": "policy", "version": "v1", "kind": "Eviction"}, ["create"]
        else:
            yield name, own, ["update"] if name == "finalize" else _PART_VERBS


def aggregated(registry: Registry, version: str, *, core: bool) -> Object:
    """Everything below ``/api`` or ``/apis`` in one document (apidiscovery.k8s.io)."""
    items = []
    for group, versions in sorted(registry.versions().items()):
        if bool(group) is core:
            continue
        listed = [
            {
                "version": name,
                "freshness": "Current",
                "resources": [_described(kind) for kind in registry.in_version(group, name)],
            }
            for name in versions
        ]
        items.append({"metadata": {"name": group} if group else {}, "versions": listed})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _described(kind: Kind) -> Object:
    # Group and version are those of the document unless they are said.
    own = {"group": "", "version": "", "kind": kind.name}
    parts = [
        {"subresource": name, "responseKind": own | part, "verbs": verbs}
        for name, part, verbs in parts_of(kind)
    ]
    return {
        "resource": kind.plural,
        "responseKind": own,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular_name,
        "verbs": verbs_of(kind),
        **({"shortNames": list(kind.short_names)} if kind.short_names else {}),
        **({"categories": list(kind.categories)} if kind.categories else {}),
        **({"subresources": parts} if parts else {}),
    }
