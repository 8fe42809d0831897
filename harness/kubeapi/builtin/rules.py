"""What built-in kinds forbid, beyond the types of their fields: answers of status 422.

The rules are those that a mistake in a manifest, or in one of our components, would break.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any

from harness.kubeapi import causes, crds
from harness.kubeapi.names import label_causes, labels_causes
from harness.kubeapi.objects import Object
from harness.kubeapi.selectors import selector_predicate
from harness.kubeapi.status import Cause

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_DATA_BYTES = 1024 * 1024
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_CONFIG_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def field_causes(obj: Object, old: Object | None) -> list[Cause]:
    """What is wrong with the object, or with what it changes of ``old``."""
    check = _RULES.get(obj["kind"])
    return list(check(obj, old)) if check else []


def _immutable(path: str, obj: Object, old: Object | None) -> Iterator[Cause]:
    if old is None:
        return
    new_value, old_value = _at(obj, path), _at(old, path)
    if new_value != old_value:
        yield causes.invalid_value(path, new_value, "field is immutable")


def _at(obj: Object, path: str) -> Any:
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _data(obj: Object, old: Object | None) -> Iterator[Cause]:
    sizes = (
        len(value) for name in ("data", "binaryData") for value in (obj.get(name) or {}).values()
    )
    if sum(sizes) > _DATA_BYTES:
        yield causes.too_long("[]", _DATA_BYTES)
    for field in ("data", "binaryData"):
        for key in obj.get(field) or {}:
            if not _CONFIG_KEY.fullmatch(key):
                yield causes.invalid_value(f"{field}[{key}]", key, _CONFIG_KEY_RULE)
    if old and old.get("immutable"):
        for field in ("data", "binaryData", "immutable"):
            if obj.get(field) != old.get(field):
                detail = "field is immutable when `immutable` is set"
                yield causes.forbidden_field(field, detail)


def _secret(obj: Object, old: Object | None) -> Iterator[Cause]:
    yield from _data(obj, old)
    yield from _immutable("type", obj, old)


def _pod(obj: Object, old: Object | None) -> Iterator[Cause]:
    if "spec" not in obj:
        yield causes.required("spec.containers")
        return
    yield from _pod_spec(obj["spec"], "spec")
    if old is None:
        return
    if len(obj["spec"].get("containers") or ()) != len(old["spec"].get("containers") or ()):
        detail = "pod updates may not add or remove containers"
        yield causes.forbidden_field("spec.containers", detail)
    elif _fixed_part(obj["spec"]) != _fixed_part(old["spec"]):
        detail = (
            "pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
            "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
            "(allow it to be set to 1 if it was previously negative)"
        )
        yield causes.forbidden_field("spec", detail)


def _fixed_part(spec: Object) -> Object:
    free = ("activeDeadlineSeconds", "tolerations", "containers", "initContainers",
            "ephemeralContainers", "schedulingGates", "priority", "preemptionPolicy")  # fmt: skip
    fixed = {name: value for name, value in spec.items() if name not in free}
    for field in ("containers", "initContainers"):
        fixed[field] = [
            {name: value for name, value in container.items() if name not in ("image", "resources")}
            for container in spec.get(field) or []
        ]
    return fixed


def _pod_spec(spec: Object, field: str) -> Iterator[Cause]:
    if not spec.get("containers"):
        yield causes.required(f"{field}.containers")
    seen: set[str] = set()
    for group in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(group) or []):
            yield from _container(container, f"{field}.{group}[{index}]", seen)
    policies, policy = ("Always", "OnFailure", "Never"), spec.get("restartPolicy", "Always")
    if policy not in policies:
        yield causes.unsupported(f"{field}.restartPolicy", policy, policies)
    volumes = {volume.get("name") for volume in spec.get("volumes") or []}
    for index, container in enumerate(spec.get("containers") or []):
        for at, mount in enumerate(container.get("volumeMounts") or []):
            if mount.get("name") not in volumes:
                where = f"{field}.containers[{index}].volumeMounts[{at}].name"
                yield Cause(
                    "FieldValueNotFound", f"Not found: {causes.shown(mount.get('name'))}", where
                )


def _container(container: Object, field: str, seen: set[str]) -> Iterator[Cause]:
    name = container.get("name") or ""
    if not name:
        yield causes.required(f"{field}.name")
    else:
        yield from label_causes(name, f"{field}.name")
    if name and name in seen:
        yield causes.duplicate(f"{field}.name", name)
    seen.add(name)
    if not container.get("image"):
        yield causes.required(f"{field}.image")
    for index, port in enumerate(container.get("ports") or []):
        where = f"{field}.ports[{index}].containerPort"
        if port.get("containerPort"):
            yield from _port_number(port["containerPort"], where)
        else:
            yield causes.required(where)
        yield from _protocol(port, f"{field}.ports[{index}]")


def _port_number(number: Any, field: str) -> Iterator[Cause]:
    if not 1 <= number <= 65535:
        yield causes.invalid_value(field, number, "must be between 1 and 65535, inclusive")


def _protocol(port: Object, field: str) -> Iterator[Cause]:
    if port.get("protocol") not in _PROTOCOLS:
        yield causes.unsupported(f"{field}.protocol", port.get("protocol"), _PROTOCOLS)


def _workload(obj: Object, old: Object | None) -> Iterator[Cause]:
    """Deployments, ReplicaSets, StatefulSets and DaemonSets."""
    spec = obj.get("spec") or {}
    selector, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    if selector is None:
        yield causes.required("spec.selector")
    elif not selector:
        yield causes.invalid_value(
            "spec.selector", selector, "empty selector is invalid for deployment"
        )
    if selector is None or (selector and not selector_predicate(selector)(labels or {})):
        detail = "`selector` does not match template `labels`"
        yield causes.invalid_value("spec.template.metadata.labels", labels, detail)
    yield from labels_causes(labels or {}, "spec.template.metadata.labels")
    replicas = spec.get("replicas", 0)
    if replicas < 0:
        detail = "must be greater than or equal to 0"
        yield causes.invalid_value("spec.replicas", replicas, detail)
    yield from _template(template)
    yield from _immutable("spec.selector", obj, old)


def _template(template: Object) -> Iterator[Cause]:
    spec = template.get("spec") or {}
    yield from _pod_spec(spec, "spec.template.spec")
    if spec.get("restartPolicy") not in (None, "Always"):
        where = "spec.template.spec.restartPolicy"
        yield causes.unsupported(where, spec.get("restartPolicy"), ("Always",))


def _stateful_set(obj: Object, old: Object | None) -> Iterator[Cause]:
    yield from _workload(obj, old)
    if old is not None and _fixed_state(obj["spec"]) != _fixed_state(old["spec"]):
        detail = (
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
            "'template', 'updateStrategy', 'revisionHistoryLimit', "
            "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        )
        yield causes.forbidden_field("spec", detail)


def _fixed_state(spec: Object) -> Object:
    free = ("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy", "minReadySeconds", "selector")  # fmt: skip
    return {name: value for name, value in spec.items() if name not in free}


def _cron_job(obj: Object, old: Object | None) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if not spec.get("schedule"):
        yield causes.required("spec.schedule")
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    yield from _job_template(job, "spec.jobTemplate.spec.template.spec")


def _job_template(job: Object, field: str) -> Iterator[Cause]:
    spec = (job.get("template") or {}).get("spec") or {}
    yield from _pod_spec(spec, field)
    if spec.get("restartPolicy", "Always") == "Always":
        detail = 'valid values: "OnFailure", "Never"'
        yield causes.required(f"{field}.restartPolicy", detail)


def _job(obj: Object, old: Object | None) -> Iterator[Cause]:
    yield from _job_template(obj.get("spec") or {}, "spec.template.spec")
    yield from _immutable("spec.completions", obj, old)
    yield from _immutable("spec.template", obj, old)


def _service(obj: Object, old: Object | None) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    yield from labels_causes(spec.get("selector") or {}, "spec.selector")
    types = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
    if spec.get("type") not in types:
        yield causes.unsupported("spec.type", spec.get("type"), types)
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        yield causes.required("spec.ports")
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        field = f"spec.ports[{index}]"
        if len(ports) > 1 and not port.get("name"):
            yield causes.required(f"{field}.name")
        yield from _port_number(port.get("port"), f"{field}.port")
        if isinstance(port.get("targetPort"), int):
            yield from _port_number(port["targetPort"], f"{field}.targetPort")
        yield from _protocol(port, field)
        identity = (port.get("protocol", ""), port.get("port", 0))
        if identity in seen:
            yield causes.duplicate(field, {"port": identity[1], "protocol": identity[0]})
        seen.add(identity)
    yield from _cluster_addresses(spec, old)


def _cluster_addresses(spec: Object, old: Object | None) -> Iterator[Cause]:
    addresses = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    for index, address in enumerate(addresses):
        if address != "None" and not _is_address(address):
            detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            yield causes.invalid_value(f"spec.clusterIPs[{index}]", address, detail)
    before = ((old or {}).get("spec") or {}).get("clusterIP")
    kept = spec.get("type") != "ExternalName" and spec.get("clusterIP")
    if before and kept and spec["clusterIP"] != before:
        detail = "may not change once set"
        yield causes.invalid_value("spec.clusterIPs[0]", [spec["clusterIP"]], detail)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _endpoint_slice(obj: Object, old: Object | None) -> Iterator[Cause]:
    kinds = ("FQDN", "IPv4", "IPv6")
    if not obj.get("addressType"):
        yield causes.required("addressType")
    elif obj["addressType"] not in kinds:
        yield causes.unsupported("addressType", obj.get("addressType"), kinds)
    yield from _immutable("addressType", obj, old)
    for index, endpoint in enumerate(obj.get("endpoints") or []):
        if not endpoint.get("addresses"):
            detail = "must contain at least 1 address"
            yield causes.required(f"endpoints[{index}].addresses", detail)


def _event(obj: Object, old: Object | None) -> Iterator[Cause]:
    involved = (obj.get("involvedObject") or {}).get("namespace") or ""
    namespace = obj["metadata"].get("namespace")
    if involved != namespace and (involved or namespace != "default"):
        detail = "does not match event.namespace"
        yield causes.invalid_value("involvedObject.namespace", involved, detail)


def _definition(obj: Object, old: Object | None) -> Iterator[Cause]:
    yield from crds.crd_causes(obj)
    for path in ("spec.group", "spec.names.plural", "spec.names.kind", "spec.scope"):
        yield from _immutable(path, obj, old)


_RULES: dict[str, Callable[[Object, Object | None], Iterator[Cause]]] = {
    "ConfigMap": _data,
    "Secret": _secret,
    "Pod": _pod,
    "Deployment": _workload,
    "ReplicaSet": _workload,
    "StatefulSet": _stateful_set,
    "DaemonSet": _workload,
    "Job": _job,
    "CronJob": _cron_job,
    "Service": _service,
    "EndpointSlice": _endpoint_slice,
    "Event": _event,
    "CustomResourceDefinition": _definition,
}
