"""The real kubectl, against the cluster of a run."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

from spiderpool.errors import SpiderpoolError


class KubectlFailed(SpiderpoolError):
    """kubectl is missing, or it refused: the text is its own, on one line."""


def find() -> str | None:
    """The kubectl beside this interpreter, else the one on PATH."""
    beside = Path(sys.prefix) / "bin" / "kubectl"
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("kubectl")


class Kubectl:
    """``home`` is where it may keep its discovery cache."""

    def __init__(self, kubeconfig: Path, home: Path) -> None:
        self._kubeconfig, self._home = kubeconfig, home

    async def run(self, *arguments: str, stdin: bytes = b"") -> str:
        """What ``kubectl arguments`` prints.

        Raises:
            KubectlFailed: with what it complains about.
        """
        program = find()
        if program is None:
            raise KubectlFailed("there is no kubectl; run ci/setup, or put one on PATH")
        child = await asyncio.create_subprocess_exec(
            program,
            "--kubeconfig",
            str(self._kubeconfig),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"HOME": str(self._home), "PATH": "/usr/bin:/bin"},
            process_group=0,  # a terminal's interrupt is for us; what tidies up goes on
        )
        try:
            printed, complaint = await child.communicate(stdin)
        except asyncio.CancelledError:
            child.kill()
            raise
        if child.returncode:
            words = " ".join(complaint.decode(errors="replace").split())
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: {words}")
        return printed.decode()
