"""Error objects as a CNI plugin prints them."""

from __future__ import annotations

from typing import Any

from spiderpool.errors import CniError, SpiderpoolError


def error_object(error: SpiderpoolError, cni_version: str) -> dict[str, Any]:
    """The error object of CNI spec 1.1.0, section 5, "Error"; it is the same in all versions."""
    answer: dict[str, Any] = {
        "cniVersion": cni_version,
        "code": int(error.code),
        "msg": str(error),
    }
    if isinstance(error, CniError) and error.details:
        answer["details"] = error.details
    return answer
