"""What is filled in or rewritten before an object is stored.

Objects come here before their schema is checked, so whatever is not as it should be is left
for the schema and the rules to refuse. The reconcilers do the same to objects that were
stored while no webhook answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from spiderpool.controller.admission.findings import Object
from spiderpool.controller.admission.injection import INJECTS
from spiderpool.controller.admission.selectors import LABEL_VALUE
from spiderpool.errors import BadInput
from spiderpool.ipam.autopools import OWNER_SUBNET, label_value
from spiderpool.ipam.ranges import parse
from spiderpool.multus.old_names import modernised
from spiderpool.types.address import (
    family_of,
    network_of,
    parse_interface_address,
    parse_prefix,
)
from spiderpool.types.metadata import FINALIZER

POOL_CIDR = "ipam.spidernet.io/ippool-cidr"
SUBNET_CIDR = "ipam.spidernet.io/subnet-cidr"

Defaulted = tuple[Object, tuple[str, ...]]
"""The object as it is to be stored, and warnings."""


def default_pool(obj: Object) -> Defaulted:
    """ipVersion, merged ranges, the label with the CIDR, the finalizer."""
    return _default_subnetted(obj, POOL_CIDR), ()


def default_subnet(obj: Object) -> Defaulted:
    """As :func:`default_pool`."""
    return _default_subnetted(obj, SUBNET_CIDR), ()


def default_reserved(obj: Object) -> Defaulted:
    """ipVersion by the first item, merged ranges."""
    spec = _spec(obj)
    items = spec.get("ips")
    first = items[0] if isinstance(items, list) and items else None
    if not isinstance(first, str):
        return obj, ()
    version = spec.get("ipVersion") or family_of(first).number
    return obj | {"spec": spec | {"ipVersion": version} | _merged(spec, "ips", version)}, ()


def default_coordinator(obj: Object) -> Defaulted:
    """Addresses in lists of CIDRs become CIDRs; the finalizer."""
    spec = _spec(obj)
    changes: Object = {}
    for field in ("hijackCIDR", "overlayPodCIDR", "serviceCIDR"):
        if isinstance(spec.get(field), list):
            changes[field] = [_network(item) for item in spec[field]]
    if isinstance(spec.get("policyRoutes"), list):
        changes["policyRoutes"] = [
            route | {"dst": _network(route.get("dst"))} if isinstance(route, dict) else route
            for route in spec["policyRoutes"]
        ]
    if spec.get("mode") == "disable":
        changes["mode"] = "disabled"
    return with_finalizer(obj | {"spec": spec | changes} if changes else obj), ()


def default_multusconfig(obj: Object) -> Defaulted:
    """Old names become new ones; annotations that pods select by become labels."""
    modern, warnings = modernised(obj)
    annotations = modern["metadata"].get("annotations") or {}
    labels = {key: annotations[key] for key in INJECTS if _is_label(annotations.get(key))}
    return (_with_labels(modern, labels) if labels else modern), warnings


DEFAULTS: dict[str, Callable[[Object], Defaulted]] = {
    "spiderippools": default_pool,
    "spidersubnets": default_subnet,
    "spiderreservedips": default_reserved,
    "spidercoordinators": default_coordinator,
    "spidermultusconfigs": default_multusconfig,
}


def defaulted(plural: str, obj: Object, subnets: Iterable[Object]) -> Defaulted:
    """The object of a kind as it is to be stored, where these are the SpiderSubnets."""
    new, warnings = DEFAULTS[plural](obj)
    return (_of_subnet(obj, new, subnets) if plural == "spiderippools" else new), warnings


def _of_subnet(obj: Object, new: Object, subnets: Iterable[Object]) -> Object:
    """A new pool in the network of a SpiderSubnet is labelled as its, and has gateway and
    routes of it unless it names its own. One that was completed before (it has our finalizer)
    stays as its owner wants it."""
    spec = _spec(new)
    own = [s for s in subnets if _spec(s).get("subnet") == spec.get("subnet")]
    is_known = FINALIZER in (obj["metadata"].get("finalizers") or [])
    if not own or is_known or obj["metadata"].get("deletionTimestamp"):
        return new
    (subnet, *_) = own
    taken = {
        field: _spec(subnet)[field]
        for field in ("gateway", "routes")
        if not spec.get(field) and _spec(subnet).get(field)
    }
    filled = new | {"spec": spec | taken}
    if OWNER_SUBNET in (new["metadata"].get("labels") or {}):
        return filled
    return _with_labels(filled, {OWNER_SUBNET: label_value(subnet["metadata"]["name"])})


def with_finalizer(obj: Object) -> Object:
    """The object with our finalizer, unless it is on its way out."""
    metadata = obj["metadata"]
    finalizers = metadata.get("finalizers") or []
    if metadata.get("deletionTimestamp") or FINALIZER in finalizers:
        return obj
    return obj | {"metadata": metadata | {"finalizers": [*finalizers, FINALIZER]}}


def _default_subnetted(obj: Object, label: str) -> Object:
    spec = _spec(obj)
    try:
        subnet = parse_prefix(str(spec.get("subnet")), "spec.subnet")
    except BadInput:
        return obj
    version = spec.get("ipVersion") or family_of(subnet).number
    changes = {"ipVersion": version}
    changes |= _merged(spec, "ips", version) | _merged(spec, "excludeIPs", version)
    value = re.sub(r"[.:/]", "-", subnet)
    labelled = _with_labels(obj, {label: value}) if _is_label(value) else obj
    return with_finalizer(labelled | {"spec": spec | changes})


def _merged(spec: Object, field: str, version: Any) -> Object:
    """The field with its ranges sorted and joined, where there is more than one."""
    items, subnet_like = spec.get(field), "::" if version == 6 else "0.0.0.0"  # noqa: S104
    if not isinstance(items, list) or len(items) < 2:
        return {}
    try:
        return {field: list(parse(map(str, items), family_of(subnet_like), field).text())}
    except BadInput:
        return {}


def _network(item: Any) -> Any:
    """A CIDR in canonical form; what cannot be read stays as it is."""
    try:
        return network_of(parse_interface_address(item, "")) if isinstance(item, str) else item
    except BadInput:
        return item


def _spec(obj: Object) -> Object:
    spec = obj.get("spec")
    return spec if isinstance(spec, dict) else {}


def _with_labels(obj: Object, labels: dict[str, str]) -> Object:
    metadata = obj["metadata"]
    return obj | {"metadata": metadata | {"labels": (metadata.get("labels") or {}) | labels}}


def _is_label(value: Any) -> bool:
    return isinstance(value, str) and bool(LABEL_VALUE.fullmatch(value))
