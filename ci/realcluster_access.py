"""Who may talk to whom: an authority, the API server's certificate, a token for each component."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.kubeapi.kubeconfig import kubeconfig_text, write_private
from spiderpool.controller.webhook.certificates import issue_authority, issue_server

GROUPS = {"admin": "system:masters", "node": "system:nodes"}
"""Of users whose rights come by a group; the others have theirs by name."""


@dataclass(frozen=True, slots=True)
class Access:
    """Files of ``folder``; kubeconfigs lead to ``url``."""

    folder: Path
    url: str

    @property
    def authority(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def certificate(self) -> Path:
        return self.folder / "apiserver.crt"

    @property
    def key(self) -> Path:
        return self.folder / "apiserver.key"

    @property
    def account_key(self) -> Path:
        """What service accounts' tokens are signed with."""
        return self.folder / "accounts.key"

    @property
    def tokens(self) -> Path:
        """In the form of kube-apiserver's ``--token-auth-file``."""
        return self.folder / "tokens.csv"

    def kubeconfig(self, component: str) -> Path:
        return self.folder / f"{component}.kubeconfig"


def grant(folder: Path, url: str, names: tuple[str, ...], users: dict[str, str]) -> Access:
    """Write all files; ``names`` are the API server's, ``users`` theirs by component."""
    folder.mkdir(parents=True)
    access = Access(folder, url)
    now = datetime.now(UTC)
    authority = issue_authority(now)
    server = issue_server(authority, names, now)
    access.authority.write_bytes(authority.certificate)
    access.certificate.write_bytes(server.certificate)
    write_private(access.key, server.key.decode())
    write_private(access.account_key, _new_key())
    lines = []
    for component, user in users.items():
        token = secrets.token_hex(16)
        group = GROUPS.get(component, "system:authenticated")
        lines.append(f'{token},{user},{user},"{group}"\n')
        write_private(access.kubeconfig(component), kubeconfig_text(url, token, access.authority))
    write_private(access.tokens, "".join(lines))
    return access


def _new_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.TraditionalOpenSSL
    unprotected = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, unprotected).decode()
