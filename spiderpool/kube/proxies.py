"""The proxy that the environment names for a server, by the rules of Go's clients.

Go: golang.org/x/net/http/httpproxy, Config; so of kubectl and of every other daemon.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def proxy_of(server: str, environ: Mapping[str, str]) -> str | None:
    """The proxy's URL for a server's URL; None where it is to be reached without one.

    HTTPS_PROXY or HTTP_PROXY by the server's scheme, but for this machine itself and for
    what NO_PROXY lists: ``*``, addresses, CIDRs, names with all below them; each may have a port.
    """
    url = urlsplit(server)
    proxy, host = _said(f"{url.scheme}_proxy", environ), url.hostname or ""
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    listed = _said("no_proxy", environ).split(",")
    if not proxy or _is_here(host) or any(_covers(item.strip(), host, port) for item in listed):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _said(name: str, environ: Mapping[str, str]) -> str:
    return environ.get(name.upper()) or environ.get(name) or ""


def _is_here(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _covers(item: str, host: str, port: int) -> bool:
    """Whether one item of NO_PROXY speaks of the host."""
    name, colon, wanted = item.rpartition(":")
    if colon and wanted.isdigit() and (":" not in name or name.startswith("[")):
        item = name if int(wanted) == port else ""
    item = item.strip("[]").lower()
    if address := _address(host):
        try:
            return item == "*" or address in ipaddress.ip_network(item, strict=False)
        except ValueError:
            return False
    return item == "*" or (bool(item) and f".{host}".endswith(f".{item.removeprefix('.')}"))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
