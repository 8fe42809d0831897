"""The built-in kinds: how each is named, and what is special about it."""

from __future__ import annotations

import functools
from typing import Any

from harness.kubeapi.builtin.types import schema_of
from harness.kubeapi.kinds import Kind, ScalePaths

_WORKLOAD_SCALE = ScalePaths(selector=".spec.selector")
_ALL = ("all",)


def _kind(api_version: str, plural: str, name: str, **special: Any) -> Kind:
    group, _, version = api_version.rpartition("/")
    short = tuple(special.pop("short", "").split())
    namespaced = special.pop("namespaced", True)
    return Kind(group, version, name, plural, namespaced, schema_of(name), short_names=short,
                storage_version=version, **special)  # fmt: skip


@functools.cache
def builtin_kinds() -> tuple[Kind, ...]:
    """All of them; built once, because reading their schemas costs a few milliseconds."""
    return (*_core(), *_apps(), *_other())


def _core() -> list[Kind]:
    plain: dict[str, Any] = {"has_generation": False}
    return [
        _kind("v1", "namespaces", "Namespace", namespaced=False, short="ns", has_status=True,
              subresources=("finalize",), selectable=("status.phase",),
              deleted_together=False, **plain),
        _kind("v1", "nodes", "Node", namespaced=False, short="no", has_status=True,
              selectable=("spec.unschedulable",), **plain),
        _kind("v1", "pods", "Pod", short="po", categories=_ALL, has_status=True,
              subresources=("binding", "eviction", "ephemeralcontainers"), returns_deleted=True,
              selectable=("spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
                          "spec.serviceAccountName", "spec.hostNetwork", "status.phase",
                          "status.podIP", "status.nominatedNodeName")),
        _kind("v1", "configmaps", "ConfigMap", short="cm", **plain),
        _kind("v1", "secrets", "Secret", selectable=("type",), **plain),
        _kind("v1", "services", "Service", short="svc", categories=_ALL, has_status=True,
              create_on_update=True, returns_deleted=True,
              selectable=("spec.clusterIP", "spec.type"), **plain),
        _kind("v1", "endpoints", "Endpoints", short="ep", create_on_update=True,
              deprecation="v1 Endpoints is deprecated in v1.33+; "
                          "use discovery.k8s.io/v1 EndpointSlice", **plain),
        _kind("v1", "events", "Event", short="ev", create_on_update=True,
              selectable=("involvedObject.kind", "involvedObject.namespace",
                          "involvedObject.name", "involvedObject.uid",
                          "involvedObject.apiVersion", "involvedObject.resourceVersion",
                          "involvedObject.fieldPath", "reason", "reportingComponent", "source",
                          "type"), **plain),
        _kind("v1", "serviceaccounts", "ServiceAccount", short="sa", returns_deleted=True, **plain),
    ]  # fmt: skip


def _apps() -> list[Kind]:
    scaled: dict[str, Any] = {"categories": _ALL, "has_status": True, "scale": _WORKLOAD_SCALE}
    return [
        _kind("apps/v1", "deployments", "Deployment", short="deploy", **scaled),
        _kind("apps/v1", "replicasets", "ReplicaSet", short="rs",
              selectable=("status.replicas",), **scaled),
        _kind("apps/v1", "statefulsets", "StatefulSet", short="sts", **scaled),
        _kind("apps/v1", "daemonsets", "DaemonSet", short="ds", categories=_ALL, has_status=True),
        _kind("batch/v1", "jobs", "Job", categories=_ALL, has_status=True, orphans=True,
              selectable=("status.successful",)),
        _kind("batch/v1", "cronjobs", "CronJob", short="cj", categories=_ALL, has_status=True),
    ]  # fmt: skip


def _other() -> list[Kind]:
    cluster: dict[str, Any] = {"namespaced": False}
    plain: dict[str, Any] = {"has_generation": False}
    admission = "admissionregistration.k8s.io/v1"
    rbac = "rbac.authorization.k8s.io/v1"
    role: dict[str, Any] = {"has_generation": False, "create_on_update": True}
    return [
        _kind("discovery.k8s.io/v1", "endpointslices", "EndpointSlice"),
        _kind("coordination.k8s.io/v1", "leases", "Lease", create_on_update=True,
              unconditional_update=False, **plain),
        _kind("networking.k8s.io/v1", "servicecidrs", "ServiceCIDR", has_status=True,
              **cluster, **plain),
        _kind("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition",
              short="crd crds", categories=("api-extensions",), has_status=True,
              unconditional_update=False, **cluster),
        _kind(admission, "mutatingwebhookconfigurations", "MutatingWebhookConfiguration",
              categories=("api-extensions",), **cluster),
        _kind(admission, "validatingwebhookconfigurations", "ValidatingWebhookConfiguration",
              categories=("api-extensions",), **cluster),
        _kind(rbac, "roles", "Role", **role),
        _kind(rbac, "rolebindings", "RoleBinding", **role),
        _kind(rbac, "clusterroles", "ClusterRole", **cluster, **role),
        _kind(rbac, "clusterrolebindings", "ClusterRoleBinding", **cluster, **role),
        _kind("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", short="pdb",
              has_status=True, unconditional_update=False),
    ]  # fmt: skip
