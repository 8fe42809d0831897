"""What a cluster has from its first moment: system namespaces and the API's own Service."""

from __future__ import annotations

from harness.kubeapi.cluster import Cluster
from harness.kubeapi.objects import Object
from harness.kubeapi.writes import Write, create

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


async def populate(cluster: Cluster) -> None:
    for name in NAMESPACES:
        await _create(cluster, "v1", "namespaces", {"metadata": {"name": name}})
    networks = list(map(str, cluster.services.networks))
    await _create(
        cluster, "networking.k8s.io/v1", "servicecidrs",
        {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": networks}},
    )  # fmt: skip
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


async def _create(
    cluster: Cluster, api_version: str, plural: str, obj: Object, namespace: str = ""
) -> None:
    group, _, version = api_version.rpartition("/")
    kind = cluster.registry.find(group, version, plural)
    await create(cluster, Write(kind, namespace, ""), obj)
