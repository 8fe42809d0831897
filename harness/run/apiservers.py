"""Which API server a run has: the embedded one, or a real kube-apiserver with its etcd."""

from __future__ import annotations

import asyncio
import enum
import signal
from collections.abc import Sequence
from pathlib import Path

from harness.kubeapi.real import ASSETS, assets_folder, prepare
from harness.run.components import Components, module
from spiderpool.errors import BadInput

NAME = "kube-apiserver"
_ASK_SECONDS = 0.05
_RECIPE = f"export {ASSETS}=$(ci/kube-assets)"


class ApiServer(enum.StrEnum):
    """What ``--apiserver`` takes."""

    EMBEDDED = "embedded"
    REAL = "real"


def obstacle(kind: ApiServer) -> str | None:
    """Why such a server cannot be started here, and how to mend it."""
    if kind is ApiServer.REAL and assets_folder() is None:
        return f"{ASSETS} names no folder with etcd and kube-apiserver; set it: {_RECIPE}"
    return None


async def start(
    kind: ApiServer, components: Components, kubeconfig: Path, service_cidrs: Sequence[str]
) -> None:
    """Start it; ``kubeconfig`` is written once it serves, its other files lie beside that.

    Raises:
        ComponentFailed: it does not come up.
        BadInput: its programs are missing.
    """
    match kind:
        case ApiServer.EMBEDDED:
            await _start_embedded(components, kubeconfig, service_cidrs)
        case ApiServer.REAL:
            await _start_real(components, kubeconfig, service_cidrs)


async def _start_embedded(
    components: Components, kubeconfig: Path, service_cidrs: Sequence[str]
) -> None:
    options = (f"--kubeconfig-out={kubeconfig}", f"--service-cidr={','.join(service_cidrs)}")
    await components.start(NAME, module("harness.kubeapi", *options), serves=kubeconfig.exists)


async def _start_real(
    components: Components, kubeconfig: Path, service_cidrs: Sequence[str]
) -> None:
    """Both end at once: a graceful end waits for each other, for data that nobody keeps."""
    assets = assets_folder()
    if assets is None:
        raise BadInput(ASSETS, "names no folder with etcd and kube-apiserver", _RECIPE)
    folder = kubeconfig.parent / NAME
    server = await asyncio.to_thread(prepare, assets, folder, service_cidrs)
    await components.start("etcd", server.etcd, server.store_listens, end=signal.SIGKILL)
    await components.start(
        NAME, server.kube_apiserver, server.is_ready, ask=_ASK_SECONDS, end=signal.SIGKILL
    )
    server.write_kubeconfig(kubeconfig)
