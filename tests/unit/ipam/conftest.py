"""Stories about addresses, each in a world of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from ipam_world import World

Story = Callable[[World], Coroutine[Any, Any, None]]


@pytest.fixture
def play() -> Callable[[Story], None]:
    """Runs a story in a world of its own."""

    def run(story: Story) -> None:
        async def limited() -> None:
            async with asyncio.timeout(20):
                await story(World())

        asyncio.run(limited())

    return run
