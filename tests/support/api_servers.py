"""The API servers that a test is held against: the embedded one, and a real one where it is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from harness.kubeapi.launch import embedded_server, real_server
from harness.kubeapi.real import assets_folder

SERVERS = ["embedded", *(["real"] if assets_folder() else [])]
"""KUBEBUILDER_ASSETS names the folder with etcd and kube-apiserver."""


def serving(
    kind: str, folder: Path, *, embedded: Sequence[str] = (), real: Sequence[str] = ()
) -> AbstractContextManager[Path]:
    """An administrator's kubeconfig of one of SERVERS, with options of its own."""
    assets = assets_folder()
    if kind == "real" and assets:
        return real_server(folder, assets, *real)
    return embedded_server(folder, *embedded)
