"""The servers that the contract holds for: the embedded one, and a real one where it is.

Set KUBEBUILDER_ASSETS to the folder with etcd and kube-apiserver to hold the same tests
against Kubernetes itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import widgets
from api_servers import SERVERS, serving
from rest import Api, unique

FORGETFUL = ("--watch-cache-sizes=serviceaccounts#0", "--etcd-compaction-interval=1s")
"""Soon a real server, too, cannot watch service accounts from the beginning."""


@pytest.fixture(scope="session", params=SERVERS)
def kubeconfig(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp(str(request.param))
    with serving(request.param, folder, embedded=("--history=100",), real=FORGETFUL) as config:
        yield config


@pytest.fixture(scope="session")
def session_client(kubeconfig: Path) -> Iterator[Api]:
    api = Api.from_kubeconfig(kubeconfig)
    yield api
    api.connection.close()


@pytest.fixture
def client(kubeconfig: Path) -> Iterator[Api]:
    api = Api.from_kubeconfig(kubeconfig)
    yield api
    api.connection.close()


@pytest.fixture
def namespace(client: Api) -> str:
    """The name of a namespace of the test's own."""
    name = unique("contract")
    client.must(client.create("/api/v1/namespaces", {"metadata": {"name": name}}))
    return name


@pytest.fixture
def core(namespace: str) -> str:
    """The path of the core group in the test's namespace."""
    return f"/api/v1/namespaces/{namespace}"


@pytest.fixture(scope="session")
def _widget_kind(session_client: Api) -> None:
    widgets.established(session_client, widgets.definition())


@pytest.fixture
def widget_path(_widget_kind: None, namespace: str) -> str:
    """The path of Widgets, a custom resource with a status, in the test's namespace."""
    return f"{widgets.API}/namespaces/{namespace}/widgets"


@pytest.fixture(scope="module")
def control_plane(kubeconfig: Path) -> Iterator[None]:
    """Controllers and scheduler run meanwhile, and not for tests that want objects alone."""
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "harness.nodes.control", f"--kubeconfig={kubeconfig}",
               f"--ready-fd={writer}"]  # fmt: skip
    process = subprocess.Popen(command, pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader) as answers:
        assert answers.readline() == "ready\n"
    yield
    process.terminate()
    process.wait(10)
