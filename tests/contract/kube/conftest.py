"""The servers that the contract is checked on; each test gets an empty one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from spiderpool.kube.api import Client
from spiderpool.kube.resources import NAMESPACE
from spiderpool.testing.kube import FakeClient

Scenario = Callable[[Client], Awaitable[None]]
Check = Callable[[Scenario], None]


def on_fake(scenario: Scenario) -> None:
    asyncio.run(scenario(FakeClient([(NAMESPACE, {"metadata": {"name": "default"}})])))


@pytest.fixture(params=[on_fake], ids=["fake"])
def check(request: pytest.FixtureRequest) -> Check:
    """Runs a scenario against one kind of server."""
    on_server: Check = request.param
    return on_server
