"""Trying again until it works or the time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from spiderpool.errors import BadInput, KubeError

T = TypeVar("T")

PAUSE_SECONDS = 0.5
_FINAL = frozenset({400, 401, 403, 404, 422})
"""Answers that the same request gets again."""


class NotYet(Exception):
    """Why it has to be looked at again; never leaves this package."""


async def patiently(action: Callable[[], Awaitable[T]], seconds: float, what: str) -> T:
    """What ``action`` returns, once it neither raises NotYet nor is refused for the moment.

    Raises:
        BadInput: the time is over; says what was waited for, and why it is not so.
        KubeError: the API refuses for good.
    """
    end = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await action()
        except (NotYet, KubeError) as exc:
            if isinstance(exc, KubeError) and exc.status in _FINAL:
                raise
            if asyncio.get_running_loop().time() >= end:
                raise BadInput(what, f"not done in {seconds:g} s: {exc}") from None
        await asyncio.sleep(PAUSE_SECONDS)
