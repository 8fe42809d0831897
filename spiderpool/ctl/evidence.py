"""The objects that commands judge by, asked of the API once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from spiderpool.errors import NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.client import connect
from spiderpool.kube.resources import Resource

T = TypeVar("T")


def with_api(kubeconfig: str | None, work: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
    """What ``work`` returns, which gets a client for as long as it runs.

    Raises:
        BadInput: the kubeconfig cannot be used.
        KubeError: the API did not answer, or refused.
    """

    async def run() -> T:
        client = connect(kubeconfig)
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


def listed(kubeconfig: str | None, kinds: Iterable[Resource]) -> dict[Resource, list[Object]]:
    """Every object of each kind, in all namespaces.

    Raises:
        BadInput: the kubeconfig cannot be used.
        KubeError: the API did not answer, or refused.
    """
    return with_api(kubeconfig, lambda client: every(client, tuple(kinds)))


async def every(client: Client, kinds: Iterable[Resource]) -> dict[Resource, list[Object]]:
    """As :func:`listed`, with a client that is there."""
    wanted = tuple(kinds)
    answers = await asyncio.gather(*(client.list(kind) for kind in wanted))
    return {kind: answer["items"] for kind, answer in zip(wanted, answers, strict=True)}


async def where_served(client: Client, kinds: Iterable[Resource]) -> list[Object] | None:
    """The objects of kinds that may not be installed; None when one of them is not."""
    try:
        return [obj for items in (await every(client, kinds)).values() for obj in items]
    except NotFound:
        return None
