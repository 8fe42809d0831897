"""The ``ipam`` object of a CNI network configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spiderpool.errors import BadInput
from spiderpool.ipam.annotations import Lists
from spiderpool.types.address import Family
from spiderpool.types.names import PoolName

KEYS = {Family.V4: "default_ipv4_ippool", Family.V6: "default_ipv6_ippool"}


@dataclass(frozen=True, slots=True)
class IpamConf:
    """Pools for NICs whose pod and namespace say nothing; ``clean_gateway``: no default route."""

    pools: Lists
    clean_gateway: bool = False


def read_conf(config: Mapping[str, Any]) -> IpamConf:
    """The ``ipam`` object of ``config``; keys that others use are left alone.

    Raises:
        BadInput: naming network and field.
    """
    where = f"network configuration {config.get('name', '')}: ipam"
    ipam = config.get("ipam") or {}
    if not isinstance(ipam, Mapping):
        raise BadInput(where, "is not an object", 'write {"type":"spiderpool"}')
    pools = {}
    for family, key in KEYS.items():
        names = ipam.get(key) or []
        if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
            raise BadInput(f"{where}.{key}", "is not a list of names", 'write ["pool-name"]')
        if names:
            pools[family] = tuple(PoolName(name) for name in names)
    clean = ipam.get("clean_gateway") or False
    if not isinstance(clean, bool):
        raise BadInput(f"{where}.clean_gateway", f"{clean!r} is not true or false")
    return IpamConf(pools, clean)
