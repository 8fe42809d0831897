"""Names of releases before v0.6, read as what they are called now.

Works on JSON, since the webhook answers with changes to the object as it was sent.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from spiderpool.types.metadata import read
from spiderpool.types.modes import CniType
from spiderpool.types.multusconfig import BLOCKS, SpiderMultusConfig

Object = dict[str, Any]

_POOLS = {"IPv4IPPool": "ipv4", "IPv6IPPool": "ipv6"}


def read_network(obj: Object) -> tuple[SpiderMultusConfig, tuple[str, ...]]:
    """A SpiderMultusConfig, whatever names it uses, and the warnings of :func:`modernised`.

    Raises:
        BadInput: naming object and field.
    """
    modern, warnings = modernised(obj)
    return read(SpiderMultusConfig, modern), warnings


def modernised(obj: Object) -> tuple[Object, tuple[str, ...]]:
    """The object in today's names, and one warning for each old name that it used.

    Where old and new stand side by side, the new one counts. What is not as the schema
    wants it is left for the reader to complain about.
    """
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return obj, ()
    changes: Object = {}
    warnings: list[str] = []
    for cni_type, name in BLOCKS.items():
        block = spec.get(name)
        if cni_type is not CniType.CUSTOM and _says(block, "spiderpoolConfigPools"):
            changes[name] = _with_pools(block)
            warnings.append(_warning(f"{name}.spiderpoolConfigPools", f"{name}.ippools"))
    if _says(settings := spec.get("coordinator"), "tuneMode"):
        changes["coordinator"] = _with_mode(settings)
        warnings.append(_warning("coordinator.tuneMode", "coordinator.mode"))
    return obj | {"spec": spec | changes}, tuple(warnings)


def _says(block: Any, key: str) -> TypeGuard[Object]:
    return isinstance(block, dict) and block.get(key) is not None


def _warning(old: str, new: str) -> str:
    return f"spec.{old} was renamed in v0.6: write spec.{new}"


def _with_pools(block: Object) -> Object:
    old = block["spiderpoolConfigPools"]
    new = block.get("ippools") or {}
    if not isinstance(old, dict) or not isinstance(new, dict):
        return block
    renamed = {_POOLS[key]: value for key, value in old.items() if key in _POOLS and value}
    said = {key: value for key, value in new.items() if value}
    rest = {key: value for key, value in block.items() if key != "spiderpoolConfigPools"}
    return rest | {"ippools": renamed | said}


def _with_mode(settings: Object) -> Object:
    rest = {key: value for key, value in settings.items() if key != "tuneMode"}
    return rest | {"mode": settings.get("mode") or settings["tuneMode"]}
