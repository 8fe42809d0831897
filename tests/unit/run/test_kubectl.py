"""kubectl as a child of a run."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from harness.run import kubectl
from harness.run.kubectl import Kubectl, KubectlFailed


def found(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> Kubectl:
    """One that does what a shell script says."""
    program = folder / "kubectl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(kubectl, "find", lambda: str(program))
    return Kubectl(folder / "config", folder)


def test_its_words_and_its_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = found(monkeypatch, tmp_path, 'echo "$@"; cat')
    printed = asyncio.run(made.run("apply", "-f", "-", stdin=b"kind: Pod\n"))
    assert printed == f"--kubeconfig {tmp_path}/config apply -f -\nkind: Pod\n"


def test_a_complaint_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = found(monkeypatch, tmp_path, "echo one >&2; echo two >&2; exit 1")
    with pytest.raises(KubectlFailed, match=r"^kubectl get pods: one two$"):
        asyncio.run(made.run("get", "pods"))


def test_a_terminal_does_not_interrupt_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = found(monkeypatch, tmp_path, "cut -d ' ' -f 5 /proc/self/stat")
    assert int(asyncio.run(made.run())) != os.getpgrp()
