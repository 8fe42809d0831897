"""Where a scenario runs: in a cluster that is made for it, or in one that is there."""

from __future__ import annotations

import argparse
import enum
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.run.agents import AgentRoles
from harness.run.apiservers import ApiServer
from spiderpool.errors import BadInput


class On(enum.StrEnum):
    """What ``--on`` takes."""

    EMULATION = "emulation"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Emulation:
    """A cluster of namespaces, made for the run."""

    apiserver: ApiServer = ApiServer.EMBEDDED
    agent_roles: AgentRoles = AgentRoles.TOGETHER

    @property
    def options(self) -> tuple[str, ...]:
        return (f"--apiserver={self.apiserver}", f"--agent-roles={self.agent_roles}")


@dataclass(frozen=True, slots=True)
class Existing:
    """A cluster that is there; ``inventory`` says where (see
    :mod:`harness.run.existing.inventory`). Without ``kubeconfig`` the inventory's is taken."""

    inventory: Path
    kubeconfig: Path | None = None

    @property
    def options(self) -> tuple[str, ...]:
        chosen = (f"--on={On.CLUSTER}", f"--cluster={self.inventory}")
        return (*chosen, f"--kubeconfig={self.kubeconfig}") if self.kubeconfig else chosen


Target = Emulation | Existing


def declare(add: Callable[..., object]) -> None:
    """Add the options to a parser: ``add`` takes what ``ArgumentParser.add_argument`` does."""
    add(
        "--on",
        choices=[str(each) for each in On],
        default=str(On.EMULATION),
        help="run in a cluster that is made for it, or in an existing one (default: %(default)s)",
    )
    add(
        "--apiserver",
        choices=[str(each) for each in ApiServer],
        default=str(ApiServer.EMBEDDED),
        help="the Kubernetes API of the emulation (default: %(default)s); "
        "real needs KUBEBUILDER_ASSETS",
    )
    add(
        "--agent-roles",
        choices=[str(each) for each in AgentRoles],
        default=str(AgentRoles.TOGETHER),
        help="whether the emulation's agents are one process each, or two as in a deployment: "
        "one without capabilities, one without the API (default: %(default)s)",
    )
    add("--cluster", type=Path, metavar="FILE", help="where the existing cluster's machines are")
    add("--kubeconfig", type=Path, metavar="FILE", help="instead of the one that --cluster names")


def chosen(options: argparse.Namespace) -> Target:
    """What the options say.

    Raises:
        BadInput: options that do not go together.
    """
    emulation = Emulation(ApiServer(options.apiserver), AgentRoles(options.agent_roles))
    if On(options.on) is On.EMULATION:
        for name in ("cluster", "kubeconfig"):
            if getattr(options, name) is not None:
                raise BadInput(f"--{name}", "is about an existing cluster", "add --on cluster")
        return emulation
    if options.cluster is None:
        raise BadInput("--on cluster", "does not say where the cluster is", "add --cluster FILE")
    if emulation.apiserver is not ApiServer.EMBEDDED:
        raise BadInput("--apiserver", "is about the emulation", "leave it out")
    if emulation.agent_roles is not AgentRoles.TOGETHER:
        raise BadInput("--agent-roles", "is about the emulation", "leave it out")
    return Existing(options.cluster, options.kubeconfig)
