"""A real helm that renders, and API servers that objects are held against."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from deploy_chart import CHART, NAMESPACE, SERVERS, Helm, Object, Render, run

from harness.kubeapi.launch import embedded_server, real_server
from harness.kubeapi.real import assets_folder


@pytest.fixture(scope="session")
def helm() -> Helm:
    return lambda *arguments, stdin="": run("helm", *arguments, stdin=stdin)


@pytest.fixture(scope="session")
def render(helm: Helm) -> Render:
    """All objects of a release, hooks included; values are a dictionary."""

    def rendered(values: Object | None = None, namespace: str = NAMESPACE) -> list[Object]:
        arguments = ("template", "spiderpool", str(CHART), f"--namespace={namespace}", "-f-")
        done = helm(*arguments, stdin=json.dumps(values or {}))
        assert done.returncode == 0, done.stderr
        return [obj for obj in yaml.safe_load_all(done.stdout) if obj]

    return rendered


@pytest.fixture(scope="module", params=SERVERS)
def kubeconfig(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """For an administrator of a server; the real one enforces RBAC."""
    folder = tmp_path_factory.mktemp(f"deploy-{request.param}")
    assets = assets_folder()
    if request.param == "real" and assets:
        server = real_server(folder, assets)
    else:
        server = embedded_server(folder)
    with server as config:
        yield config
