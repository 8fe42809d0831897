"""Load nftables rules into a namespace with the ``nft`` program."""

from __future__ import annotations

import errno
import shutil

from harness.netns.process import run
from spiderpool.errors import OperationFailed, SpiderpoolError
from spiderpool.netlink.namespace import Namespace

_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


class NoNft(SpiderpoolError):
    """The machine has no ``nft``."""


def find() -> str | None:
    """The program, in the folders of system programs: PATH of a user often lacks them."""
    return shutil.which("nft", path=_PATH)


async def load(namespace: Namespace, script: str) -> None:
    """Carry out a script in the language of nft(8), all or nothing.

    Raises:
        OperationFailed: with nft's first complaint.
        NoNft: the program is missing.
    """
    program = find()
    if program is None:
        raise NoNft(f"no nft in {_PATH}; install the package nftables")
    done = await run([program, "-f", "-"], namespace, env={"PATH": _PATH}, stdin=script.encode())
    if done.status != 0:
        complaint = done.stderr.decode(errors="replace").partition("\n")[0]
        raise OperationFailed("nft -f -", errno.EINVAL, complaint)


async def ruleset(namespace: Namespace) -> str:
    """All rules of a namespace in the language of nft(8), or nft's complaint."""
    program = find()
    if program is None:
        return "# no nft\n"
    done = await run([program, "list", "ruleset"], namespace, env={"PATH": _PATH})
    return (done.stdout or done.stderr).decode(errors="replace")
