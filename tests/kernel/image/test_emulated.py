"""The image for the other architecture, run by QEMU."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from image_foundation import MACHINES
from image_root import ARCHITECTURE, IMPORT_ALL, run_emulated, unpack

pytestmark = pytest.mark.kernel

(OTHER,) = set(MACHINES) - {ARCHITECTURE}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Its root file system."""
    folder = tmp_path_factory.mktemp("image")
    unpack(OTHER, folder)
    yield folder
    shutil.rmtree(folder)


def test_all_of_it_can_be_imported(root: Path) -> None:
    done = run_emulated(root, OTHER, "python3", "-c", IMPORT_ALL)
    assert done.returncode == 0, done.stderr
    user, count, machine = done.stdout.split()
    assert (user, machine) == ("65532", MACHINES[OTHER])
    assert int(count) > 100


@pytest.mark.parametrize("name", ["agent", "controller", "ctl"])
def test_components_start(root: Path, name: str) -> None:
    done = run_emulated(root, OTHER, "python3", "-m", f"spiderpool.{name}", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")
