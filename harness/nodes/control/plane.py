"""Puts the control plane together: caches, controllers, scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from harness.nodes.control.catalogue import Catalogue
from harness.nodes.control.collector import Collector
from harness.nodes.control.loops import Endpoints, workloads
from harness.nodes.control.namespaces import Namespaces
from harness.nodes.control.nodes import Nodes
from harness.nodes.control.scheduler import Scheduler
from spiderpool.controller.queue import WorkQueue
from spiderpool.kube.api import Client
from spiderpool.kube.events import EventRecorder
from spiderpool.kube.informer import cancel


class Controller(Protocol):
    queue: WorkQueue[Any]

    def start(self) -> None: ...


async def run_control_plane(client: Client, on_ready: Callable[[], None] = lambda: None) -> None:
    """Run all of it until cancelled; ``on_ready`` is called once the caches are filled."""
    catalogue = Catalogue(client)
    events = EventRecorder(client, "default-scheduler")
    tasks: list[asyncio.Task[None]] = [asyncio.create_task(events.run())]
    try:
        controllers: list[Controller] = [
            *workloads(client, catalogue),
            Endpoints(client, catalogue),
            Nodes(client, catalogue),
            Scheduler(client, catalogue, events),
            Collector(client, catalogue),
            Namespaces(client, catalogue),
        ]
        await catalogue.synced()
        for controller in controllers:
            controller.start()
            tasks.append(asyncio.create_task(controller.queue.run()))
        on_ready()
        await asyncio.gather(*tasks)
    finally:
        await cancel(tasks)
        await catalogue.close()
