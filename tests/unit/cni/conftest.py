"""The CNI client in each of its builds."""

from __future__ import annotations

from pathlib import Path

import pytest
from thin_clients import CLIENTS, install_client


@pytest.fixture(scope="module", params=CLIENTS)
def bin_dir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of plugins: the script, then the static executable of each architecture."""
    folder = tmp_path_factory.mktemp("bin")
    install_client(request.param, folder)
    return folder
