"""A cluster API with our definitions in it: the embedded one, and a real one where it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from api_servers import SERVERS, serving

from spiderpool.errors import AlreadyExists
from spiderpool.kube.client import connect
from spiderpool.kube.resources import CRD
from spiderpool.types.crd import files


@pytest.fixture(scope="session", params=SERVERS)
def kubeconfig(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp(f"controller-{request.param}")
    with serving(request.param, folder) as config:
        asyncio.run(_install(config))
        yield config


async def _install(config: Path) -> None:
    client = connect(str(config))
    for text in files().values():
        document = yaml.safe_load(text)
        try:
            await client.create(CRD, document)
        except AlreadyExists:
            continue
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if all(map(_is_established, (await client.list(CRD))["items"])):
            await client.close()
            return
        await asyncio.sleep(0.05)
    raise AssertionError("a definition was not established")


def _is_established(crd: dict[str, object]) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or ()  # type: ignore[attr-defined]
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
