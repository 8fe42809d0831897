"""Endpoints and EndpointSlices of Services, from the Ready pods that they select."""

from __future__ import annotations

from typing import Any

from harness.nodes.owners import Key, is_ready, key_of, owner_reference, wakes
from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import NotFound
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.resources import ENDPOINTS, ENDPOINTSLICE, SERVICE, Resource
from spiderpool.types.address import family_of

SERVICE_LABEL = "kubernetes.io/service-name"


class ServiceEndpoints:
    """Reconciler of Services that have a selector."""

    def __init__(
        self,
        client: Client,
        services: Informer,
        pods: Informer,
        endpoints: Informer,
        slices: Informer,
    ) -> None:
        self._client, self._services, self._pods = client, services, pods
        self._caches = {ENDPOINTS: endpoints, ENDPOINTSLICE: slices}
        self.queue: WorkQueue[Key] = WorkQueue("endpoints", self.reconcile)

    def start(self) -> None:
        """Follow Services and Pods."""
        self._services.subscribe(wakes(self.queue))
        self._pods.subscribe(self._on_pod)

    def _on_pod(self, old: Object | None, new: Object | None) -> None:
        for service in self._services.all():
            if any(pod is not None and selects(service, pod) for pod in (old, new)):
                self.queue.add(key_of(service))

    async def reconcile(self, key: Key) -> None:
        """Write what is reachable behind one Service."""
        service = self._services.get(key[1], key[0])
        if service is None or not service["spec"].get("selector"):
            return
        pods = sorted((p for p in self._pods.all() if selects(service, p)), key=key_of)
        await self._write(ENDPOINTS, endpoints_of(service, pods))
        for number in (4, 6):
            addressed = [pod for pod in pods if address_in(pod, number)]
            name = f"{key[1]}-ipv{number}"
            if addressed or self._caches[ENDPOINTSLICE].get(name, key[0]):
                await self._write(ENDPOINTSLICE, slice_of(service, addressed, number))

    async def _write(self, resource: Resource, wanted: Object) -> None:
        cache, (namespace, name) = self._caches[resource], key_of(wanted)
        present = cache.get(name, namespace)
        if present is None:
            cache.observe(await self._client.create(resource, wanted))
            return
        fields = [field for field in wanted if field != "metadata"]
        if all(present.get(field) == wanted[field] for field in fields):
            return
        try:
            written = await self._client.update(
                resource, wanted | {"metadata": present["metadata"]}
            )
        except NotFound:
            return
        cache.observe(written)


def selects(service: Object, pod: Object) -> bool:
    """Whether a Service's selector matches a pod of its namespace."""
    selector = service["spec"].get("selector") or {}
    labels = pod["metadata"].get("labels") or {}
    same_namespace = pod["metadata"]["namespace"] == service["metadata"]["namespace"]
    return bool(selector) and same_namespace and selector.items() <= labels.items()


def address_in(pod: Object, number: int) -> str | None:
    """The pod's address of family 4 or 6."""
    status = pod.get("status") or {}
    addresses = [entry["ip"] for entry in status.get("podIPs") or ()] or [status.get("podIP")]
    return next((ip for ip in addresses if ip and family_of(ip).number == number), None)


def target_port(port: Object, pod: Object) -> int | None:
    """The number of the port in the pod; names are looked up in its containers."""
    wanted = port.get("targetPort", port["port"])
    if isinstance(wanted, int):
        return wanted
    for container in pod["spec"].get("containers") or ():
        for declared in container.get("ports") or ():
            protocol = declared.get("protocol", "TCP")
            if declared.get("name") == wanted and protocol == port.get("protocol", "TCP"):
                return int(declared["containerPort"])
    return None


def endpoints_of(service: Object, pods: list[Object]) -> Object:
    """The Endpoints object: Ready pods, and those that are not, by their first address."""
    ready = [_endpoint(pod) for pod in pods if _serves(pod) and is_ready(pod)]
    other = [_endpoint(pod) for pod in pods if _serves(pod) and not is_ready(pod)]
    subset: dict[str, Any] = {}
    if ready:
        subset["addresses"] = ready
    if other:
        subset["notReadyAddresses"] = other
    if subset:
        subset["ports"] = _ports(service, pods)
    return {
        "apiVersion": ENDPOINTS.api_version,
        "kind": ENDPOINTS.kind,
        "metadata": _metadata(service, service["metadata"]["name"], {}),
        "subsets": [subset] if subset else [],
    }


def slice_of(service: Object, pods: list[Object], number: int) -> Object:
    """The EndpointSlice of one family."""
    name = service["metadata"]["name"]
    return {
        "apiVersion": ENDPOINTSLICE.api_version,
        "kind": ENDPOINTSLICE.kind,
        "metadata": _metadata(service, f"{name}-ipv{number}", {SERVICE_LABEL: name}),
        "addressType": f"IPv{number}",
        "endpoints": [
            {
                "addresses": [address_in(pod, number)],
                "conditions": {
                    "ready": is_ready(pod),
                    "serving": is_ready(pod),
                    "terminating": bool(pod["metadata"].get("deletionTimestamp")),
                },
                "nodeName": pod["spec"].get("nodeName"),
                "targetRef": _target(pod),
            }
            for pod in pods
            if not pod["metadata"].get("deletionTimestamp")
        ],
        "ports": _ports(service, pods),
    }


def _serves(pod: Object) -> bool:
    return bool((pod.get("status") or {}).get("podIP")) and not pod["metadata"].get(
        "deletionTimestamp"
    )


def _endpoint(pod: Object) -> Object:
    return {
        "ip": pod["status"]["podIP"],
        "nodeName": pod["spec"].get("nodeName"),
        "targetRef": _target(pod),
    }


def _target(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def _ports(service: Object, pods: list[Object]) -> list[Object]:
    """Ports by the first pod that knows them; a Service port nobody serves is left out."""
    found = []
    for port in service["spec"].get("ports") or ():
        numbers = (target_port(port, pod) for pod in pods)
        number = next((n for n in numbers if n is not None), None)
        if number is not None:
            named = {"name": port["name"]} if port.get("name") else {}
            found.append(named | {"port": number, "protocol": port.get("protocol", "TCP")})
    return found


def _metadata(service: Object, name: str, labels: dict[str, str]) -> Object:
    return {
        "name": name,
        "namespace": service["metadata"]["namespace"],
        "labels": labels,
        "ownerReferences": [owner_reference(service, SERVICE)],
    }
