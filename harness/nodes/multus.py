"""Runs the CNI configuration of a network by executing its plugins, as libcni does.

CNI spec 1.1.0, section 3 "Execution of Network Configurations": plugins are called in
order, each with the result of the one before; DEL goes the other way.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from harness.netns.process import Completed, run
from spiderpool.cni.result import CniResult, result_from_json
from spiderpool.errors import BadInput, CniCode, CniError
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import ContainerID, IfName

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Network:
    """A configuration list: its name, version and plugins as JSON objects."""

    name: str
    version: str
    plugins: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A pod's sandbox as plugins know it: ``path`` is what ``CNI_NETNS`` says."""

    container: ContainerID
    path: str
    namespace: str
    pod: str
    uid: str


def read_network(text: str, where: str) -> Network:
    """``spec.config`` of a NetworkAttachmentDefinition: a list, or one plugin alone.

    Raises:
        BadInput: naming ``where`` and the field.
    """
    try:
        config = orjson.loads(text)
    except ValueError as error:
        raise BadInput(where, f"spec.config is no JSON: {error}") from None
    if not isinstance(config, dict) or not isinstance(config.get("name"), str):
        raise BadInput(where, "spec.config has no name", "add the name of the network")
    plugins = config.get("plugins", [config])
    if not isinstance(plugins, list) or not plugins:
        raise BadInput(where, "spec.config.plugins is no list of plugins")
    for place, plugin in enumerate(plugins):
        kind = plugin.get("type") if isinstance(plugin, dict) else None
        if not isinstance(kind, str) or not kind or "/" in kind or kind.startswith("."):
            raise BadInput(where, f"spec.config.plugins[{place}].type is no name of a plugin")
    return Network(config["name"], str(config.get("cniVersion") or "0.3.1"), tuple(plugins))


class Multus:
    """Executes plugins of ``folder`` on ``node``, with ``environment`` added to theirs."""

    def __init__(self, node: Namespace, folder: Path, environment: Mapping[str, str]) -> None:
        self._node, self._folder, self._environment = node, folder, environment

    async def add(self, network: Network, nic: IfName, sandbox: Sandbox) -> CniResult:
        """Attach a NIC.

        Raises:
            CniError: as the plugin that failed says; the plugins before it have run.
        """
        previous: object = None
        for plugin in network.plugins:
            previous = await self._call(
                CniCommand.ADD, stdin_of(network, plugin, previous), nic, sandbox
            )
        return result_from_json(previous, f"result of network {network.name}")

    async def delete(
        self, network: Network, nic: IfName, sandbox: Sandbox, result: CniResult | None
    ) -> list[CniError]:
        """Detach a NIC: every plugin is called, whatever the others answer."""
        failures = []
        previous = result.to_json(network.version) if result else None
        for plugin in reversed(network.plugins):
            try:
                await self._call(CniCommand.DEL, stdin_of(network, plugin, previous), nic, sandbox)
            except CniError as error:
                log.warning("DEL %s of %s/%s: %s", nic, sandbox.namespace, sandbox.pod, error)
                failures.append(error)
        return failures

    async def check(
        self, network: Network, nic: IfName, sandbox: Sandbox, result: CniResult
    ) -> None:
        """Ask every plugin whether what it made is still there.

        Raises:
            CniError: as the first plugin that finds a difference says.
        """
        previous = result.to_json(network.version)
        for plugin in network.plugins:
            await self._call(CniCommand.CHECK, stdin_of(network, plugin, previous), nic, sandbox)

    async def _call(
        self,
        command: CniCommand,
        config: Mapping[str, Any],
        nic: IfName,
        sandbox: Sandbox,
    ) -> object:
        plugin = config["type"]
        executable = self._folder / plugin
        environment = self._variables(command, nic, sandbox)
        try:
            done = await run(
                [str(executable)], self._node, env=environment, stdin=orjson.dumps(config)
            )
        except OSError as error:
            words = f"cannot execute CNI plugin {plugin}: {error.strerror}"
            raise CniError(CniCode.IO_FAILURE, words) from None
        return answer_of(plugin, command, done)

    def _variables(self, command: CniCommand, nic: IfName, sandbox: Sandbox) -> dict[str, str]:
        arguments = {
            "IgnoreUnknown": "true",
            "K8S_POD_NAMESPACE": sandbox.namespace,
            "K8S_POD_NAME": sandbox.pod,
            "K8S_POD_INFRA_CONTAINER_ID": sandbox.container,
            "K8S_POD_UID": sandbox.uid,
        }
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            **self._environment,
            "CNI_COMMAND": str(command),
            "CNI_CONTAINERID": sandbox.container,
            "CNI_NETNS": sandbox.path,
            "CNI_IFNAME": nic,
            "CNI_ARGS": ";".join(f"{key}={value}" for key, value in arguments.items()),
            "CNI_PATH": str(self._folder),
        }


def stdin_of(network: Network, plugin: Mapping[str, Any], previous: object) -> dict[str, Any]:
    """A plugin's configuration as it is called (CNI spec, "Deriving execution configuration")."""
    config = {**plugin, "name": network.name, "cniVersion": network.version}
    config.pop("plugins", None)
    return config if previous is None else config | {"prevResult": previous}


def answer_of(plugin: str, command: CniCommand, done: Completed) -> object:
    """The JSON that a plugin printed; None when it had nothing to say.

    Raises:
        CniError: the plugin's own error object, or what its end without one looks like.
    """
    try:
        answer = orjson.loads(done.stdout) if done.stdout.strip() else None
    except ValueError:
        answer = None
    if done.status == 0:
        return answer
    if isinstance(answer, dict) and answer.get("msg"):
        message = f"plugin {plugin} failed {command}: {answer['msg']}"
        raise CniError(_code(answer.get("code")), message, str(answer.get("details") or ""))
    complaint = done.stderr.decode(errors="replace").strip().partition("\n")[0]
    message = f"plugin {plugin} failed {command} with status {done.status}: {complaint}"
    raise CniError(CniCode.INTERNAL, message)


def _code(number: object) -> CniCode:
    """Plugins may have codes of their own."""
    return next((code for code in CniCode if code == number), CniCode.INTERNAL)
