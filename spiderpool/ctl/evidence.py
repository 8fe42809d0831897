"""The objects that commands judge by, listed once from the API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from spiderpool.kube.api import Object
from spiderpool.kube.client import connect
from spiderpool.kube.resources import Resource


def listed(kubeconfig: str | None, kinds: Iterable[Resource]) -> dict[Resource, list[Object]]:
    """Every object of each kind, in all namespaces.

    Raises:
        BadInput: the kubeconfig cannot be used.
        KubeError: the API did not answer, or refused.
    """
    return asyncio.run(_listed(kubeconfig, tuple(kinds)))


async def _listed(
    kubeconfig: str | None, kinds: tuple[Resource, ...]
) -> dict[Resource, list[Object]]:
    client = connect(kubeconfig)
    try:
        answers = await asyncio.gather(*(client.list(kind) for kind in kinds))
    finally:
        await client.close()
    return {kind: answer["items"] for kind, answer in zip(kinds, answers, strict=True)}
