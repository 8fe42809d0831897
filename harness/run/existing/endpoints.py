"""Whether Services lead to pods already, as far as the API goes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from spiderpool.kube.api import Object

_SERVICE_NAME = "kubernetes.io/service-name"


def left_out(
    pods: Iterable[Object], services: Iterable[Object], slices: Iterable[Object]
) -> Iterator[str]:
    """What Services should lead to and no EndpointSlice has yet, a line each."""
    led_to = {
        (_service_of(each), address)
        for each in slices
        for endpoint in each.get("endpoints") or ()
        for address in endpoint["addresses"]
        if (endpoint.get("conditions") or {}).get("ready") is not False
    }
    chosen = list(services)
    for pod in pods:
        metadata = pod["metadata"]
        for service in chosen:
            place = service["metadata"]["namespace"], service["metadata"]["name"]
            if place[0] == metadata["namespace"] and _selects(service, metadata):
                for address in _addresses(pod, service):
                    if (place, address) not in led_to:
                        name = metadata["name"]
                        yield f"Service {place[1]} does not lead to {name} at {address}"


def _service_of(endpoint_slice: Object) -> tuple[str, str]:
    metadata = endpoint_slice["metadata"]
    return metadata["namespace"], (metadata.get("labels") or {}).get(_SERVICE_NAME, "")


def _selects(service: Object, metadata: Mapping[str, Any]) -> bool:
    selector = service["spec"].get("selector") or {}
    return bool(selector) and selector.items() <= (metadata.get("labels") or {}).items()


def _addresses(pod: Object, service: Object) -> Iterator[str]:
    """Those of the Service's families."""
    families = service["spec"].get("ipFamilies") or ["IPv4"]
    for entry in pod["status"].get("podIPs") or ():
        if ("IPv6" if ":" in entry["ip"] else "IPv4") in families:
            yield entry["ip"]
