"""These tests run on the node of a cluster that ci/realcluster has made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FILE = "SPIDERPOOL_CLUSTER"
RECIPE = "ci/realcluster run -- .venv/bin/pytest tests/realcluster/node"


@pytest.fixture(scope="session")
def inventory() -> Path:
    """The file that says where the cluster's network namespaces are."""
    return Path(os.environ[FILE])


def pytest_collection_modifyitems() -> None:
    if FILE not in os.environ:
        raise pytest.UsageError(f"{FILE} is not set: these tests need a cluster: {RECIPE}")
