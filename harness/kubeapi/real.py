"""A real kube-apiserver with an etcd of its own: their command lines, and when it is ready.

``KUBEBUILDER_ASSETS`` names the folder that holds ``etcd`` and ``kube-apiserver``, as
controller-runtime's envtest has it; ``ci/kube-assets`` builds them.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from harness.kubeapi.kubeconfig import kubeconfig_text, write_private

ASSETS = "KUBEBUILDER_ASSETS"
_LOOPBACK = "127.0.0.1"
_ANSWER_SECONDS = 5.0


def assets_folder() -> Path | None:
    """Where the binaries lie; None when they are not there."""
    named = os.environ.get(ASSETS)
    folder = Path(named) if named else None
    binaries = ("etcd", "kube-apiserver")
    complete = folder and all(os.access(folder / binary, os.X_OK) for binary in binaries)
    return folder if complete else None


@dataclass(frozen=True, slots=True)
class RealServer:
    """One server, not started yet; ``folder`` is for its files, ports are on the loopback."""

    assets: Path
    folder: Path
    service_cidrs: tuple[str, ...]
    token: str
    port: int
    store_port: int
    peer_port: int

    @property
    def url(self) -> str:
        return f"https://{_LOOPBACK}:{self.port}"

    @property
    def _store(self) -> str:
        return f"http://{_LOOPBACK}:{self.store_port}"

    @property
    def etcd(self) -> Sequence[str]:
        """The command line of etcd; what it holds need not survive."""
        return (
            str(self.assets / "etcd"), f"--data-dir={self.folder / 'etcd'}", "--unsafe-no-fsync",
            f"--listen-client-urls={self._store}", f"--advertise-client-urls={self._store}",
            f"--listen-peer-urls=http://{_LOOPBACK}:{self.peer_port}", "--log-level=error",
        )  # fmt: skip

    @property
    def kube_apiserver(self) -> Sequence[str]:
        """The command line of kube-apiserver.

        There is no kube-controller-manager that makes service accounts, so pods do without;
        and no address but the loopback's, so there are no endpoints of the API's own Service.
        """
        key = self.folder / "accounts.key"
        return (
            str(self.assets / "kube-apiserver"), f"--etcd-servers={self._store}",
            f"--bind-address={_LOOPBACK}", f"--advertise-address={_LOOPBACK}",
            f"--secure-port={self.port}", f"--cert-dir={self.folder / 'certs'}",
            "--endpoint-reconciler-type=none", f"--token-auth-file={self.folder / 'tokens.csv'}",
            f"--service-cluster-ip-range={','.join(self.service_cidrs)}",
            "--service-node-port-range=30000-32767", "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount", "--allow-privileged=true",
            "--service-account-issuer=https://harness", f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
        )  # fmt: skip

    def store_listens(self) -> bool:
        """Whether etcd takes connections."""
        with contextlib.suppress(OSError), socket.create_connection((_LOOPBACK, self.store_port)):
            return True
        return False

    def is_ready(self) -> bool:
        """Whether kube-apiserver says so on /readyz."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        asked = http.client.HTTPSConnection(
            _LOOPBACK, self.port, timeout=_ANSWER_SECONDS, context=context
        )
        try:
            asked.request("GET", "/readyz", headers={"Authorization": f"Bearer {self.token}"})
            return asked.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asked.close()

    def write_kubeconfig(self, path: Path) -> None:
        """For an administrator."""
        write_private(path, kubeconfig_text(self.url, self.token, insecure=True))


def prepare(assets: Path, folder: Path, service_cidrs: Sequence[str]) -> RealServer:
    """Choose ports and write the keys and tokens of a server into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    write_private(folder / "accounts.key", _new_key())
    token = secrets.token_hex(16)
    write_private(folder / "tokens.csv", f'{token},admin,admin,"system:masters"\n')
    return RealServer(assets, folder, tuple(service_cidrs), token, *_free_ports())


def _new_key() -> str:
    """What service accounts' tokens are signed with, as PEM."""
    # loading it would cost the runs on the embedded server tens of milliseconds
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.TraditionalOpenSSL
    unprotected = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, unprotected).decode()


def _free_ports() -> tuple[int, int, int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for each in sockets:
            each.bind((_LOOPBACK, 0))
        first, second, third = (each.getsockname()[1] for each in sockets)
        return first, second, third
