"""Control groups of the cluster: a folder of its own in each hierarchy, gone when it is over.

Files of control groups are the machine's, whatever namespaces their user has. So all that the
cluster makes lies below one folder a hierarchy, and a process outside removes these folders
once nobody of the cluster lives, kill -9 included.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.netns import syscalls
from spiderpool.errors import SpiderpoolError

MOUNTS = Path("/proc/self/mountinfo")
ROOT = Path("/sys/fs/cgroup")
CPUSET = ("cpuset.cpus", "cpuset.mems")
LAST_SECONDS = 60.0
_CLONE_NEWCGROUP = 0x02000000


CONTROLLERS = ("cpu", "memory", "pids")


class NoControllers(SpiderpoolError):
    """Containers could not be limited; the text says what to enable."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Where it is mounted, and what mount(2) is told to mount it once more."""

    place: Path
    kind: str
    options: str

    @property
    def unified(self) -> bool:
        return self.kind == "cgroup2"


def hierarchies(mountinfo: str) -> tuple[Hierarchy, ...]:
    """Those of version 1; where there are none, the one of version 2 (proc_pid_mountinfo(5))."""
    found = tuple(_hierarchies(mountinfo))
    return tuple(each for each in found if not each.unified) or found


def _hierarchies(mountinfo: str) -> Iterator[Hierarchy]:
    seen = set()
    for line in mountinfo.splitlines():
        mount, _, file_system = line.partition(" - ")
        kind, _, options = file_system.split(" ")
        if kind in ("cgroup", "cgroup2"):
            one = Hierarchy(Path(mount.split(" ")[4]), kind, _controllers(options))
            if (one.kind, one.options) not in seen:
                seen.add((one.kind, one.options))
                yield one


def _controllers(options: str) -> str:
    """Without what is no controller and no name."""
    words = options.split(",")
    settings = ("rw", "ro", "xattr", "clone_children", "nsdelegate", "memory_recursiveprot")
    return ",".join(word for word in words if word not in settings and "agent=" not in word)


@dataclass(frozen=True, slots=True)
class Groups:
    """The folders of one cluster."""

    name: str
    hierarchies: tuple[Hierarchy, ...]

    @property
    def folders(self) -> tuple[Path, ...]:
        return tuple(each.place / self.name for each in self.hierarchies)

    def join(self) -> None:
        """Make them and go into them; children follow.

        Raises:
            NoControllers: in the only hierarchy there is.
        """
        for hierarchy, folder in zip(self.hierarchies, self.folders, strict=True):
            folder.mkdir()
            if hierarchy.unified:
                check_controllers(folder)
                (folder / "init").mkdir()  # a group with controllers has no processes of its own
                (folder / "init" / "cgroup.procs").write_text("0")
                continue
            if (folder / CPUSET[0]).exists():
                for name in CPUSET:
                    (folder / name).write_text((hierarchy.place / name).read_text())
            (folder / "cgroup.procs").write_text("0")

    def mount(self) -> None:
        """Show them, as if there were no others, on a fresh ``/sys``; call it inside."""
        syscalls.unshare(_CLONE_NEWCGROUP)
        if any(each.unified for each in self.hierarchies):
            syscalls.mount("cgroup2", str(ROOT), "cgroup2")
            return
        syscalls.mount("tmpfs", str(ROOT), "tmpfs", 0, "mode=0755")
        for each in self.hierarchies:
            target = ROOT / each.place.name
            target.mkdir()
            syscalls.mount("cgroup", str(target), "cgroup", 0, each.options)

    def remove(self) -> None:
        """All folders, as soon as their last processes have ended."""
        end = time.monotonic() + LAST_SECONDS
        for folder in self.folders:
            while not _removed(folder) and time.monotonic() < end:
                time.sleep(0.02)  # nothing tells that the last process is gone


def check_controllers(folder: Path) -> None:
    """What the runtime limits pods by must be there (Linux, cgroup-v2, section 2.4).

    Raises:
        NoControllers: with the way to get them.
    """
    there = (folder / "cgroup.controllers").read_text().split()
    if missing := [f"+{name}" for name in CONTROLLERS if name not in there]:
        enable = f"echo {' '.join(missing)} > {folder.parent / 'cgroup.subtree_control'}"
        raise NoControllers(f"new groups of {folder.parent} lack controllers: {enable}")


def _removed(folder: Path) -> bool:
    for place, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            Path(place).rmdir()
    return not folder.exists()


def remove_when_over(groups: Groups) -> None:
    """Leave a process behind that removes ``groups`` once the caller and its forks have ended."""
    reading, writing = os.pipe()
    if (child := os.fork()) != 0:
        os.close(reading)  # the writing end stays open in us for as long as we live
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    os.close(writing)
    os.chdir("/")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    null = os.open("/dev/null", os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    os.read(reading, 1)
    groups.remove()
    os._exit(0)
