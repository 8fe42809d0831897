"""The page about the Kubernetes API counts the contract tests as pytest does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter

from doc_blocks import ROOT

from harness.kubeapi.real import ASSETS

FOLDERS = ("kubeapi", "controller", "kube")
ROW = re.compile(r"^\| `(\w+)` \|.*\| (\d*) ?\| (\d+) \| (\d+) \|$", re.MULTILINE)


def test_numbers_of_contract_tests() -> None:
    page = (ROOT / "docs" / "kubernetes-api.md").read_text()
    told = {
        (folder, server): int(count)
        for folder, *counts in ROW.findall(page)
        for server, count in zip(("fake", "embedded", "real"), counts, strict=True)
        if count
    }
    assert {key: count for key, count in told.items() if key[1] != "real"} == collected()
    assert all(told[folder, "real"] == told[folder, "embedded"] for folder in FOLDERS)


def collected() -> Counter[tuple[str, str]]:
    """How many tests there are by folder and server, without a real one."""
    paths = [f"tests/contract/{folder}" for folder in FOLDERS]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *paths]
    environment = {name: value for name, value in os.environ.items() if name != ASSETS}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    found = re.findall(r"^tests/contract/(\w+)/.*\[(fake|embedded)\b", done.stdout, re.MULTILINE)
    return Counter(found)
