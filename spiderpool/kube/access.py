"""Where the API server is and how to prove who we are: kubeconfig files and in-cluster.

A kubeconfig with a token or certificates is read here, in milliseconds; the ``kubernetes``
package, half a second of imports, is loaded only when a user needs one of its
authentication plugins (``exec``, ``auth-provider``).
"""

from __future__ import annotations

import base64
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from spiderpool.errors import BadInput
from spiderpool.kube.proxies import proxy_of

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_FILE_SECONDS = 60.0
"""How long a token read from a file is used; kubelet rotates it long before it expires."""
PLUGIN_TOKEN_SECONDS = 600.0


class Credentials(Protocol):
    """Who we are, as the ``Authorization`` header says it."""

    async def authorization(self) -> str:
        """The header's value; empty when none is to be sent."""
        ...

    def refused(self) -> None:
        """The server answered 401: get the credentials anew next time."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """One API server: its URL without a trailing slash, TLS, proxy and credentials."""

    server: str
    tls: ssl.SSLContext | None
    credentials: Credentials
    proxy: str | None = None


class FixedCredentials:
    """A header that never changes: a bearer token, basic authentication, or none."""

    def __init__(self, header: str = "") -> None:
        self._header = header

    async def authorization(self) -> str:
        return self._header

    def refused(self) -> None:
        """Nothing newer can be had."""


class TokenFile:
    """A bearer token in a file that someone else rotates."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._header, self._expires = "", 0.0

    async def authorization(self) -> str:
        if time.monotonic() >= self._expires:
            self._header = f"Bearer {_token(self._path)}"
            self._expires = time.monotonic() + TOKEN_FILE_SECONDS
        return self._header

    def refused(self) -> None:
        self._expires = 0.0


class PluginCredentials:
    """A token from an authentication plugin, which the ``kubernetes`` package runs."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig
        self._header, self._expires = "", 0.0

    async def authorization(self) -> str:
        if time.monotonic() >= self._expires:
            self._header = await self._ask()
            self._expires = time.monotonic() + PLUGIN_TOKEN_SECONDS
        return self._header

    def refused(self) -> None:
        self._expires = 0.0

    async def _ask(self) -> str:
        from kubernetes.aio import client, config  # noqa: PLC0415 - slow, and rarely needed

        settings = client.Configuration()
        await config.load_kube_config(
            config_file=str(self._kubeconfig), client_configuration=settings, persist_config=False
        )
        header = settings.api_key.get("BearerToken", "")
        if not header:
            raise BadInput(
                f"{self._kubeconfig}: the current user",
                "its authentication plugin gave no token",
                "run `kubectl get nodes` with this file to see why; certificates from an "
                "exec plugin are not supported",
            )
        return str(header)


def find_access(kubeconfig: str | None) -> Access:
    """How to reach the API: the file given, else $KUBECONFIG, else this pod's service
    account, else ~/.kube/config.

    Raises:
        BadInput: naming the file and the field, when there is no usable configuration.
    """
    path = kubeconfig or os.environ.get("KUBECONFIG")
    if path:
        return read_kubeconfig(Path(path))
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return in_cluster(os.environ, SERVICE_ACCOUNT)
    return read_kubeconfig(Path.home() / ".kube" / "config")


def in_cluster(environ: Mapping[str, str], folder: Path) -> Access:
    """Access as a pod has it (Kubernetes: "Accessing the API from a Pod")."""
    host = environ["KUBERNETES_SERVICE_HOST"]
    host = f"[{host}]" if ":" in host else host
    port = environ.get("KUBERNETES_SERVICE_PORT", "443")
    server = f"https://{host}:{port}"
    try:
        tls = ssl.create_default_context(cadata=_read(folder / "ca.crt").decode())
    except (ssl.SSLError, ValueError) as exc:
        raise BadInput(str(folder / "ca.crt"), f"cannot be used: {exc}") from None
    return Access(server, tls, TokenFile(folder / "token"), proxy_of(server, environ))


def read_kubeconfig(path: Path) -> Access:
    """Access by the current context of one kubeconfig file.

    Raises:
        BadInput: naming the file and the field.
    """
    config = _load_yaml(path)
    context = _named(path, config, "contexts", "context", config.get("current-context"))
    cluster = _named(path, config, "clusters", "cluster", context.get("cluster"))
    user = _named(path, config, "users", "user", context["user"]) if context.get("user") else {}
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith(("http://", "https://")):
        raise BadInput(f"{path}: clusters[].cluster.server", f"{server!r} is not a URL")
    tls = _tls(path, cluster, user) if server.startswith("https://") else None
    proxy = cluster.get("proxy-url") or proxy_of(server, os.environ)
    return Access(server.rstrip("/"), tls, _credentials(path, user), proxy)


def _load_yaml(path: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(_read(path))
    except yaml.YAMLError as exc:
        raise BadInput(str(path), f"is not YAML: {exc}") from None
    if not isinstance(config, dict):
        raise BadInput(str(path), "is not a kubeconfig", "it must be a mapping of kind Config")
    return config


def _named(
    path: Path, config: Mapping[str, Any], plural: str, single: str, name: object
) -> dict[str, Any]:
    if not name:
        missing = "current-context" if plural == "contexts" else f"contexts[].context.{single}"
        raise BadInput(f"{path}: {missing}", "is empty", f"name one of the file's {plural}")
    for entry in config.get(plural) or ():
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry.get(single) or {}
    raise BadInput(f"{path}: {plural}", f"has no entry named {name!r}")


def _credentials(path: Path, user: Mapping[str, Any]) -> Credentials:
    if "exec" in user or "auth-provider" in user:
        return PluginCredentials(path)
    if user.get("tokenFile"):
        return TokenFile(path.parent / user["tokenFile"])
    if user.get("token"):
        return FixedCredentials(f"Bearer {user['token']}")
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password', '')}"
        return FixedCredentials("Basic " + base64.b64encode(pair.encode()).decode())
    return FixedCredentials()


def _tls(path: Path, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    authority = _file_or_data(path, cluster, "certificate-authority")
    try:
        context = ssl.create_default_context(cadata=authority.decode() if authority else None)
        if cluster.get("insecure-skip-tls-verify"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        certificate = _file_or_data(path, user, "client-certificate")
        if certificate:
            _load_client_certificate(
                context, certificate + b"\n" + _file_or_data(path, user, "client-key")
            )
    except (ssl.SSLError, ValueError) as exc:
        raise BadInput(f"{path}: certificates", f"cannot be used: {exc}") from None
    return context


def _load_client_certificate(context: ssl.SSLContext, pem: bytes) -> None:
    """The ssl module takes files only; this one is in memory and gone at once."""
    fd = os.memfd_create("client-certificate", os.MFD_CLOEXEC)
    try:
        os.write(fd, pem)
        context.load_cert_chain(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


def _file_or_data(path: Path, holder: Mapping[str, Any], key: str) -> bytes:
    """``key``-data (base64) or the file that ``key`` names, relative to the kubeconfig."""
    if data := holder.get(f"{key}-data"):
        try:
            return base64.b64decode(data, validate=True)
        except (ValueError, TypeError):
            raise BadInput(f"{path}: {key}-data", "is not base64") from None
    return _read(path.parent / holder[key]) if holder.get(key) else b""


def _token(path: Path) -> str:
    token = _read(path).strip()
    if not token or not token.isascii() or not token.decode().isprintable():
        raise BadInput(str(path), "holds no token")
    return token.decode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise BadInput(str(path), f"cannot be read: {exc.strerror}") from None
