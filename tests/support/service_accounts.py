"""Processes that reach an API server as the service account that the chart gives them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

from deploy_chart import Object
from rest import Api

from harness.kubeapi.kubeconfig import kubeconfig_text, write_private


def kubeconfig_of(admin: Path, account: str, namespace: str, folder: Path) -> Path:
    """By a token of the account; the embedded server knows no accounts and takes everybody."""
    api = Api.from_kubeconfig(admin)
    if not api.token:
        return admin
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    with contextlib.closing(api.connection):
        token = api.must(api.create(path, request))["status"]["token"]
    config = folder / f"{account}.kubeconfig"
    write_private(config, kubeconfig_text(api.url, token, insecure=True))
    return config


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def command_of(pod: Object, replaced: dict[str, str], dropped: tuple[str, ...] = ()) -> list[str]:
    """The first container's command line, with other values where this machine needs them."""
    container = pod["containers"][0]
    arguments = []
    for argument in container["args"]:
        option, _, value = argument.partition("=")
        if option in dropped:
            continue
        value = re.sub(r"\$\((\w+)\)", r"\1", value).lower()
        arguments.append(f"{option}={replaced.get(option, value)}" if value else argument)
    return [sys.executable, *container["command"][1:], *arguments]


class Running:
    """A process, and what it has written to stderr."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process, self._log = process, log

    @property
    def log(self) -> str:
        return self._log.read_text()


@contextlib.asynccontextmanager
async def running(command: list[str], log: Path) -> AsyncIterator[Running]:
    """Ended by SIGTERM, and waited for."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(*command, stderr=output)
    try:
        yield Running(process, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def answers_ready(port: int, process: Running) -> None:
    """Wait until the health page says so."""
    url = f"http://127.0.0.1:{port}/v1/runtime/readiness"

    def look() -> str:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return "" if answer.status == 200 else str(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()
        except OSError as error:
            return str(error)

    wrong = ""
    try:
        async with asyncio.timeout(100):
            while wrong := await asyncio.to_thread(look):
                assert process.process.returncode is None, process.log
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{wrong}\n{process.log}") from None
