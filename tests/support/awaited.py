"""Objects of an API, waited for until they are as a test expects."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, ClassVar

from spiderpool.errors import NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import Resource


class Awaited:
    """Looks at ``client`` again and again, and fails when ``PATIENCE`` seconds are over."""

    PATIENCE: ClassVar[float]
    PAUSE: ClassVar[float]

    def __init__(self, client: Client) -> None:
        self.client = client

    async def until(
        self,
        resource: Resource,
        name: str,
        holds: Callable[[Object], Any],
        namespace: str | None = None,
    ) -> Object:
        """The object, once ``holds`` is true of it."""
        async with asyncio.timeout(self.PATIENCE):
            while True:
                with contextlib.suppress(NotFound):
                    obj = await self.client.get(resource, name, namespace)
                    if holds(obj):
                        return obj
                await asyncio.sleep(self.PAUSE)

    async def until_gone(self, resource: Resource, name: str, namespace: str | None = None) -> None:
        async with asyncio.timeout(self.PATIENCE):
            while True:
                try:
                    await self.client.get(resource, name, namespace)
                except NotFound:
                    return
                await asyncio.sleep(self.PAUSE)
