"""The agent of a node: reads its arguments, puts the parts together, ends on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from spiderpool import logs
from spiderpool.agent.caches import COORDINATOR, AgentCaches, CacheReadiness
from spiderpool.agent.coordinator import CoordinatorHandler
from spiderpool.agent.coordinator_sources import CachedSources
from spiderpool.agent.intents import Intents
from spiderpool.agent.ipam import IpamHandler
from spiderpool.agent.ipam_service import IpamService
from spiderpool.agent.ipam_sources import Sources
from spiderpool.agent.server import Plugin, Server
from spiderpool.agent.wire import RawRequest
from spiderpool.errors import SpiderpoolError
from spiderpool.ipam.facts import Pod
from spiderpool.kube.api import Client
from spiderpool.kube.client import connect
from spiderpool.kube.events import EventRecorder, Subject
from spiderpool.kube.informer import Informers
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import NodeName

log = logging.getLogger(__name__)

KERNEL_THREADS = 4
"""Plans are applied in these; each is a few hundred microseconds of the kernel's time."""


@dataclass(frozen=True, slots=True)
class Options:
    """The command line."""

    socket: Path
    node: NodeName
    kubeconfig: str | None
    state_dir: Path
    netns: str | None

    @property
    def intents(self) -> Path:
        return self.state_dir / "intents"

    @property
    def footprints(self) -> Path:
        return self.state_dir / "footprints"


def parse(arguments: Sequence[str] | None = None) -> Options:
    """The options; exits with usage when they are wrong."""
    parser = argparse.ArgumentParser(prog="spiderpool-agent", description=__doc__)
    parser.add_argument("--socket", type=Path, default="/var/run/spidernet/spiderpool.sock")
    parser.add_argument("--node", required=True, help="name of the Node that this one is")
    parser.add_argument("--kubeconfig", help="default: $KUBECONFIG, or the pod's service account")
    parser.add_argument("--state-dir", type=Path, default="/var/lib/spidernet")
    parser.add_argument(
        "--netns", help="path of the node's network namespace; default: this process' own"
    )
    given = parser.parse_args(arguments)
    return Options(
        given.socket, NodeName(given.node), given.kubeconfig, given.state_dir, given.netns
    )


async def run(options: Options, client: Client) -> None:
    """Serve until cancelled."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(KERNEL_THREADS, "kernel"))
    informers = Informers(client)
    caches = AgentCaches.start(informers, options.node)
    readiness = CacheReadiness(informers, caches)
    events = EventRecorder(client, "spiderpool-agent", options.node)
    ipam = IpamService(client, Sources(caches))
    with Namespace.open(options.netns) if options.netns else Namespace.current() as own:

        async def settle(request: RawRequest) -> None:
            await server.carry_out(request, own, None)

        intents = Intents(options.intents, settle)
        sources = CachedSources(client, caches, options.node, ipam)
        plugins = {
            "spiderpool": ipam_plugin(ipam, options.node, events),
            COORDINATOR: coordinator_plugin(sources, options),
        }
        server = Server(options.socket, plugins, readiness, intents)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(server.run())
                group.create_task(intents.run())
                group.create_task(events.run())
                group.create_task(_say_when_ready(readiness, options.node))
        finally:
            await ipam.close()
            await informers.close()
            await client.close()


def ipam_plugin(service: IpamService, node: NodeName, events: EventRecorder) -> Plugin:
    """The plugin ``spiderpool``: what it releases, too, it finds in the caches."""

    async def warn(pod: Pod, reason: str, message: str) -> None:
        events.warn(Subject("v1", "Pod", pod.name, pod.namespace, pod.uid), reason, message)

    needs = frozenset({CniCommand.ADD, CniCommand.CHECK, CniCommand.DEL, CniCommand.GC})
    return Plugin(IpamHandler(service, node, warn), needs)


def coordinator_plugin(sources: CachedSources, options: Options) -> Plugin:
    """The plugin ``coordinator``: what it removes is known to this node alone."""
    needs = frozenset({CniCommand.ADD, CniCommand.CHECK})
    return Plugin(CoordinatorHandler(sources, options.footprints), needs)


async def _say_when_ready(readiness: CacheReadiness, node: NodeName) -> None:
    await readiness.synced()
    log.info("ready as node %s", node)


async def _until_signal(options: Options) -> None:
    """Run until SIGTERM or SIGINT, then let what is in flight end."""
    work = asyncio.create_task(run(options, connect(options.kubeconfig)))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        log.info("ended")


def main() -> None:
    """Entry point; a wrong option or configuration ends with one line on stderr."""
    options = parse()
    logs.to_stderr()
    problems: list[str] = []
    try:
        asyncio.run(_until_signal(options))
    except* SpiderpoolError as group:
        problems = [str(problem) for problem in group.exceptions]
    for problem in problems:
        sys.stderr.write(f"spiderpool-agent: {problem}\n")
    sys.exit(1 if problems else 0)
