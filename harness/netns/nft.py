"""Load nftables rules into a namespace with the ``nft`` program."""

from __future__ import annotations

import errno

from harness.netns import programs
from harness.netns.process import run
from spiderpool.errors import OperationFailed, SpiderpoolError
from spiderpool.netlink.namespace import Namespace


class NoNft(SpiderpoolError):
    """The machine has no ``nft``."""


async def load(namespace: Namespace, script: str) -> None:
    """Carry out a script in the language of nft(8), all or nothing.

    Raises:
        OperationFailed: with nft's first complaint.
        NoNft: the program is missing.
    """
    program = programs.find("nft")
    if program is None:
        raise NoNft(f"no nft in {programs.PATH}; install the package nftables")
    environment, stdin = {"PATH": programs.PATH}, script.encode()
    done = await run([program, "-f", "-"], namespace, env=environment, stdin=stdin)
    if done.status != 0:
        complaint = done.stderr.decode(errors="replace").partition("\n")[0]
        raise OperationFailed("nft -f -", errno.EINVAL, complaint)


async def ruleset(namespace: Namespace) -> str:
    """All rules of a namespace in the language of nft(8), or nft's complaint."""
    program = programs.find("nft")
    if program is None:
        return "# no nft\n"
    done = await run([program, "list", "ruleset"], namespace, env={"PATH": programs.PATH})
    return (done.stdout or done.stderr).decode(errors="replace")
