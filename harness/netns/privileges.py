"""What this process may do (capabilities(7))."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_BITS = {"CAP_NET_BIND_SERVICE": 10, "CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_ADMIN": 21}

STATUS = Path("/proc/self/status")


def lacking(names: Iterable[str] = _BITS, status: Path = STATUS) -> tuple[str, ...]:
    """Those of ``names``, by default of all that a sandbox takes, that are not in effect."""
    held = _effective(status.read_text(encoding="ascii"))
    return tuple(name for name in names if not held >> _BITS[name] & 1)


def _effective(status: str) -> int:
    """The mask in ``/proc/<pid>/status`` (proc(5))."""
    line = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return int(line.split()[1], 16)
