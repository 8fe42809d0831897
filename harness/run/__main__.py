"""``python -m harness.run``: runs one scenario and tells what happens on ``--events-fd``.

An emulated cluster is in a sandbox with the whole process. In an existing one the process stays
in the namespaces that it was started in, which the paths of the inventory are for.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness.netns import sandbox, syscalls
from harness.netns.sandbox import SandboxRefused
from harness.run import agents
from harness.run.cluster import Cluster
from harness.run.emulated import EmulatedCluster
from harness.run.engine import Engine
from harness.run.events import Ended, Event, encode
from harness.run.existing.cluster import ExistingCluster
from harness.run.existing.inventory import read_inventory
from harness.run.readiness import obstacles, obstacles_on_a_cluster
from harness.run.setting import setting
from harness.run.target import Emulation, Existing, chosen, declare
from harness.scenario.load import load
from harness.scenario.model import Scenario
from spiderpool.errors import BadInput, SpiderpoolError

Emit = Callable[[Event], None]


def main(arguments: list[str] | None = None) -> int:
    """Entry point; whoever started the engine reads the events."""
    parser = argparse.ArgumentParser(prog="python -m harness.run", description=__doc__)
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--events-fd", type=int, required=True)
    parser.add_argument("--keep", type=Path)
    declare(parser.add_argument)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")

    def emit(event: Event) -> None:
        os.write(options.events_fd, encode(event))

    try:
        keep, target = _held(options.keep) if options.keep else None, chosen(options)
        if isinstance(target, Emulation):
            _emulate(options.scenario, target, emit, keep)
        else:
            _visit(options.scenario, target, emit, keep)
    except SandboxRefused as error:
        emit(Ended(0.0, cannot=str(error)))
    except SpiderpoolError as error:
        emit(Ended(0.0, problem=str(error)))
    return 0


def _held(folder: Path) -> Path:
    """A path of ``folder`` that leads there wherever else a sandbox hides it.

    Raises:
        BadInput: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(f"/proc/self/fd/{os.open(folder, os.O_PATH | os.O_DIRECTORY)}")
    except OSError as error:
        remedy = "give a folder that you may write to"
        raise BadInput(f"--keep {folder}", f"cannot be used: {error.strerror}", remedy) from None


def _emulate(path: Path, target: Emulation, emit: Emit, keep: Path | None) -> None:
    if path.resolve().is_relative_to(sandbox.HIDDEN):
        reason = f"lies in {sandbox.HIDDEN}, which a sandbox has for itself"
        raise BadInput(str(path), reason, "move it elsewhere")
    sandbox.enter()
    scenario = load(path)
    missing = [*obstacles(scenario, target.apiserver), agents.obstacle(target.agent_roles)]
    if cannot := "; ".join(filter(None, missing)):
        emit(Ended(0.0, cannot=cannot))
        return
    topology = setting(scenario)
    cluster = EmulatedCluster(topology, sandbox.RUN, target.apiserver, target.agent_roles)
    _run(scenario, cluster, emit, keep)


def _visit(path: Path, target: Existing, emit: Emit, keep: Path | None) -> None:
    """The objects go even when whoever started this is killed."""
    syscalls.set_parent_death_signal(signal.SIGTERM)
    scenario, inventory = load(path), read_inventory(target.inventory)
    kubeconfig = target.kubeconfig or inventory.kubeconfig
    if kubeconfig is None:
        raise BadInput(str(target.inventory), "names no kubeconfig", "add it, or --kubeconfig")
    if missing := "; ".join(obstacles_on_a_cluster(scenario)):
        emit(Ended(0.0, cannot=missing))
        return
    topology = setting(scenario)
    with tempfile.TemporaryDirectory(prefix="harness-") as folder:
        cluster = ExistingCluster(inventory, topology, scenario.names, Path(folder), kubeconfig)
        _run(scenario, cluster, emit, keep)


def _run(scenario: Scenario, cluster: Cluster, emit: Emit, keep: Path | None) -> None:
    asyncio.run(_until_told(Engine(scenario, emit, keep, cluster)))


async def _until_told(engine: Engine) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, engine.interrupt)
    await engine.run()


if __name__ == "__main__":
    sys.exit(main())
