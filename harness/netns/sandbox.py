"""The sandbox: one process tree with namespaces of its own, which leaves nothing behind.

::

    caller          waits, passes signals on, ends with the sandbox' status
    └── init        pid 1 inside: reaps, ends when the worker ends
        └── worker  where enter() returns; every component is a child of this one

The parent's death kills init, and the death of a pid namespace's init kills all that is in
it (pid_namespaces(7)), so ``kill -9`` of the caller or of *its* parent ends everything; the
kernel then frees links, rules and mounts, as nothing of them has a name outside.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from harness.netns import syscalls
from harness.netns.privileges import lacking
from spiderpool.errors import SpiderpoolError
from spiderpool.netlink.apply import apply
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.operations import ChangeLink
from spiderpool.types.names import IfName

HIDDEN = Path("/run")
"""What the machine has there cannot be reached from inside."""

RUN = HIDDEN / "harness"
"""Writable, on the sandbox' own tmpfs: sockets, state and binaries of one run."""

_NAMESPACES = (
    syscalls.CLONE_NEWNET
    | syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
)
_FORWARDED = {signal.SIGTERM, signal.SIGHUP}
_ATTENDED = _FORWARDED | {signal.SIGCHLD}
_BLOCKED = _ATTENDED | {signal.SIGINT}
"""A terminal sends SIGINT to the worker too, so the others only have to survive it."""

_STATE_DIRECTORIES = ("cni", "spidernet")
"""Below /var/lib: what CNI plugins and the agent write when nobody tells them otherwise."""


_NO_USER_NAMESPACES = (
    "the kernel refuses user namespaces to this user; run as root, in a container as a privileged "
    "one, or allow them: sysctl user.max_user_namespaces (above 0), "
    "kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, "
    "whichever exist"
)


class SandboxRefused(SpiderpoolError):
    """This machine does not let us make the namespaces; the text says what would."""


def enter() -> None:
    """Continue inside a fresh sandbox: own network, mounts, processes; lo is up.

    Call it from the main thread, before any other thread is started. It returns in the
    worker only; the calling process ends itself with the worker's exit status, or 128 + n
    when signal n killed the worker. Without root, root is mapped in a user namespace.

    Raises:
        SandboxRefused: naming the step that the kernel refused.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getppid()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
    _unshare()
    _die_with_parent(lambda: os.getppid() == parent)
    lifeline, held_by_caller = os.pipe()
    if (init := os.fork()) != 0:
        os._exit(_attend(init))
    os.close(held_by_caller)
    _die_with_parent(lambda: _is_open(lifeline))
    _own_mounts()
    if (worker := os.fork()) != 0:
        os._exit(_attend(worker))
    os.close(lifeline)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    RUN.mkdir()
    with Namespace.current() as own:
        apply(own, (ChangeLink(IfName("lo"), up=True),))


def _unshare() -> None:
    """With a user namespace, in which this user is root, only where it is needed."""
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0 and not lacking() and _unshared(_NAMESPACES):
        return
    if not _unshared(_NAMESPACES | syscalls.CLONE_NEWUSER):
        raise SandboxRefused(_NO_USER_NAMESPACES)
    syscalls.set_dumpable()  # or /proc/self, and later our descriptors, belong to root
    try:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")
    except PermissionError as error:
        raise SandboxRefused(_NO_USER_NAMESPACES) from error


def _unshared(flags: int) -> bool:
    try:
        syscalls.unshare(flags)
    except PermissionError:
        return False
    except OSError as error:
        raise SandboxRefused(
            f"the kernel gives no new namespaces: {error.strerror}; raise what is too low of "
            "sysctl user.max_{net,mnt,pid,ipc,uts,user}_namespaces, or build the kernel with them"
        ) from error
    return True


def _die_with_parent(parent_lives: Callable[[], bool]) -> None:
    """A parent that died before the request was made is found by asking once more."""
    syscalls.set_parent_death_signal(signal.SIGKILL)
    if not parent_lives():
        os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)


def _is_open(pipe: int) -> bool:
    """Whether somebody still holds the writing end."""
    poll = select.poll()
    poll.register(pipe, 0)
    return not poll.poll(0)


def _attend(child: int) -> int:
    """Reap everything, pass signals on to ``child``, return its exit status when it ends."""
    while True:
        number = signal.sigwait(_ATTENDED)
        if number != signal.SIGCHLD:
            os.kill(child, number)
        elif (status := _reap(child)) is not None:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _reap(child: int) -> int | None:
    """Reap what has ended; the wait status of ``child`` if it is among them."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == child:
            return status
        if pid == 0:
            return None


def _own_mounts() -> None:
    """Private /proc, /run and state directories; nothing of it propagates to the machine."""
    try:
        syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
        hardened = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
        syscalls.mount("proc", "/proc", "proc", hardened)
        _tmpfs(str(HIDDEN))
        _shadow(Path("/var/lib"))
    except OSError as error:
        raise SandboxRefused(
            f"{error.strerror}; a container needs an unmasked /proc and CAP_SYS_ADMIN "
            "(docker run --privileged)"
        ) from error


def _tmpfs(target: str) -> None:
    syscalls.mount("tmpfs", target, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=0755")


def _shadow(directory: Path) -> None:
    """Make ``directory`` writable and ours; what the machine has there is mounted in again.

    The state directories need not exist on the machine, and must not be made there.
    """
    original = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    entries = [entry for entry in directory.iterdir() if entry.name not in _STATE_DIRECTORIES]
    _tmpfs(str(directory))
    for entry in entries:
        with contextlib.suppress(FileNotFoundError):  # somebody took it away meanwhile
            _mount_again(Path(f"/proc/self/fd/{original}/{entry.name}"), entry)
    os.close(original)
    for name in _STATE_DIRECTORIES:
        (directory / name).mkdir()


def _mount_again(original: Path, target: Path) -> None:
    if original.is_symlink():
        target.symlink_to(original.readlink())
        return
    if original.is_dir():
        target.mkdir()
    else:
        target.touch()
    syscalls.mount(str(original), str(target), flags=syscalls.MS_BIND | syscalls.MS_REC)
