"""``python -m spiderpool.agent.folders``: hand folders of the node to an agent that is not root.

The folders stay root's, so that root's CNI plugin can go on leaving intents there; a group gets
them and what root has in them. The group's mark on a folder (setgid) is inherited by what comes
later. It takes no capability: a file's owner may give it to a group that the owner is in.

In the folder of states itself the agent may make nothing, or it could put a link in the place of
the intents, and have root's plugin write wherever that leads.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from spiderpool import streams

STATES = ("intents", "footprints", "devices")
"""What is in the folder of states; see :class:`spiderpool.agent.options.Options`."""

_CLOSED, _FOLDER, _FILE = 0o750, 0o2770, 0o660


def show(folder: Path, group: int) -> None:
    """Let the group into ``folder``, but make nothing in it; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _give(descriptor, group, _CLOSED)
    finally:
        os.close(descriptor)


def hand_over(folder: Path, group: int) -> None:
    """Make ``folder``, when it is missing, and give it to the group with all that is in it.

    What another user owns is left alone: the agent made it. Links are not followed.

    Raises:
        OSError: this process is not the owner, or not in the group.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for _, _, names, descriptor in os.fwalk(folder):
        _give(descriptor, group, _FOLDER)
        for name in names:
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=descriptor)
                try:
                    _give(file, group, _FILE)
                finally:
                    os.close(file)


def _give(descriptor: int, group: int, mode: int) -> None:
    if os.fstat(descriptor).st_uid == os.geteuid():
        os.fchown(descriptor, -1, group)
        os.fchmod(descriptor, mode)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="spiderpool-folders", description=__doc__)
    made.add_argument("--group", type=int, required=True, help="number of the agent's group")
    made.add_argument("--socket-dir", type=Path, default="/var/run/spidernet")
    made.add_argument("--state-dir", type=Path, default="/var/lib/spidernet")
    return made


@streams.guarded("spiderpool-folders")
def main(arguments: Sequence[str] | None = None) -> int:
    """0: done; 1: a line on stderr says why not."""
    options = parser().parse_args(arguments)
    try:
        for folder in (options.socket_dir, *(options.state_dir / name for name in STATES)):
            hand_over(folder, options.group)
        show(options.state_dir, options.group)
    except OSError as error:
        streams.tell("spiderpool-folders", f"{error.filename or 'a folder'}: {error.strerror}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
