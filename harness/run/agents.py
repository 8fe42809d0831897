"""The processes that are a node's agent: one, or two of which each lacks what the other has."""

from __future__ import annotations

import enum
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.run.components import module

SOCKET, KERNEL_SOCKET = "spiderpool.sock", "kernel.sock"
KERNEL_CAPABILITIES = ("net_admin", "net_raw", "sys_admin")
"""Those of the chart's container spiderpool-kernel; its container spiderpool-agent has none."""


class AgentRoles(enum.StrEnum):
    """What ``--agent-roles`` takes."""

    TOGETHER = "together"
    SPLIT = "split"


def obstacle(roles: AgentRoles) -> str:
    """What is missing, with the way to mend it; empty when nothing is."""
    if roles is AgentRoles.SPLIT and shutil.which("setpriv") is None:
        return "no setpriv, by which capabilities are given up: install the package util-linux"
    return ""


@dataclass(frozen=True, slots=True)
class NodeAgent:
    """The agent of ``node``, whose sockets and state are in ``folder``.

    ``netns`` is a descriptor of the node's namespace, which the processes must inherit.
    """

    node: str
    folder: Path
    kubeconfig: Path
    netns: int
    roles: AgentRoles

    @property
    def socket(self) -> Path:
        return self.folder / SOCKET

    @property
    def kernel_socket(self) -> Path:
        return self.folder / KERNEL_SOCKET

    @property
    def command(self) -> Sequence[str]:
        """What answers the plugins; with a kernel role of its own it has no capability."""
        agent = module(
            "spiderpool.agent",
            *("--socket", str(self.socket)),
            *("--node", self.node),
            *("--kubeconfig", str(self.kubeconfig)),
            *("--state-dir", str(self.folder)),
            *("--netns", f"/proc/self/fd/{self.netns}"),
        )
        if self.roles is AgentRoles.TOGETHER:
            return agent
        return (*_with(()), *agent, "--kernel-socket", str(self.kernel_socket))

    @property
    def kernel_command(self) -> Sequence[str]:
        """What works in namespaces for it."""
        role = module("spiderpool.kernel", "--socket", str(self.kernel_socket))
        return (*_with(KERNEL_CAPABILITIES), *role)


def _with(capabilities: Sequence[str]) -> Sequence[str]:
    """Execute with these capabilities and never more, though as root (capabilities(7))."""
    kept = ",".join(["-all", *(f"+{name}" for name in capabilities)])
    return ("setpriv", f"--bounding-set={kept}", f"--inh-caps={kept}", "--no-new-privs", "--")
