"""The CNI client in each of its builds, put where a test can execute it."""

from __future__ import annotations

import platform
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from spiderpool.cni.install import PLUGINS, install, install_executable

ROOT = Path(__file__).parents[2]
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
CLIENTS = ("python", *MACHINES)
NETCONF = b'{"cniVersion":"0.4.0","name":"n","type":"spiderpool"}'


def execute(path: Path, stdin: bytes = NETCONF, /, **env: str) -> tuple[int, bytes]:
    """Exit status and stdout of a client that runs with this environment alone."""
    done = subprocess.run(
        [str(path)], input=stdin, env=env, capture_output=True, timeout=30, check=False
    )
    assert done.stderr == b""
    return done.returncode, done.stdout


def install_client(client: str, folder: Path) -> None:
    """Put ``client`` into ``folder`` under each name; one of another machine runs under QEMU."""
    if client == "python":
        install(folder)
    elif MACHINES[client] == platform.machine():
        install_executable(folder, executable(client))
    else:
        _install_emulated(folder, executable(client), MACHINES[client])


def executable(architecture: str) -> Path:
    """The static executable; compiled if this source never was."""
    return Path(_built()[list(MACHINES).index(architecture)])


def native() -> Path:
    """The static executable of this machine."""
    return executable({machine: name for name, machine in MACHINES.items()}[platform.machine()])


@cache
def _built() -> list[str]:
    """Compilation is cached outside of the checkout, by source, options and compiler."""
    return build_cni()


def build_cni(*options: str) -> list[str]:
    """Paths that ci/build-cni writes, in the order of MACHINES."""
    command = [sys.executable, str(ROOT / "ci" / "build_cni.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def _install_emulated(folder: Path, path: Path, machine: str) -> None:
    emulator = shutil.which(f"qemu-{machine}")
    if emulator is None:
        pytest.skip(f"needs the executable qemu-{machine}; ci/setup qemu-user installs it")
    for name in PLUGINS:
        words = f'#!/bin/sh\nexec {emulator} -0 "$0" {shlex.quote(str(path))}\n'
        (folder / name).write_text(words)
        (folder / name).chmod(0o755)
