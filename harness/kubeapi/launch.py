"""Start an API server as a process of its own: the embedded one, or a real kube-apiserver."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from harness.kubeapi.real import prepare
from spiderpool.errors import BadInput

_START_SECONDS = 60.0
_SERVICE_CIDR = "10.233.0.0/18"


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
def real_server(folder: Path, assets: Path, *options: str) -> Iterator[Path]:
    """The path of a kubeconfig for a kube-apiserver with an etcd of its own."""
    server = prepare(assets, folder, [_SERVICE_CIDR])
    log = folder / "apiserver.log"
    with (
        _process(server.etcd, folder / "etcd.log"),
        _process([*server.kube_apiserver, *options], log) as process,
    ):
        _wait_until(server.is_ready, process, log)
        config = folder / "real.kubeconfig"
        server.write_kubeconfig(config)
        yield config


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


def _wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if ready():
            return
        time.sleep(0.1)
    raise _not_started(process, log)


def _not_started(process: subprocess.Popen[bytes], log: Path) -> BadInput:
    tail = log.read_text(errors="replace")[-2000:]
    return BadInput(str(process.args), f"did not become ready: {tail}", f"see {log}")
