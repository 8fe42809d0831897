"""Versions of the CNI specification that the plugins speak, oldest first."""

from __future__ import annotations

from spiderpool.types.modes import CniCommand

SUPPORTED = ("0.3.1", "0.4.0", "1.0.0", "1.1.0")
NEWEST = SUPPORTED[-1]

FIRST_VERSION = {
    CniCommand.CHECK: "0.4.0",
    CniCommand.STATUS: "1.1.0",
    CniCommand.GC: "1.1.0",
}
"""The version that a command came with, where it is not the oldest."""


def at_least(version: str, other: str) -> bool:
    """Whether ``version`` is ``other`` or a later one; both are supported ones."""
    return SUPPORTED.index(version) >= SUPPORTED.index(other)


def has_command(version: str, command: CniCommand) -> bool:
    """Whether the specification of ``version`` knows ``command``."""
    return at_least(version, FIRST_VERSION.get(command, SUPPORTED[0]))
