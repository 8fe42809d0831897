"""Endpoints and EndpointSlices of Services with a selector, from their pods. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from harness.nodes.control.owners import reference_to
from harness.nodes.control.podstate import is_ready, is_terminating, labels_of, phase
from spiderpool.kube.api import Object
from spiderpool.kube.resources import ENDPOINTSLICE, SERVICE

SERVICE_LABEL = "kubernetes.io/service-name"
MANAGER_LABEL = "endpointslice.kubernetes.io/managed-by"
ENDPOINTS_LABEL = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"


def has_endpoints(service: Object) -> bool:
    spec = service.get("spec") or {}
    return bool(spec.get("selector")) and spec.get("type") != "ExternalName"


def members(service: Object, pods: list[Object]) -> list[Object]:
    """The Service's pods that have an address and have not ended, by name."""
    wanted = (service["spec"].get("selector") or {}).items()
    namespace = service["metadata"]["namespace"]
    found = [
        pod
        for pod in pods
        if pod["metadata"].get("namespace") == namespace
        and wanted <= labels_of(pod).items()
        and _addresses(pod)
        and phase(pod) not in ("Succeeded", "Failed")
    ]
    return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))


def _addresses(pod: Object) -> list[str]:
    status = pod.get("status") or {}
    several = [each["ip"] for each in status.get("podIPs") or [] if each.get("ip")]
    return several or ([status["podIP"]] if status.get("podIP") else [])


def _address(pod: Object, family: str) -> str:
    """The pod's address of the family (``IPv4``, ``IPv6``), or empty."""
    version = int(family[-1])
    own = (each for each in _addresses(pod) if ipaddress.ip_address(each).version == version)
    return next(own, "")


def endpoints_of(service: Object, pods: list[Object]) -> Object:
    """The Endpoints object of the Service's first family."""
    family = (service["spec"].get("ipFamilies") or ["IPv4"])[0]
    publish = service["spec"].get("publishNotReadyAddresses")
    subsets: dict[tuple[tuple[str, int, str], ...], Object] = {}
    for pod in members(service, pods):
        if not _address(pod, family) or is_terminating(pod):
            continue
        ports = tuple(_ports(service, pod))
        subset = subsets.setdefault(ports, {"addresses": [], "notReadyAddresses": []})
        ready = is_ready(pod) or publish
        subset["addresses" if ready else "notReadyAddresses"].append(_target(pod, family))
    metadata = service["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": {
                **labels_of(service),
                ENDPOINTS_LABEL: "endpoint-controller",
            },
        },
        "subsets": [
            {
                **{name: addresses for name, addresses in subset.items() if addresses},
                "ports": [_port(*port) for port in ports],
            }
            for ports, subset in subsets.items()
        ],
    }


def _target(pod: Object, family: str) -> Object:
    return {"ip": _address(pod, family), "nodeName": pod["spec"].get("nodeName"),
            "targetRef": _reference(pod)}  # fmt: skip


def _reference(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {
        "kind": "Pod",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
    }


def _port(name: str, number: int, protocol: str) -> Object:
    return {**({"name": name} if name else {}), "port": number, "protocol": protocol}


def _ports(service: Object, pod: Object) -> Iterator[tuple[str, int, str]]:
    """The pod's own numbers for the Service's ports; names are looked up in its containers."""
    for port in service["spec"].get("ports") or []:
        target, protocol = port.get("targetPort", port["port"]), port.get("protocol", "TCP")
        if isinstance(target, str) and not target.isdigit():
            number = _named_port(pod, target, protocol)
        else:
            number = int(target) or port["port"]
        if number:
            yield port.get("name") or "", number, protocol


def _named_port(pod: Object, name: str, protocol: str) -> int:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or []:
            if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
    return 0


def slices_of(service: Object, pods: list[Object]) -> list[Object]:
    """One EndpointSlice a family and set of port numbers."""
    found = []
    for family in service["spec"].get("ipFamilies") or ["IPv4"]:
        groups: dict[tuple[tuple[str, int, str], ...], list[Object]] = {}
        for pod in members(service, pods):
            if _address(pod, family):
                groups.setdefault(tuple(_ports(service, pod)), []).append(pod)
        if not groups:
            groups = {(): []}
        for index, (ports, group) in enumerate(groups.items()):
            found.append(_slice(service, family, index, ports, group))
    return found


def _slice(
    service: Object, family: str, index: int, ports: tuple[tuple[str, int, str], ...],
    pods: list[Object],
) -> Object:  # fmt: skip
    metadata = service["metadata"]
    suffix = f"{family.lower()}" + (f"-{index}" if index else "")
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    return {
        "apiVersion": ENDPOINTSLICE.api_version,
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{metadata['name']}-{suffix}",
            "namespace": metadata["namespace"],
            "labels": {
                **labels_of(service),
                SERVICE_LABEL: metadata["name"],
                MANAGER_LABEL: MANAGER,
            },
            "ownerReferences": [reference_to(SERVICE, service)],
        },
        "addressType": family,
        "endpoints": [_endpoint(pod, family, publish) for pod in pods],
        "ports": [{"name": "", **_port(*port)} for port in ports],
    }


def _endpoint(pod: Object, family: str, publish: bool) -> Object:
    terminating, ready = is_terminating(pod), is_ready(pod)
    return {
        "addresses": [_address(pod, family)],
        "conditions": {
            "ready": publish or (ready and not terminating),
            "serving": ready,
            "terminating": terminating,
        },
        "nodeName": pod["spec"].get("nodeName"),
        "targetRef": _reference(pod),
    }


def differs(wanted: Object, found: Object) -> bool:
    """Whether ``found`` has to be written anew; empty lists and absent ones are the same."""
    fields = ("subsets", "endpoints", "ports", "addressType")
    return any((wanted.get(name) or None) != (found.get(name) or None) for name in fields) or (
        wanted["metadata"]["labels"] != labels_of(found)
    )
