"""What the command line says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spiderpool.metrics.http import Listen


@dataclass(frozen=True, slots=True)
class Service:
    """Where the API server finds the webhook inside the cluster."""

    namespace: str
    name: str
    port: int = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Where to listen, how the API server gets here, and whose certificate to use.

    Without ``service`` the API server is told the URL of ``host`` and the port. Without
    ``certificates`` (a directory with tls.crt, tls.key and ca.crt) one is made and renewed.
    """

    host: str
    port: int
    service: Service | None = None
    certificates: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``namespace`` is where Lease and Secret lie; ``families``: 4 and 6 as far as enabled;
    ``inject_networks``: pods get networks by annotation (podResourceInject).
    """

    identity: str
    kubeconfig: str | None = None
    namespace: str = "kube-system"
    cni_conf_dir: Path | None = None
    families: frozenset[int] = frozenset({4, 6})
    guard_deletion: bool = False
    inject_networks: bool = False
    webhook: WebhookSettings | None = None
    health: Listen | None = None
    metrics: Listen | None = None
