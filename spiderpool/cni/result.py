"""CNI results as values, and as JSON of each version of the specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spiderpool.cni.versions import NEWEST, at_least
from spiderpool.errors import BadInput
from spiderpool.types.address import (
    Address,
    InterfaceAddress,
    Prefix,
    family_of,
    network_of,
    parse_address,
    parse_interface_address,
)
from spiderpool.types.names import IfName


@dataclass(frozen=True, slots=True)
class Interface:
    """One entry of ``interfaces``; ``sandbox`` is empty for a link in the host."""

    name: IfName
    mac: str = ""
    sandbox: str = ""
    mtu: int = 0
    socket_path: str = ""
    pci_id: str = ""


@dataclass(frozen=True, slots=True)
class IpConfig:
    """One entry of ``ips``; ``interface`` is an index into ``interfaces``."""

    address: InterfaceAddress
    gateway: Address | None = None
    interface: int | None = None


@dataclass(frozen=True, slots=True)
class ResultRoute:
    """One entry of ``routes``; a route without ``gw`` goes by the gateway of the address."""

    dst: Prefix
    gw: Address | None = None
    mtu: int | None = None
    advmss: int | None = None
    priority: int | None = None
    table: int | None = None
    scope: int | None = None


@dataclass(frozen=True, slots=True)
class Dns:
    """``dns``, for the runtime's resolv.conf."""

    nameservers: tuple[str, ...] = ()
    domain: str = ""
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CniResult:
    """The success type of CNI spec 1.1.0, section 5, "ADD Success"."""

    interfaces: tuple[Interface, ...] = ()
    ips: tuple[IpConfig, ...] = ()
    routes: tuple[ResultRoute, ...] = ()
    dns: Dns = Dns()

    def to_json(self, version: str = NEWEST) -> dict[str, Any]:
        """The JSON object of that version: 0.x has ``ips[].version``, 1.1.0 has more fields."""
        answer: dict[str, Any] = {"cniVersion": version}
        if self.interfaces:
            answer["interfaces"] = [_interface_json(item, version) for item in self.interfaces]
        if self.ips:
            answer["ips"] = [_ip_json(item, version) for item in self.ips]
        if self.routes:
            answer["routes"] = [_route_json(item, version) for item in self.routes]
        answer["dns"] = _without_empty(
            {
                "nameservers": list(self.dns.nameservers),
                "domain": self.dns.domain,
                "search": list(self.dns.search),
                "options": list(self.dns.options),
            }
        )
        return answer


def result_from_json(obj: object, where: str = "prevResult") -> CniResult:
    """A result of any supported version; fields that the specification lacks are dropped.

    Raises:
        BadInput: naming ``where`` and the field.
    """
    fields = _mapping(obj, where)
    result = CniResult(
        interfaces=tuple(
            _interface(item, f"{where}.interfaces[{index}]")
            for index, item in enumerate(_list(fields, "interfaces", where))
        ),
        ips=tuple(
            _ip(item, f"{where}.ips[{index}]")
            for index, item in enumerate(_list(fields, "ips", where))
        ),
        routes=tuple(
            _route(item, f"{where}.routes[{index}]")
            for index, item in enumerate(_list(fields, "routes", where))
        ),
        dns=_dns(_mapping(fields.get("dns") or {}, f"{where}.dns"), f"{where}.dns"),
    )
    for index, ip in enumerate(result.ips):
        if ip.interface is not None and not 0 <= ip.interface < len(result.interfaces):
            raise BadInput(
                f"{where}.ips[{index}].interface",
                f"{ip.interface} is no index into interfaces, which has {len(result.interfaces)}",
            )
    return result


def _interface_json(item: Interface, version: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"name": item.name, "mac": item.mac, "sandbox": item.sandbox}
    if at_least(version, "1.1.0"):
        answer |= {"mtu": item.mtu, "socketPath": item.socket_path, "pciID": item.pci_id}
    return _without_empty(answer)


def _ip_json(item: IpConfig, version: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"address": item.address}
    if not at_least(version, "1.0.0"):
        answer["version"] = str(family_of(item.address).number)
    if item.gateway is not None:
        answer["gateway"] = item.gateway
    if item.interface is not None:
        answer["interface"] = item.interface
    return answer


def _route_json(item: ResultRoute, version: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"dst": item.dst, "gw": item.gw}
    if at_least(version, "1.1.0"):
        answer |= {
            "mtu": item.mtu,
            "advmss": item.advmss,
            "priority": item.priority,
            "table": item.table,
            "scope": item.scope,
        }
    return {key: value for key, value in answer.items() if value is not None}


def _without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value}


def _interface(obj: object, where: str) -> Interface:
    fields = _mapping(obj, where)
    return Interface(
        name=IfName(_text(fields, "name", where)),
        mac=_text(fields, "mac", where).lower(),
        sandbox=_text(fields, "sandbox", where),
        mtu=_number(fields, "mtu", where) or 0,
        socket_path=_text(fields, "socketPath", where),
        pci_id=_text(fields, "pciID", where),
    )


def _ip(obj: object, where: str) -> IpConfig:
    fields = _mapping(obj, where)
    gateway = _text(fields, "gateway", where)
    return IpConfig(
        address=parse_interface_address(_text(fields, "address", where), f"{where}.address"),
        gateway=parse_address(gateway, f"{where}.gateway") if gateway else None,
        interface=_number(fields, "interface", where),
    )


def _route(obj: object, where: str) -> ResultRoute:
    fields = _mapping(obj, where)
    gateway = _text(fields, "gw", where)
    destination = parse_interface_address(_text(fields, "dst", where), f"{where}.dst")
    return ResultRoute(
        dst=network_of(destination),
        gw=parse_address(gateway, f"{where}.gw") if gateway else None,
        mtu=_number(fields, "mtu", where),
        advmss=_number(fields, "advmss", where),
        priority=_number(fields, "priority", where),
        table=_number(fields, "table", where),
        scope=_number(fields, "scope", where),
    )


def _dns(fields: Mapping[str, Any], where: str) -> Dns:
    return Dns(
        nameservers=_texts(fields, "nameservers", where),
        domain=_text(fields, "domain", where),
        search=_texts(fields, "search", where),
        options=_texts(fields, "options", where),
    )


def _mapping(obj: object, where: str) -> Mapping[str, Any]:
    if not isinstance(obj, Mapping):
        raise BadInput(where, "is not a JSON object")
    return obj


def _list(fields: Mapping[str, Any], key: str, where: str) -> list[object]:
    value = fields.get(key) or []
    if not isinstance(value, list):
        raise BadInput(f"{where}.{key}", "is not a list")
    return value


def _text(fields: Mapping[str, Any], key: str, where: str) -> str:
    value = fields.get(key) or ""
    if not isinstance(value, str):
        raise BadInput(f"{where}.{key}", f"{value!r} is not a string")
    return value


def _texts(fields: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    values = _list(fields, key, where)
    for index, value in enumerate(values):
        if not isinstance(value, str):
            raise BadInput(f"{where}.{key}[{index}]", f"{value!r} is not a string")
    return tuple(str(value) for value in values)


def _number(fields: Mapping[str, Any], key: str, where: str) -> int | None:
    value = fields.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise BadInput(f"{where}.{key}", f"{value!r} is not a whole number")
    return value
