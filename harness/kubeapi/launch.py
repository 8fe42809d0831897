"""Start an API server as a process of its own: the embedded one, or a real kube-apiserver.

``KUBEBUILDER_ASSETS`` names the folder that holds ``etcd`` and ``kube-apiserver``, as
controller-runtime's envtest has it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.kubeapi.kubeconfig import kubeconfig_text, write_private
from spiderpool.errors import BadInput

ASSETS = "KUBEBUILDER_ASSETS"
_START_SECONDS = 60.0
_SERVICE_CIDR = "10.233.0.0/18"


def assets_folder() -> Path | None:
    """Where the real binaries lie; None when they are not there."""
    named = os.environ.get(ASSETS)
    folder = Path(named) if named else None
    binaries = ("etcd", "kube-apiserver")
    complete = folder and all(os.access(folder / binary, os.X_OK) for binary in binaries)
    return folder if complete else None


@contextlib.contextmanager
def embedded_server(folder: Path, *options: str) -> Iterator[Path]:
    """The path of a kubeconfig for an embedded server that runs meanwhile."""
    config = folder / "embedded.kubeconfig"
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "harness.kubeapi", f"--kubeconfig-out={config}",
               f"--ready-fd={writer}", *options]  # fmt: skip
    with _process(command, folder / "embedded.log", keep=(writer,)) as process:
        os.close(writer)
        with os.fdopen(reader) as answers:
            if not select.select([answers], [], [], _START_SECONDS)[0] or not answers.readline():
                raise _not_started(process, folder / "embedded.log")
        yield config


@contextlib.contextmanager
def real_server(folder: Path, assets: Path) -> Iterator[Path]:
    """The path of a kubeconfig for a kube-apiserver with an etcd of its own."""
    etcd_port, peer_port, port = _free_ports(3)
    store = f"http://127.0.0.1:{etcd_port}"
    etcd = [
        str(assets / "etcd"), f"--data-dir={folder / 'etcd'}", "--unsafe-no-fsync",
        f"--listen-client-urls={store}", f"--advertise-client-urls={store}",
        f"--listen-peer-urls=http://127.0.0.1:{peer_port}", "--log-level=error",
    ]  # fmt: skip
    token = secrets.token_hex(16)
    with (
        _process(etcd, folder / "etcd.log"),
        _process(_apiserver(assets, folder, store, port, token), folder / "apiserver.log") as api,
    ):
        url = f"https://127.0.0.1:{port}"
        _wait_until_ready(api, url, token, folder / "apiserver.log")
        config = folder / "real.kubeconfig"
        write_private(config, kubeconfig_text(url, token, insecure=True))
        yield config


def _apiserver(assets: Path, folder: Path, store: str, port: int, token: str) -> list[str]:
    key, tokens = folder / "accounts.key", folder / "tokens.csv"
    openssl = shutil.which("openssl")
    if not openssl:
        raise BadInput(
            ASSETS, "openssl is missing", "install openssl: it makes the key of accounts"
        )
    subprocess.run([openssl, "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    write_private(tokens, f'{token},admin,admin,"system:masters"\n')
    return [
        str(assets / "kube-apiserver"), f"--etcd-servers={store}", f"--cert-dir={folder / 'certs'}",
        "--bind-address=127.0.0.1", f"--secure-port={port}", f"--token-auth-file={tokens}",
        f"--service-cluster-ip-range={_SERVICE_CIDR}", "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount", "--allow-privileged=true",
        "--service-account-issuer=https://harness", f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
    ]  # fmt: skip


@contextlib.contextmanager
def _process(
    command: Sequence[str], log: Path, keep: Sequence[int] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, pass_fds=keep)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, token: str, log: Path) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{url}/readyz", headers=headers)  # noqa: S310 - our own URL
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(request, context=context, timeout=5):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    raise _not_started(process, log)


def _not_started(process: subprocess.Popen[bytes], log: Path) -> BadInput:
    tail = log.read_text(errors="replace")[-2000:]
    return BadInput(str(process.args), f"did not become ready: {tail}", f"see {log}")
