"""An event loop whose clock jumps to the next timer, so that minutes pass in milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Any


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing: when no descriptor is ready, the clock moves on instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(timeout if timeout is None else 0)
        if not ready and timeout is not None:
            self.now += max(timeout, 1e-6)
        return ready


class WarpedLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_warped(scene: Callable[[], Awaitable[None]], seconds: float = 600.0) -> None:
    """Run a scene that ends within that many seconds of its own clock."""

    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await scene()

    with asyncio.Runner(loop_factory=WarpedLoop) as runner:
        runner.run(bounded())
