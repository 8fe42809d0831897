"""The image is the same to the byte, whoever builds it where and when."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from image_root import ARCHITECTURE, READ_BY_THE_BUILD

ROOT = Path(__file__).parents[3]


def checkout(folder: Path) -> None:
    """What the build reads, since the tree may change meanwhile."""
    for part in (*READ_BY_THE_BUILD, "dist/cni"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)


def build(source: Path, *options: str, umask: int, **env: str) -> dict[str, Any]:
    """The manifest of the index, which names all else by digests."""
    output = source / "out" / "image"
    command = [sys.executable, str(source / "ci" / "build_image.py"), *options]
    command += ["--architecture", ARCHITECTURE, "--output", str(output)]
    done = subprocess.run(
        command,
        cwd=source,
        env=dict(os.environ) | {"SOURCE_DATE_EPOCH": "1767323045"} | env,
        umask=umask,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (manifest,) = json.loads((output / "index.json").read_text())["manifests"]
    assert isinstance(manifest, dict)
    return manifest


def test_two_builds_are_the_same(tmp_path: Path) -> None:
    """One of them takes from the cache what was built some other time, the other nothing."""
    if not (ROOT / "dist" / "cni" / ARCHITECTURE).exists():
        pytest.skip("needs dist/cni; ci/build-cni makes it")
    first, second = tmp_path / "a", tmp_path / "with-another-name"
    checkout(first)
    shutil.copytree(first, second)
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    one = build(first, umask=0o022, PYTHONHASHSEED="1")
    changed = {"PYTHONHASHSEED": "2", "TMPDIR": str(elsewhere), "LC_ALL": "C"}
    other = build(second, "--afresh", umask=0o077, **changed)
    assert one == other
