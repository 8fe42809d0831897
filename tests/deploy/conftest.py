"""A real helm that renders, and API servers that objects are held against."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from api_servers import SERVERS, serving
from deploy_chart import CHART, NAMESPACE, Helm, Object, Render, run


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
    with serving(request.param, folder) as config:
        yield config
