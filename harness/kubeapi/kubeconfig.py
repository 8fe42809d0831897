"""Kubeconfig files for the servers that the harness starts."""

from __future__ import annotations

import json
from pathlib import Path


def kubeconfig_text(
    url: str, token: str = "", authority: Path | None = None, *, insecure: bool = False
) -> str:
    """A kubeconfig for one cluster and one user, as JSON, which is YAML too.

    ``insecure`` accepts any certificate: for servers of one's own on the loopback.
    """
    cluster: dict[str, str | bool] = {"server": url}
    if authority:
        cluster["certificate-authority"] = str(authority.resolve())
    if insecure:
        cluster["insecure-skip-tls-verify"] = True
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "harness",
        "clusters": [{"name": "harness", "cluster": cluster}],
        "users": [{"name": "harness", "user": {"token": token} if token else {}}],
        "contexts": [{"name": "harness", "context": {"cluster": "harness", "user": "harness"}}],
    }
    return json.dumps(document, indent=2)


def write_private(path: Path, text: str) -> None:
    """For the owner's eyes, and in one step: a reader sees the whole file or none."""
    aside = path.with_name(f".{path.name}.new")
    aside.touch(mode=0o600)
    aside.write_text(text)
    aside.rename(path)
