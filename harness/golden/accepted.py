"""Why we refuse what upstream accepts: rules, each of which sees for itself that the field
that we name cannot work."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from harness.golden.compare import Leaf, Rules

Object = dict[str, Any]

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_TABLES_OF_THE_KERNEL = (253, 254, 255)
_LARGEST_TABLE = 2**32 - 1
_LONGEST_LINK_NAME = 15


@dataclass(frozen=True, slots=True)
class Cause:
    """A field, and why it is refused."""

    field: str
    message: str


def value_of(obj: Object, field: str) -> Any:
    """What lies at ``spec.ips[0]``; None when nothing does."""
    value: Any = obj
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", field):
        try:
            value = value[name] if name else value[int(index)]
        except (LookupError, TypeError):
            return None
    return value


def _field(pattern: str, is_wrong: Callable[[Any], bool]) -> Callable[[Leaf, Object], bool]:
    """Ours refuses a field of that name, whose value is wrong indeed."""

    def holds(leaf: Leaf, obj: Object) -> bool:
        return bool(re.fullmatch(pattern, leaf.path)) and is_wrong(value_of(obj, leaf.path))

    return holds


def _runs_backwards(value: Any) -> bool:
    first, _, last = str(value).partition("-")
    try:
        return int(ip_address(first)) > int(ip_address(last))
    except ValueError:
        return False


def _is_no_table(value: Any) -> bool:
    if not isinstance(value, int):
        return False
    return not 1 <= value <= _LARGEST_TABLE or value in _TABLES_OF_THE_KERNEL


def _bond_of_one(leaf: Leaf, obj: Object) -> bool:
    kind = re.fullmatch(r"(spec\.\w+)\.(?:master|bond)", leaf.path)
    section = value_of(obj, kind[1]) if kind else None
    return isinstance(section, Mapping) and bool(section.get("bond")) and _masters(section) == 1


def _masters(section: Mapping[str, Any]) -> int:
    return len(section.get("master") or ())


def _manual_vlan_without_id(leaf: Leaf, obj: Object) -> bool:
    vlan = value_of(obj, "spec.vlan") or {}
    manual = vlan.get("vlanMode", "manual") == "manual"
    return leaf.path == "spec.vlan.vlanID" and manual and not vlan.get("vlanID")


def _vlan_name_too_long(leaf: Leaf, obj: Object) -> bool:
    kind = re.fullmatch(r"(spec\.\w+)\.(?:master(?:\[\d+\])?|vlanID|bond\.name)", leaf.path)
    section = value_of(obj, kind[1]) if kind else None
    if not isinstance(section, Mapping) or not section.get("vlanID"):
        return False
    bond = section.get("bond") or {}
    parents = [bond.get("name", "")] if bond else section.get("master") or ()
    return any(len(f"{parent}.{section['vlanID']}") > _LONGEST_LINK_NAME for parent in parents)


def _is_no_link_name(value: Any) -> bool:
    text = str(value or "")
    plain = re.fullmatch(r"[^/\s:]{1,15}", text) is not None
    return not plain or text in (".", "..")


def _is_no_pair(value: Any) -> bool:
    return any(option.count("=") != 1 for option in str(value).split(";") if option)


def _names_no_vlan(value: Any) -> bool:
    return isinstance(value, Mapping) and not {"id", "minID", "maxID"} & set(value)


RULES: Rules[Object] = {
    "possible-tables-only": _field(r"spec\.(coordinator\.)?hostRuleTable", _is_no_table),
    "ranges-run-forward": _field(r"spec\.(ips|excludeIPs)\[\d+\]", _runs_backwards),
    "multus-names-are-names": _field(
        r"spec\.multusName\[\d+\]", lambda value: str(value).count("/") > 1
    ),
    "known-operators-only": _field(
        r"spec\.\w+Affinity\.matchExpressions\[\d+\]\.operator",
        lambda value: value not in _OPERATORS,
    ),
    "a-bond-is-of-several": _bond_of_one,
    "ovs-needs-a-bridge": _field(r"spec\.ovs\.bridge", lambda value: not value),
    "manual-vlan-needs-its-id": _manual_vlan_without_id,
    "vlan-names-fit": _vlan_name_too_long,
    "link-names-are-names": _field(
        r"spec\.\w+\.(master\[\d+\]|bond\.name|bridge)|spec\.(coordinator\.)?podDefaultRouteNIC",
        _is_no_link_name,
    ),
    "each-master-once": _field(r"spec\.\w+\.master", lambda value: len(set(value)) < len(value)),
    "bond-options-are-pairs": _field(r"spec\.\w+\.bond\.options", _is_no_pair),
    "a-trunk-names-vlans": _field(r"spec\.ovs\.trunk\[\d+\]", _names_no_vlan),
}
