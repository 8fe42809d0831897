"""A node as the doctor sees it: plain values, which checks judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spiderpool.types.address import Prefix


@dataclass(frozen=True, slots=True)
class Kernel:
    """``features`` are modules that are loaded, built in or can be loaded; None when neither
    can be told. ``release`` is like ``6.1.0-13-amd64``."""

    release: str = ""
    features: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nic:
    """A link of the node's own namespace, as ``/sys/class/net`` has it."""

    name: str
    up: bool = True
    promiscuous: bool = False
    carrier: bool = True
    mtu: int = 1500
    wireless: bool = False
    driver: str = ""
    master: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Managers:
    """Programs that change networks by themselves; texts of their files by path, in the order
    in which they count."""

    network_manager: bool = False
    network_manager_files: Mapping[str, str] = field(default_factory=dict)
    networkd: bool = False
    networkd_files: Mapping[str, str] = field(default_factory=dict)
    network_files: Mapping[str, str] = field(default_factory=dict)
    link_files: Mapping[str, str] = field(default_factory=dict)
    sysctl_files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executable:
    """A plugin's file; ``static`` is None for what is no ELF file; ``versions`` are what it
    answers to VERSION, or ``complaint`` why it does not."""

    executable: bool = True
    static: bool | None = True
    versions: tuple[str, ...] = ()
    complaint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cni:
    """``/opt/cni/bin`` and ``/etc/cni/net.d``; ``kubeconfigs`` are paths that configurations
    name, with whether they exist."""

    names: frozenset[str] = frozenset()
    ours: Mapping[str, Executable] = field(default_factory=dict)
    configurations: Mapping[str, str] = field(default_factory=dict)
    kubeconfigs: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that the agent writes into; ``problem`` is empty when it can."""

    path: str
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """``answers``: plugin -> what STATUS said, empty when all is well; ``silence`` says why
    nobody answered."""

    socket: str = ""
    silence: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[Folder, ...] = ()
    waiting: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """``sysctls`` by path below ``/proc/sys/net``; ``parents`` are the NICs that pods' NICs
    are made on; ``networks`` what lies behind them; ``pods`` how many may run here."""

    kernel: Kernel = field(default_factory=Kernel)
    sysctls: Mapping[str, str] = field(default_factory=dict)
    nics: Mapping[str, Nic] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    networks: Mapping[str, tuple[Prefix, ...]] = field(default_factory=dict)
    managers: Managers = field(default_factory=Managers)
    cni: Cni = field(default_factory=Cni)
    agent: AgentFacts = field(default_factory=AgentFacts)
    pods: int = 110
