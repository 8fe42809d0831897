"""The objects of an installation in good health, for the in-memory API; tests break one of them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from ipam_world import World

from spiderpool.controller.install.definitions import definitions
from spiderpool.controller.settings import Service
from spiderpool.controller.webhook.certificates import KeyPair, issue_authority, issue_server
from spiderpool.controller.webhook.registration import Endpoint, configurations
from spiderpool.errors import KubeError
from spiderpool.kube.api import Object
from spiderpool.kube.resources import (
    CRD,
    DAEMONSET,
    DEPLOYMENT,
    LEASE,
    NETWORKATTACHMENT,
    POD,
    SECRET,
    SPIDERCOORDINATOR,
    SPIDERIPPOOL,
    SPIDERMULTUSCONFIG,
    Resource,
)
from spiderpool.multus.attachment import attachment
from spiderpool.multus.old_names import read_network
from spiderpool.types.coordinator import SpiderCoordinator
from spiderpool.types.metadata import read

SYSTEM = "kube-system"
IMAGE = "registry.example.org/spiderpool:0.1.0"
SERVICE = Service(SYSTEM, "spiderpool-controller", 5722)
COORDINATOR: Object = {
    "metadata": {"name": "default"},
    "spec": {"mode": "overlay", "podCIDRType": "cluster"},
}
SYNCED = {
    "phase": "Synced",
    "overlayPodCIDR": ["10.233.64.0/18"],
    "serviceCIDR": ["10.233.0.0/18"],
}
KUBEADM: Object = {
    "metadata": {"name": "kubeadm-config", "namespace": SYSTEM},
    "data": {
        "ClusterConfiguration": "networking:\n"
        "  podSubnet: 10.233.64.0/18\n  serviceSubnet: 10.233.0.0/18\n"
    },
}
NETWORK: Object = {
    "metadata": {"name": "macvlan-ens192", "namespace": SYSTEM, "uid": "n"},
    "spec": {
        "cniType": "macvlan",
        "macvlan": {"master": ["ens192"], "ippools": {"ipv4": ["a"]}, "vlanID": 0},
    },
}


class Webhook:
    """An authority, a certificate by it, and what the API server does with a wrong pool."""

    def __init__(self, age: timedelta = timedelta()) -> None:
        now = datetime.now(UTC) - age
        self.authority: KeyPair = issue_authority(now)
        self.server: KeyPair = issue_server(self.authority, Endpoint(SERVICE).names, now)

    @staticmethod
    def refuse(resource: Resource, obj: Object) -> KubeError | None:
        if resource == SPIDERIPPOOL and obj["metadata"].get("generateName"):
            words = 'admission webhook "validate.spiderpool.spidernet.io" denied the request: no'
            return KubeError(422, "Invalid", words)
        return None

    def secret(self) -> Object:
        files = {"tls.crt": self.server.certificate, "tls.key": self.server.key}
        data = {name: base64.b64encode(text).decode() for name, text in files.items()}
        metadata = {"name": "spiderpool-controller-webhook", "namespace": SYSTEM}
        return {"metadata": metadata, "data": data}


async def install(world: World, webhook: Webhook | None = None) -> None:
    """Two nodes, everything ready, one pool with room and one network."""
    hook = webhook or Webhook()
    world.api.refuse = hook.refuse
    for one in definitions():
        established = {"conditions": [{"type": "Established", "status": "True"}]}
        await world.put(CRD, one | {"status": established})
    for number, name in enumerate(("worker01", "worker02")):
        await world.node(name, f"10.6.0.{250 + number}", **{"kubernetes.io/os": "linux"})
        await world.put(POD, component_pod("agent", f"agent-{number}", name))
    await world.put(POD, component_pod("controller", "controller-0", "worker01"))
    await world.put(DAEMONSET, daemonset())
    await world.put(DEPLOYMENT, deployment())
    await world.put(LEASE, lease(datetime.now(UTC)))
    for resource, obj in configurations(
        Endpoint(SERVICE), hook.authority.certificate, guard_deletion=False
    ):
        await world.put(resource, obj)
    await world.put(SECRET, hook.secret())
    await world.put(SPIDERCOORDINATOR, COORDINATOR)
    await world.api.patch(SPIDERCOORDINATOR, "default", {"status": SYNCED}, subresource="status")
    await world.pool("a", "10.6.0.1-10.6.0.9")
    network = await world.put(SPIDERMULTUSCONFIG, NETWORK)
    cluster = read(SpiderCoordinator, COORDINATOR).spec
    await world.put(NETWORKATTACHMENT, attachment(read_network(network)[0], cluster))


def labels(component: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "spiderpool",
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/version": "0.1.0",
    }


def component_pod(component: str, name: str, node: str, **status: Any) -> Object:
    ports = [{"name": "health", "containerPort": 5710 if component == "agent" else 5720}]
    if component == "agent":
        ports.append({"name": "metrics", "containerPort": 5711})
    container = {"name": component, "image": IMAGE, "ports": ports}
    return {
        "metadata": {"name": name, "namespace": SYSTEM, "labels": labels(component)},
        "spec": {"nodeName": node, "containers": [container]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        | status,
    }


def daemonset() -> Object:
    spec = {"nodeSelector": {"kubernetes.io/os": "linux"}, "containers": [{"image": IMAGE}]}
    return {
        "metadata": {"name": "spiderpool-agent", "namespace": SYSTEM, "labels": labels("agent")},
        "spec": {"template": {"spec": spec}},
        "status": {"desiredNumberScheduled": 2, "numberReady": 2},
    }


def deployment() -> Object:
    metadata = {"name": SERVICE.name, "namespace": SYSTEM, "labels": labels("controller")}
    template = {"spec": {"containers": [{"image": IMAGE}]}}
    return {
        "metadata": metadata,
        "spec": {"replicas": 1, "template": template},
        "status": {"readyReplicas": 1},
    }


def lease(renewed: datetime, holder: str = "controller-0") -> Object:
    return {
        "metadata": {"name": "spiderpool-controller-leases", "namespace": SYSTEM},
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": 15,
            "renewTime": renewed.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        },
    }
