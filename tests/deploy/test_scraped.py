"""Running programs export what the reference, the dashboard and the alerts are made of."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from deploy_chart import run
from exported_series import series_of
from service_accounts import answers_ready, free_port, running

from docs.generators.metrics import agent_metrics, controller_metrics
from harness.kubeapi.launch import embedded_server
from spiderpool.types.crd import DIRECTORY

pytestmark = pytest.mark.binary("kubectl")

OBJECTS = """
{apiVersion: v1, kind: Node, metadata: {name: worker01}}
---
{apiVersion: spiderpool.spidernet.io/v2beta1, kind: SpiderIPPool, metadata: {name: a},
 spec: {subnet: 10.6.0.0/16, ips: [10.6.0.10]}}
---
{apiVersion: spiderpool.spidernet.io/v2beta1, kind: SpiderSubnet, metadata: {name: s},
 spec: {subnet: 10.7.0.0/16, ips: [10.7.0.10]}}
---
{apiVersion: spiderpool.spidernet.io/v2beta1, kind: SpiderCoordinator, metadata: {name: default},
 spec: {podCIDRType: none}}
"""
SERIES = re.compile(r"^(\w+)(?:\{(.*)\})? \S+$", re.MULTILINE)


def scraped_series(page: str) -> dict[str, set[str]]:
    """Labels by name, as Prometheus reads the page."""
    found: dict[str, set[str]] = {}
    for name, labels in SERIES.findall(page):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


@contextlib.asynccontextmanager
async def scraped(module: str, options: list[str], folder: Path) -> AsyncIterator[str]:
    """The program's page, once it is ready."""
    health, numbers = free_port(), free_port()
    listen = [f"--health-listen=127.0.0.1:{health}", f"--metrics-listen=127.0.0.1:{numbers}"]
    command = [sys.executable, "-m", module, *options, *listen]
    async with running(command, folder / "log") as process:
        await answers_ready(health, process)

        def read() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{numbers}/metrics", timeout=5) as page:
                text: str = page.read().decode()
                return text

        yield await asyncio.to_thread(read)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterable[Path]:
    with embedded_server(tmp_path) as config:
        for words, stdin in (
            (("apply", f"--filename={DIRECTORY}"), ""),
            (("wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"), ""),
            (("create", "--filename=-"), OBJECTS),
        ):
            done = run("kubectl", f"--kubeconfig={config}", *words, stdin=stdin)
            assert done.returncode == 0, done.stderr
        yield config


def test_an_agent(kubeconfig: Path, tmp_path: Path) -> None:
    async def look() -> None:
        options = [
            f"--kubeconfig={kubeconfig}",
            "--node=worker01",
            f"--socket={tmp_path / 'sock'}",
            f"--state-dir={tmp_path / 'state'}",
        ]
        async with scraped("spiderpool.agent", options, tmp_path) as page:
            assert scraped_series(page) == series_of(agent_metrics())
            assert "\nspiderpool_agent_ready 1\n" in page

    asyncio.run(look())


def test_a_controller(kubeconfig: Path, tmp_path: Path) -> None:
    async def look() -> None:
        options = [f"--kubeconfig={kubeconfig}", "--identity=me"]
        async with scraped("spiderpool.controller", options, tmp_path) as page:
            assert scraped_series(page) == series_of(controller_metrics())
            assert '\nspiderpool_debug_ippool_available_ip_counts{ippool="a"} ' in page

    asyncio.run(look())
