"""Reading and writing ``/proc/sys/net`` as the calling thread's namespace sees it.

Keys are paths below it, ``ipv4/conf/eth0.10/rp_filter``: a link's name may hold dots.
"""

from __future__ import annotations

import os

from spiderpool.errors import BadInput

ROOT = "SPIDERPOOL_SYSCTL_ROOT"
"""Names the variable that says where ``/proc/sys/net`` can be written: containers have the
usual place read-only, and a mount of the node's, which follows the thread's namespace too."""


def sysctl_path(key: str) -> str:
    """The file of a key.

    Raises:
        BadInput: the key would lead out of ``/proc/sys/net``.
    """
    parts = key.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in key:
        raise BadInput(f"sysctl {key!r}", "is no key below net", "write ipv4/conf/all/rp_filter")
    return f"{os.environ.get(ROOT, '/proc/sys/net').rstrip('/')}/{key}"


def write_sysctl(key: str, value: str) -> int:
    """Write, and return the errno: 0 for success, ENOENT when there is no such key."""
    try:
        descriptor = os.open(sysctl_path(key), os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        return error.errno or 0
    try:
        os.write(descriptor, value.encode())
    except OSError as error:
        return error.errno or 0
    finally:
        os.close(descriptor)
    return 0


def read_sysctl(key: str) -> str | None:
    """The value without its line end; None when there is no such key."""
    try:
        descriptor = os.open(sysctl_path(key), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return os.read(descriptor, 4096).decode().rstrip("\n")
    finally:
        os.close(descriptor)
