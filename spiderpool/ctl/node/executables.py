"""A plugin's file: what it needs of the node, and what it answers to VERSION."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from pathlib import Path

from spiderpool.ctl.node.facts import Executable

SECONDS = 5.0
PT_INTERP = 3
_HEADER = struct.Struct("<32xQ14xHH")
"""ELF-64: e_phoff, e_phentsize, e_phnum (elf(5)); amd64 and arm64 are little-endian."""


def look_at(path: Path) -> Executable:
    """Executes it, with nothing but ``CNI_COMMAND=VERSION`` in its environment."""
    if not (path.is_file() and os.access(path, os.X_OK)):
        return Executable(executable=False)
    static: bool | None = None
    try:
        static = is_static(path)
        done = subprocess.run(
            [path],
            env={"CNI_COMMAND": "VERSION"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        versions = json.loads(done.stdout)["supportedVersions"]
    except subprocess.TimeoutExpired:
        return Executable(static=static, complaint="no answer in time")
    except OSError as error:
        return Executable(static=static, complaint=error.strerror or str(error))
    except (ValueError, KeyError, TypeError):
        return Executable(static=static, complaint="its answer is not that of a CNI plugin")
    return Executable(static=static, versions=tuple(map(str, versions)))


def is_static(path: Path) -> bool | None:
    """Whether the kernel alone can start it; None for what is no ELF file, like a script."""
    with path.open("rb") as file:
        head = file.read(64)
        if len(head) < 64 or head[:5] != b"\x7fELF\x02":
            return None
        offset, size, count = _HEADER.unpack_from(head)
        file.seek(offset)
        table = file.read(size * count)
    kinds = (int.from_bytes(table[i * size :][:4], "little") for i in range(count))
    return PT_INTERP not in kinds
