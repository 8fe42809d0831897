"""What a cluster has from its first moment: system namespaces and the API's own Service."""

from __future__ import annotations

from harness.kubeapi.cluster import Cluster
from harness.kubeapi.objects import Object, timestamp
from harness.kubeapi.writes import Write, create, patch

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


async def populate(cluster: Cluster) -> None:
    for name in NAMESPACES:
        await _create(cluster, "v1", "namespaces", {"metadata": {"name": name}})
    networks = list(map(str, cluster.services.networks))
    await _create(
        cluster, "networking.k8s.io/v1", "servicecidrs",
        {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": networks}},
    )  # fmt: skip
    await _say_ready(cluster)
    service = {
        "metadata": {
            "name": "kubernetes",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "clusterIP": str(cluster.services.networks[0][1]),
            "ports": [{"name": "https", "port": 443, "targetPort": 6443}],
        },
    }
    await _create(cluster, "v1", "services", service, "default")


async def _say_ready(cluster: Cluster) -> None:
    """As the server's own controller does once the range is in use."""
    condition = {
        "type": "Ready",
        "status": "True",
        "lastTransitionTime": timestamp(),
        "reason": "",
        "message": "Kubernetes default Service CIDR is ready",
    }
    kind = cluster.registry.find("networking.k8s.io", "v1", "servicecidrs")
    write = Write(kind, "", "kubernetes", "status")
    await patch(cluster, write, lambda old: {**old, "status": {"conditions": [condition]}})


async def _create(
    cluster: Cluster, api_version: str, plural: str, obj: Object, namespace: str = ""
) -> None:
    group, _, version = api_version.rpartition("/")
    kind = cluster.registry.find(group, version, plural)
    await create(cluster, Write(kind, namespace, ""), obj)
