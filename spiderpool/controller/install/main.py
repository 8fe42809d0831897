"""One step of an installation: ``crds``, ``defaults``, ``plugins`` or ``clean``."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from spiderpool import logs, streams
from spiderpool.controller.cniconf import default_cni
from spiderpool.controller.install.clean import clean, stop_controller
from spiderpool.controller.install.defaults import (
    install_objects,
    read_objects,
    wait_for_controller,
)
from spiderpool.controller.install.definitions import install_definitions
from spiderpool.controller.install.multus import withdraw
from spiderpool.controller.install.network import network
from spiderpool.controller.install.plugins import install_plugins
from spiderpool.errors import SpiderpoolError
from spiderpool.kube.api import Client, Object
from spiderpool.kube.client import connect

WAIT_SECONDS = 240.0
"""Below the five minutes that Helm gives a hook."""
MULTUS_SECONDS = 100.0
"""Nodes that have not answered by then are left as they are."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parse = argparse.ArgumentParser(
        prog="python -m spiderpool.controller.install", description=__doc__
    )
    steps = parse.add_subparsers(dest="step", required=True, metavar="STEP")
    _add_step(steps, "crds", "create or replace the CustomResourceDefinitions")
    defaults = _add_step(steps, "defaults", "create the objects that the values ask for")
    _add_controller(defaults)
    defaults.add_argument("--objects", type=Path, metavar="FILE", help="JSON list of objects")
    network = defaults.add_mutually_exclusive_group()
    network.add_argument("--default-network", default="", help="name of the default CNI's network")
    network.add_argument(
        "--cni-conf-dir", type=Path, help="name it as the first configuration there is named"
    )
    clean = _add_step(steps, "clean", "stop the controller, delete all objects and definitions")
    _add_controller(clean)
    clean.add_argument("--selector", required=True, help="labels of the controller's pods")
    clean.add_argument("--job", required=True, help="name of the Job that created the defaults")
    clean.add_argument("--multus", help="DaemonSet that is to leave its nodes")
    plugins = steps.add_parser("plugins", help="copy CNI plugins into a node's folder")
    plugins.add_argument("sources", nargs="+", type=Path, help="folders of executables")
    plugins.add_argument("--to", required=True, type=Path, help="the node's folder")
    return parse


def _add_step(
    steps: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    step = steps.add_parser(name, help=text, description=text)
    step.add_argument("--kubeconfig", help="default: $KUBECONFIG, or the pod's service account")
    step.add_argument("--wait", type=float, default=WAIT_SECONDS, metavar="SECONDS")
    return step


def _add_controller(step: argparse.ArgumentParser) -> None:
    step.add_argument("--namespace", required=True, help="of the installation")
    step.add_argument("--controller", required=True, help="name of its Deployment")


@streams.guarded("spiderpool install", failed=2)
def main(arguments: Sequence[str] | None = None) -> int:
    """0: done; 2: a line on stderr says why not."""
    options = parser().parse_args(arguments)
    logs.to_stderr("install")
    try:
        if options.step == "plugins":
            install_plugins(tuple(options.sources), options.to)
        else:
            asyncio.run(_carry_out(options))
    except SpiderpoolError as exc:
        streams.tell("spiderpool install", str(exc))
        return 2
    return 0


async def _carry_out(options: argparse.Namespace) -> None:
    client = connect(options.kubeconfig)
    steps = {"crds": _crds, "defaults": _defaults, "clean": _clean}
    try:
        await steps[options.step](client, options)
    finally:
        await client.close()


async def _crds(client: Client, options: argparse.Namespace) -> None:
    await install_definitions(client, options.wait)


async def _defaults(client: Client, options: argparse.Namespace) -> None:
    wishes = _wishes(options)
    await wait_for_controller(client, options.controller, options.namespace, options.wait)
    await install_objects(client, wishes, options.wait)


def _wishes(options: argparse.Namespace) -> tuple[Object, ...]:
    """Raises BadInput for what cannot be used, before anything is waited for."""
    objects = read_objects(options.objects) if options.objects else ()
    folder = options.cni_conf_dir
    if not options.default_network and folder is None:
        return objects
    found = default_cni(folder)
    return (*objects, network(options.namespace, options.default_network, found))


async def _clean(client: Client, options: argparse.Namespace) -> None:
    await stop_controller(
        client, options.controller, options.namespace, options.selector, options.wait
    )
    if options.multus:
        await withdraw(client, options.multus, options.namespace, MULTUS_SECONDS)
    await clean(client, options.namespace, options.job, options.wait)
