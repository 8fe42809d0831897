"""The ``ipam`` object of a CNI network configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from posixpath import normpath
from typing import Any

from spiderpool.errors import BadInput, CniCode, CniError
from spiderpool.ipam.annotations import Lists, pool_names
from spiderpool.types.address import Family, Prefix
from spiderpool.types.names import IfName

DETECT_IP_CONFLICT = "detect_ip_conflict"
KEYS = {Family.V4: "default_ipv4_ippool", Family.V6: "default_ipv6_ippool"}
OF_LOGS = ("log_level", "log_file_path", "log_file_max_size", "log_file_max_age",
           "log_file_max_count")  # fmt: skip
"""Upstream's keys that have no effect: the agent writes the log, and says of which level."""
SOCKET = "ipam_unix_socket_path"
"""Has none either: the plugin is installed with the path of its agent's socket."""
RUN_FOLDERS = ("/var/run/spidernet/", "/run/spidernet/")
_KNOWN = {
    key.replace("_", ""): key
    for key in (
        *("type", *KEYS.values(), "clean_gateway", "match_master_subnet", DETECT_IP_CONFLICT),
        *(*OF_LOGS, SOCKET),
    )
}
"""Without what divides words -> as it is written."""


@dataclass(frozen=True, slots=True)
class Master:
    """The node's NIC that a pod's one belongs to, and the networks that it has addresses in."""

    name: IfName
    networks: frozenset[Prefix]


@dataclass(frozen=True, slots=True)
class IpamConf:
    """Pools for NICs whose pod and namespace say nothing; ``clean_gateway``: no default route;
    ``match_master``: only pools of the networks of ``master``, once that is known;
    ``detect_ip_conflict``: nobody else may have the address, as far as the wire tells;
    ``ignored``: keys that were given and have no effect."""

    pools: Lists
    clean_gateway: bool = False
    match_master: bool = False
    master: Master | None = None
    detect_ip_conflict: bool = False
    ignored: tuple[str, ...] = ()


def read_conf(config: Mapping[str, Any]) -> IpamConf:
    """The ``ipam`` object of ``config``; keys that others use are left alone.

    Raises:
        BadInput: naming network and field.
        CniError: 2, for a key that is one of ours but for a slip of the pen.
    """
    where = f"network configuration {config.get('name', '')}: ipam"
    ipam = config.get("ipam")
    if not isinstance(ipam, Mapping):
        problem = "is missing" if ipam is None else "is not an object"
        raise BadInput(where, problem, 'write {"type":"spiderpool"}')
    for key in ipam.keys() - _KNOWN.values():
        _check_spelling(key, where)
    _check_socket(ipam.get(SOCKET), f"{where}.{SOCKET}")
    pools = {}
    for family, key in KEYS.items():
        if names := pool_names(ipam.get(key) or [], f"{where}.{key}"):
            pools[family] = names
    clean = _flag(ipam, "clean_gateway", where)
    return IpamConf(
        pools,
        clean,
        match_master=_flag(ipam, "match_master_subnet", where),
        detect_ip_conflict=_flag(ipam, DETECT_IP_CONFLICT, where),
        ignored=tuple(key for key in OF_LOGS if key in ipam),
    )


def _check_spelling(key: str, where: str) -> None:
    meant = get_close_matches(key.replace("_", "").lower(), _KNOWN, n=1, cutoff=0.9)
    if meant:
        words = f"{where}.{key}: is unknown; did you mean {_KNOWN[meant[0]]}?"
        raise CniError(CniCode.UNSUPPORTED_FIELD, words)


def _check_socket(path: object, where: str) -> None:
    """One elsewhere is never asked, and is not passed over in silence."""
    if path and not (isinstance(path, str) and normpath(path).startswith(RUN_FOLDERS)):
        problem = f"{path!r} is not below {RUN_FOLDERS[0]}"
        raise BadInput(where, problem, "leave it out: the plugin knows its agent's socket")


def _flag(ipam: Mapping[str, Any], key: str, where: str) -> bool:
    value = ipam.get(key) or False
    if not isinstance(value, bool):
        raise BadInput(f"{where}.{key}", f"{value!r} is not true or false")
    return value
