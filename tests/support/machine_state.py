"""What a run must leave as it was: the machine's own network, files and processes."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

DEADLINE = 20.0
FOLDERS = (
    Path("/run/netns"),
    Path("/run/harness"),
    Path("/run/spidernet"),
    Path("/var/lib/cni"),
    Path("/var/lib/spidernet"),
)


def machine_state() -> dict[str, str]:
    """What a leak would change in the namespace that the tests run in."""
    shown = {
        command: subprocess.run(command.split(), check=True, capture_output=True, text=True).stdout
        for command in ("ip -o link", "ip -o addr show scope global", "ip rule", "nft list ruleset")
    }
    for folder in FOLDERS:
        shown[str(folder)] = str(sorted(folder.iterdir()) if folder.exists() else None)
    shown["mounts"] = Path("/proc/self/mountinfo").read_text()
    return shown


def descendants(pid: int) -> Iterator[int]:
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)
        yield from descendants(int(child))


def ended(descriptors: list[int]) -> bool:
    """Whether all the processes of these pidfds end before the deadline."""
    limit = time.monotonic() + DEADLINE
    return all(
        select.select([fd], [], [], max(0, limit - time.monotonic()))[0] for fd in descriptors
    )


def killed_without_a_trace(victim: subprocess.Popen[bytes], least: int) -> bool:
    """Kill ``victim``, which has at least so many descendants; whether they all end too."""
    pidfds = [os.pidfd_open(pid) for pid in descendants(victim.pid)]
    assert len(pidfds) >= least, "not yet what was to be killed"
    assert not select.select(pidfds, [], [], 0)[0]
    victim.kill()
    victim.wait()
    all_ended = ended(pidfds)
    for descriptor in pidfds:
        os.close(descriptor)
    return all_ended
