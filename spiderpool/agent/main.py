"""The agent of a node: puts the parts together, ends on SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from spiderpool import logs, memory, streams
from spiderpool.agent.caches import COORDINATOR, AgentCaches, CacheReadiness
from spiderpool.agent.coordinator import CoordinatorHandler
from spiderpool.agent.coordinator_sources import CachedSources
from spiderpool.agent.ifacer import IfacerHandler
from spiderpool.agent.intents import Intents
from spiderpool.agent.ipam import IpamHandler
from spiderpool.agent.ipam_service import IpamService
from spiderpool.agent.ipam_sources import Sources
from spiderpool.agent.kernel_watch import KernelWatch
from spiderpool.agent.metrics import MeasuredIpam, condition
from spiderpool.agent.options import Options, parse
from spiderpool.agent.reporting import reported
from spiderpool.agent.server import Handler, Plugin, Server
from spiderpool.agent.wire import RawRequest
from spiderpool.errors import SpiderpoolError
from spiderpool.ipam.facts import Pod
from spiderpool.kernel.in_process import InProcess
from spiderpool.kernel.remote import Remote
from spiderpool.kernel.role import KernelRole
from spiderpool.kube.api import Client
from spiderpool.kube.client import connect
from spiderpool.kube.events import EventRecorder, Subject
from spiderpool.kube.following import behind, followed
from spiderpool.kube.informer import Informers
from spiderpool.kube.reasons import Reason
from spiderpool.metrics.http import Pages, serve
from spiderpool.metrics.text import Metric
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import NodeName

log = logging.getLogger(__name__)

KERNEL_THREADS = 4
"""Plans are applied in these; each is a few hundred microseconds of the kernel's time."""


async def run(options: Options, client: Client) -> None:
    """Serve until cancelled."""
    own = Namespace.open(options.netns) if options.netns else Namespace.current()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(KERNEL_THREADS, "kernel"))
    informers = Informers(client)
    caches = AgentCaches.start(informers, options.node)
    kernel, readiness = kernel_role(options), CacheReadiness(informers, caches, options.node)
    watch = KernelWatch(options.kernel_socket, readiness)
    events = EventRecorder(client, "spiderpool-agent", options.node)
    known = Sources(caches, options.cluster_network, options.namespace)
    ipam = IpamService(client, known, options.families, options.node)
    measured = measured_ipam(ipam, options.node, events, kernel)
    with own:

        async def settle(request: RawRequest) -> None:
            await server.carry_out(request, own, None)

        intents = Intents(options.intents, settle)
        ifacer = IfacerHandler(options.devices, kernel.open)
        sources = CachedSources(client, caches, options.node, ipam)
        coordinator = coordinator_plugin(sources, options, kernel)
        plugins = {
            "spiderpool": ipam_plugin(measured),
            COORDINATOR: reported(coordinator, events, caches.pods),
            "ifacer": Plugin(ifacer, needs_caches=frozenset()),
        }
        server = Server(options.socket, plugins, watch, intents)

        def problems() -> list[str]:
            return watch.problems("spiderpool")

        def numbers() -> Iterator[Metric]:
            yield from measured.metrics()
            yield from condition(problems(), intents.pending())
            yield followed(informers)

        pages = Pages(problems, numbers, remarks=partial(behind, informers))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(watch.run())
                group.create_task(_restore(ifacer, own, watch))
                group.create_task(server.run())
                group.create_task(intents.run())
                group.create_task(events.run())
                group.create_task(serve(pages, health=options.health, metrics=options.metrics))
                group.create_task(_say_when_ready(readiness, options.node))
        finally:
            await ipam.close()
            await informers.close()
            await client.close()


def kernel_role(options: Options) -> KernelRole:
    """Who works in namespaces: another process, or this one."""
    return Remote(options.kernel_socket) if options.kernel_socket else InProcess()


def measured_ipam(
    service: IpamService, node: NodeName, events: EventRecorder, kernel: KernelRole
) -> MeasuredIpam:
    """Who carries out what the plugin ``spiderpool`` is asked."""

    async def warn(pod: Pod, reason: Reason, message: str) -> None:
        events.warn(Subject("v1", "Pod", pod.name, pod.namespace, pod.uid), reason, message)

    return MeasuredIpam(IpamHandler(service, node, warn, kernel), service.counters)


def ipam_plugin(handler: Handler) -> Plugin:
    """The plugin ``spiderpool``: what it releases, too, it finds in the caches."""
    needs = frozenset({CniCommand.ADD, CniCommand.CHECK, CniCommand.DEL, CniCommand.GC})
    return Plugin(handler, needs)


def coordinator_plugin(sources: CachedSources, options: Options, kernel: KernelRole) -> Plugin:
    """The plugin ``coordinator``: what it removes is known to this node alone."""
    needs = frozenset({CniCommand.ADD, CniCommand.CHECK})
    return Plugin(CoordinatorHandler(sources, options.footprints, kernel), needs)


async def _restore(ifacer: IfacerHandler, own: Namespace, watch: KernelWatch) -> None:
    await watch.there()
    await ifacer.restore(own)


async def _say_when_ready(readiness: CacheReadiness, node: NodeName) -> None:
    await readiness.synced()
    memory.keep_what_is_here()
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


@streams.guarded("spiderpool-agent")
def main() -> int:
    """Entry point; a wrong option or configuration ends with one line on stderr."""
    problems: list[str] = []
    try:
        options = parse()
        logs.to_stderr("agent", options.log_format, options.log_level)
        memory.expect_much()
        asyncio.run(_until_signal(options))
    except* SpiderpoolError as group:
        problems = [str(problem) for problem in group.exceptions]
    for problem in problems:
        streams.tell("spiderpool-agent", problem)
    return 1 if problems else 0
