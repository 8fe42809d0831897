"""A virtual machine with every kind of link, in which one command is run as root.

The processor is emulated, so the machine needs neither KVM nor root. It is slow, but its clock
counts instructions: what has a deadline there has as much time as anywhere. ``run -- COMMAND``
boots it, runs COMMAND in the folder and with the environment of the caller, and ends with
COMMAND's exit status. COMMAND sees the files of this machine as they are; what it writes lies in
memory and is gone afterwards.
"""

from __future__ import annotations

import argparse
import os
import platform
import select
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from vm_initramfs import initramfs
from vm_kernel import Guest, guest

from harness.netns.syscalls import set_parent_death_signal

QEMU = "qemu-system-x86_64"
PATIENCE = 900.0
TIMED_OUT = 124
"""The exit status of timeout(1)."""

MEMORY = "4096"
"""MiB, for all processes and for all that they write."""

INSTRUCTION = 1
"""An instruction takes 2 to the power of this nanoseconds of the machine's time."""

FILES = ("initramfs", "job", "status", "kernel")
"""Two that the machine reads, two that it writes."""

_LAST_WORDS = 30


def main() -> None:
    """See the module's own words."""
    parser = argparse.ArgumentParser(
        prog="vm", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="run")
    run = commands.add_parser("run", help="boot it, run COMMAND, power it off")
    run.add_argument("--seconds", type=float, default=PATIENCE, help=f"by default {PATIENCE:g}")
    run.add_argument("command", nargs="+", metavar="COMMAND", help="after --")
    options = parser.parse_args()
    if platform.machine() != "x86_64":
        raise SystemExit(f"vm: there is no kernel for {platform.machine()} here, only for x86_64")
    try:
        sys.exit(boot(options.command, options.seconds))
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None


def boot(command: Sequence[str], seconds: float) -> int:
    """The exit status of ``command``; TIMED_OUT when it takes longer.

    What the machine is given and what it answers are files in memory: nothing is left of them.
    """
    program = shutil.which(QEMU)
    if program is None:
        raise SystemExit(f"vm: no {QEMU}: run ci/setup qemu-system-x86, or put one on PATH")
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    booted, files = guest(), {name: os.memfd_create(name, 0) for name in FILES}
    os.write(files["initramfs"], initramfs(booted))
    os.write(files["job"], job(command, Path.cwd(), os.environ, size_of(terminal)).encode())
    speech, files["speech"] = os.pipe2(0)
    child = start([program, *machine(booted, files, terminal=terminal)])
    os.close(files["speech"])
    if ended(child, speech, seconds):
        return outcome(content(files["status"]), content(files["kernel"]))
    said(f"not over after {seconds:g} s; --seconds gives it more time")
    return TIMED_OUT


def job(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], size: str = ""
) -> str:
    """The shell's text that runs ``command``; names that a shell cannot export are left out."""
    exports = "".join(
        f"export {name}={shlex.quote(value)}\n"
        for name, value in environment.items()
        if name.isidentifier()
    )
    return f"{size}{exports}cd {shlex.quote(str(folder))}\nexec {shlex.join(command)}\n"


def size_of(terminal: bool) -> str:
    """What tells the guest's terminal the size of ours."""
    if not terminal:
        return ""
    columns, rows = os.get_terminal_size()
    return f"stty rows {rows} cols {columns}\n" if rows and columns else ""


def machine(guest: Guest, files: Mapping[str, int], *, terminal: bool) -> Iterator[str]:
    """What QEMU is told; ``files`` are descriptors that it inherits.

    The command speaks by the first port: a console on our own terminal when somebody sits there,
    so that a shell works, else a pipe.
    """
    path = {name: f"/proc/self/fd/{number}" for name, number in files.items()}
    yield from ("-machine", "pc", "-cpu", "max", "-accel", "tcg,thread=single")
    yield from ("-icount", f"shift={INSTRUCTION}")
    yield from ("-m", MEMORY)
    yield from ("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none")
    yield from ("-kernel", str(guest.kernel), "-initrd", path["initramfs"])
    yield from ("-append", f"console=ttyS0 loglevel=4 panic=-1 modules={guest.modules}")
    yield from ("-fsdev", "local,id=machine,path=/,security_model=none,readonly=on,multidevs=remap")
    yield from ("-device", "virtio-9p-pci,fsdev=machine,mount_tag=machine")
    yield from ("-chardev", f"file,id=kernel,path={path['kernel']}", "-serial", "chardev:kernel")
    yield from ("-device", "virtio-serial-pci")
    if terminal:
        yield from (
            "-chardev",
            "stdio,id=speech,signal=off",
            "-device",
            "virtconsole,chardev=speech",
        )
    else:
        yield from ("-chardev", f"file,id=speech,path={path['speech']}")
        yield from ("-device", "virtserialport,nr=1,chardev=speech")
    yield from ("-chardev", f"file,id=status,path={path['status']}")
    yield from ("-device", "virtserialport,nr=2,chardev=status")
    yield from ("-fw_cfg", f"name=opt/org.spiderpool/job,file={path['job']}")


def start(arguments: list[str]) -> int:
    """The process of a program that dies with this one."""
    parent = os.getpid()
    if (child := os.fork()) == 0:
        _become(arguments, parent)
    return child


def _become(arguments: list[str], parent: int) -> NoReturn:
    """A parent that died before the request was made is found by asking once more."""
    try:
        set_parent_death_signal(signal.SIGKILL)
        if os.getppid() == parent:
            os.execv(arguments[0], arguments)  # noqa: S606  no shell is the point
    finally:
        os._exit(1)


def ended(child: int, speech: int, seconds: float) -> bool:
    """Whether it ends in time, else it is killed; what comes out of the pipe is passed on."""
    limit, process = time.monotonic() + seconds, os.pidfd_open(child)
    heard = [speech, process]
    while heard:
        ready = select.select(heard, [], [], max(0, limit - time.monotonic()))[0]
        if not ready:
            os.kill(child, signal.SIGKILL)
            break
        if speech in ready and not pass_on(speech):
            heard.remove(speech)
        elif ready == [process]:
            heard.remove(process)
    os.waitpid(child, 0)
    return not heard


def pass_on(speech: int) -> bytes:
    """What was said, nothing at the end."""
    words = os.read(speech, 1 << 16)
    sys.stdout.buffer.write(words)
    sys.stdout.buffer.flush()
    return words


def outcome(status: str, kernel: str) -> int:
    """The exit status that the guest wrote; without one, what its kernel said last is shown."""
    if status.strip().isdigit():
        return int(status)
    last = "\n".join(kernel.splitlines()[-_LAST_WORDS:])
    said(f"the virtual machine ended before the command did\n{last}")
    return 1


def content(file: int) -> str:
    """All of a file in memory."""
    return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")


def said(words: str) -> None:
    """Tell a person who waits."""
    print(f"vm: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
