"""Rows of the other built-in kinds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from harness.kubeapi.kinds import Column
from harness.kubeapi.objects import Object
from harness.kubeapi.tables.age import age

_INTEGER = "integer"
_SHOWN_ENDPOINTS = 3
_ROLE = "node-role.kubernetes.io/"


def _age(obj: Object, now: datetime) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


NODE = (
    Column("Status"),
    Column("Roles"),
    Column("Age"),
    Column("Version"),
    Column("Internal-IP", priority=1),
    Column("External-IP", priority=1),
    Column("OS-Image", priority=1),
    Column("Kernel-Version", priority=1),
    Column("Container-Runtime", priority=1),
)


def node(obj: Object, now: datetime) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    info = status.get("nodeInfo") or {}
    ready = {
        condition.get("status")
        for condition in status.get("conditions") or []
        if condition.get("type") == "Ready"
    }
    words = [("Ready" if "True" in ready else "NotReady") if ready else "Unknown"]
    if spec.get("unschedulable"):
        words.append("SchedulingDisabled")
    labels = obj["metadata"].get("labels") or {}
    roles = {label.removeprefix(_ROLE) for label in labels if label.startswith(_ROLE)}
    return [
        ",".join(words),
        ",".join(sorted(filter(None, roles))) or "<none>",
        _age(obj, now),
        info.get("kubeletVersion", ""),
        _node_address(status, "InternalIP"),
        _node_address(status, "ExternalIP"),
        info.get("osImage") or "<unknown>",
        info.get("kernelVersion") or "<unknown>",
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def _node_address(status: Object, wanted: str) -> str:
    addresses = status.get("addresses") or []
    return next((each["address"] for each in addresses if each["type"] == wanted), "<none>")


SERVICE = (
    Column("Type"),
    Column("Cluster-IP"),
    Column("External-IP"),
    Column("Port(s)"),
    Column("Age"),
    Column("Selector", priority=1),
)


def service(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    selector = ",".join(
        f"{key}={value}" for key, value in sorted((spec.get("selector") or {}).items())
    )
    kind = spec.get("type") or "ClusterIP"
    address = spec.get("clusterIP") or "<none>"
    ports = ",".join(_port(port) for port in spec.get("ports") or [])
    return [
        kind,
        address,
        _external(obj, kind),
        ports or "<none>",
        _age(obj, now),
        selector or "<none>",
    ]


def _port(port: Object) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}"


def _external(obj: Object, kind: str) -> str:
    spec = obj.get("spec") or {}
    fixed = ",".join(spec.get("externalIPs") or [])
    if kind == "ExternalName":
        return str(spec.get("externalName") or "")
    if kind != "LoadBalancer":
        return fixed or "<none>"
    ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    given = ",".join(each.get("ip") or each.get("hostname") or "" for each in ingress)
    return ",".join(filter(None, (given, fixed))) or "<pending>"


ENDPOINTS = (Column("Endpoints"), Column("Age"))


def endpoints(obj: Object, now: datetime) -> list[Any]:
    pairs = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets") or []
        for port in subset.get("ports") or []
        for address in subset.get("addresses") or []
    ]
    return [_shortened(pairs) or "<none>", _age(obj, now)]


def _shortened(values: list[str]) -> str:
    more = len(values) - _SHOWN_ENDPOINTS
    shown = ",".join(values[:_SHOWN_ENDPOINTS])
    return f"{shown} + {more} more..." if more > 0 else shown


ENDPOINT_SLICE = (Column("AddressType"), Column("Ports"), Column("Endpoints"), Column("Age"))


def endpoint_slice(obj: Object, now: datetime) -> list[Any]:
    ports = [str(port.get("port") or "*") for port in obj.get("ports") or []]
    addresses = [
        address for endpoint in obj.get("endpoints") or [] for address in endpoint["addresses"]
    ]
    return [
        obj.get("addressType", ""),
        _shortened(ports) or "<unset>",
        _shortened(addresses) or "<unset>",
        _age(obj, now),
    ]


CONFIG_MAP = (Column("Data"), Column("Age"))


def config_map(obj: Object, now: datetime) -> list[Any]:
    return [len(obj.get("data") or {}) + len(obj.get("binaryData") or {}), _age(obj, now)]


SECRET = (Column("Type"), Column("Data"), Column("Age"))


def secret(obj: Object, now: datetime) -> list[Any]:
    return [obj.get("type", ""), len(obj.get("data") or {}), _age(obj, now)]


NAMESPACE = (Column("Status"), Column("Age"))


def namespace(obj: Object, now: datetime) -> list[Any]:
    return [(obj.get("status") or {}).get("phase", ""), _age(obj, now)]


EVENT = (
    Column("Last Seen"),
    Column("Type"),
    Column("Reason"),
    Column("Object"),
    Column("Subobject", priority=1),
    Column("Source", priority=1),
    Column("Message"),
    Column("First Seen", priority=1),
    Column("Count", priority=1),
    Column("Name", format="name", priority=1),
)


def event(obj: Object, now: datetime) -> list[Any]:
    involved, source = obj.get("involvedObject") or {}, obj.get("source") or {}
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    series = obj.get("series") or {}
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or first
    component = source.get("component") or obj.get("reportingComponent") or ""
    where = ", ".join(filter(None, (component, source.get("host"))))
    about = f"{str(involved.get('kind') or '').lower()}/{involved.get('name') or ''}"
    return [
        age(last, now),
        obj.get("type", ""),
        obj.get("reason", ""),
        about,
        involved.get("fieldPath", ""),
        where,
        str(obj.get("message") or "").strip(),
        age(first, now),
        series.get("count") or obj.get("count") or 1,
        obj["metadata"].get("name", ""),
    ]


LEASE = (Column("Holder"), Column("Age"))


def lease(obj: Object, now: datetime) -> list[Any]:
    return [(obj.get("spec") or {}).get("holderIdentity") or "", _age(obj, now)]


SERVICE_CIDR = (Column("CIDRs"), Column("Age"))


def service_cidr(obj: Object, now: datetime) -> list[Any]:
    return [",".join((obj.get("spec") or {}).get("cidrs") or []), _age(obj, now)]


DEFINITION = (Column("Created At", "date"),)


def definition(obj: Object, now: datetime) -> list[Any]:
    return [obj["metadata"].get("creationTimestamp")]


WEBHOOKS = (Column("Webhooks", _INTEGER), Column("Age"))


def webhooks(obj: Object, now: datetime) -> list[Any]:
    return [len(obj.get("webhooks") or []), _age(obj, now)]


ROLE = (Column("Created At", "date"),)


def role(obj: Object, now: datetime) -> list[Any]:
    return [obj["metadata"].get("creationTimestamp")]


ROLE_BINDING = (
    Column("Role"),
    Column("Age"),
    Column("Users", priority=1),
    Column("Groups", priority=1),
    Column("ServiceAccounts", priority=1),
)


def role_binding(obj: Object, now: datetime) -> list[Any]:
    target = obj.get("roleRef") or {}
    names: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or []:
        within = f"{subject.get('namespace', '')}/" if subject["kind"] == "ServiceAccount" else ""
        names.setdefault(subject["kind"], []).append(within + subject["name"])
    listed = [", ".join(found) for found in names.values()][:3]
    return [f"{target.get('kind')}/{target.get('name')}", _age(obj, now), *listed]


DISRUPTION_BUDGET = (
    Column("Min Available"),
    Column("Max Unavailable"),
    Column("Allowed Disruptions", _INTEGER),
    Column("Age"),
)


def disruption_budget(obj: Object, now: datetime) -> list[Any]:
    spec, allowed = obj.get("spec") or {}, (obj.get("status") or {}).get("disruptionsAllowed", 0)
    bounds = [str(spec.get(name, "N/A")) for name in ("minAvailable", "maxUnavailable")]
    return [*bounds, allowed, _age(obj, now)]


AGE_ONLY = (Column("Age"),)


def age_only(obj: Object, now: datetime) -> list[Any]:
    return [_age(obj, now)]
