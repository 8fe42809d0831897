"""Run programs inside namespaces, without a shell, a pipe or a thread."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spiderpool.netlink.namespace import Namespace


@dataclass(frozen=True, slots=True)
class Completed:
    """``status`` is the exit status, or -n when signal n ended the program."""

    status: int
    stdout: bytes
    stderr: bytes


def start(
    argv: Sequence[str],
    namespace: Namespace,
    *,
    env: Mapping[str, str],
    stdin: int = subprocess.DEVNULL,
    stdout: int | None = None,
    stderr: int | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start ``argv`` inside ``namespace``, with working directory ``/`` and only ``env``.

    The child takes over the namespace of the thread that forks it, so nothing has to run
    between fork and exec. Raises OSError when ``argv[0]`` cannot be executed.
    """
    with namespace.entered():
        return subprocess.Popen(
            argv,
            env=env,
            cwd="/",
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=pass_fds,
            process_group=0,
        )


async def run(
    argv: Sequence[str], namespace: Namespace, *, env: Mapping[str, str], stdin: bytes = b""
) -> Completed:
    """Run ``argv`` inside ``namespace`` to its end; killed when this task is cancelled.

    Streams are files in memory: a program that neither reads nor closes them cannot hang us.
    """
    files = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr")]
    try:
        os.write(files[0], stdin)
        os.lseek(files[0], 0, os.SEEK_SET)
        child = start(argv, namespace, env=env, stdin=files[0], stdout=files[1], stderr=files[2])
        status = await ended(child)
        return Completed(status, _content(files[1]), _content(files[2]))
    finally:
        for file in files:
            os.close(file)


async def ended(child: subprocess.Popen[bytes]) -> int:
    """The exit status once ``child`` has ended; cancelling kills it."""
    if child.returncode is not None:
        return child.returncode  # waited for already: its pid may be another's by now
    loop = asyncio.get_running_loop()
    exited = asyncio.Event()
    pidfd = os.pidfd_open(child.pid)
    loop.add_reader(pidfd, exited.set)
    try:
        await exited.wait()
    except asyncio.CancelledError:
        child.kill()
        raise
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
        status = child.wait()
    return status


def _content(file: int) -> bytes:
    size = os.fstat(file).st_size
    return os.pread(file, size, 0)
