"""A scenario as plain data: what to build, what to do, what must then be true."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.scenario.document import Where
from harness.scenario.expectations import Expectation
from harness.scenario.reference import Place, Reference
from spiderpool.types.address import Prefix


class Capability(enum.StrEnum):
    """What a machine must be able to do for a scenario, beyond what every scenario needs."""

    VLAN = "vlan"
    BOND = "bond"
    IPVLAN = "ipvlan"
    VRF = "vrf"
    IPV6 = "ipv6"


class Component(enum.StrEnum):
    """What a scenario can install into the emulated cluster."""

    SPIDERPOOL = "spiderpool"


@dataclass(frozen=True, slots=True)
class PodName:
    """The pod that a label selector finds in a namespace, on a node if one is given.

    Of several, ``number`` counts them by their names from 1.
    """

    selector: str
    namespace: str
    node: str | None
    number: int = 1


@dataclass(frozen=True, slots=True)
class ServiceName:
    service: str
    namespace: str


Name = PodName | ServiceName


@dataclass(frozen=True, slots=True)
class Install:
    """Bring a component into the cluster and wait until it serves."""

    where: Where
    component: Component

    def __str__(self) -> str:
        return f"install {self.component}"


class ManifestVerb(enum.StrEnum):
    APPLY = "apply"
    CREATE = "create"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Manifests:
    """``kubectl apply|create|delete -f`` of files that lie beside the scenario; ``force``:
    the API forgets pods at once, whatever kubelet does."""

    where: Where
    verb: ManifestVerb
    files: tuple[Path, ...]
    force: bool = False

    def __str__(self) -> str:
        return f"{self.verb} {' '.join(path.name for path in self.files)}"


@dataclass(frozen=True, slots=True)
class Given:
    """Objects that a cluster has before a scenario begins; where they are not, they are made."""

    where: Where
    files: tuple[Path, ...]

    def __str__(self) -> str:
        return f"given {' '.join(path.name for path in self.files)}"


@dataclass(frozen=True, slots=True)
class Scale:
    where: Where
    object: str
    namespace: str
    replicas: int

    def __str__(self) -> str:
        return f"scale {self.object} to {self.replicas}"


@dataclass(frozen=True, slots=True)
class Wait:
    """``kubectl wait``: ``condition`` is its ``--for``; ``selector`` instead of a name."""

    where: Where
    object: str
    condition: str
    namespace: str
    selector: str | None
    seconds: float

    def __str__(self) -> str:
        selected = f" -l {self.selector}" if self.selector else ""
        return f"wait for {self.object}{selected} to be {self.condition}"


@dataclass(frozen=True, slots=True)
class Ip:
    """Words of an ip(8) command, with placeholders, carried out in a place."""

    where: Where
    place: Place
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"ip {' '.join(self.words)} on {self.place}"


@dataclass(frozen=True, slots=True)
class Redirect:
    """TCP that comes into a place for ``port`` goes to its own port ``to`` instead."""

    where: Where
    place: Place
    port: int
    to: int

    def __str__(self) -> str:
        return f"redirect TCP port {self.port} to {self.to} on {self.place}"


@dataclass(frozen=True, slots=True)
class Advertise:
    """The router that ``nic`` belongs to tells the hosts on that link that it is one, and that
    they may make addresses of ``prefix``; once."""

    where: Where
    nic: Reference
    prefix: Prefix

    def __str__(self) -> str:
        return f"advertise {self.prefix} by {self.nic}"


class Part(enum.StrEnum):
    """A program of Spiderpool's; there is an agent on each node."""

    AGENT = "agent"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True)
class _PartStep:
    where: Where
    part: Part
    node: str | None

    @property
    def _text(self) -> str:
        return f"{self.part} on {self.node}" if self.node else str(self.part)


@dataclass(frozen=True, slots=True)
class KillPart(_PartStep):
    """End a program at once, as a crash does."""

    def __str__(self) -> str:
        return f"kill {self._text}"


@dataclass(frozen=True, slots=True)
class StopPart(_PartStep):
    """End a program as an upgrade does: it may finish what it is doing."""

    def __str__(self) -> str:
        return f"stop {self._text}"


@dataclass(frozen=True, slots=True)
class StartPart(_PartStep):
    """Start it again."""

    def __str__(self) -> str:
        return f"start {self._text}"


@dataclass(frozen=True, slots=True)
class Ctl:
    """``spiderpoolctl`` with these words, which must succeed."""

    where: Where
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"spiderpoolctl {' '.join(self.words)}"


@dataclass(frozen=True, slots=True)
class Expect:
    """Judge these now."""

    where: Where
    expectations: tuple[Expectation, ...]

    def __str__(self) -> str:
        return f"expect {len(self.expectations)} things"


Step = (
    Install
    | Given
    | Manifests
    | Scale
    | Wait
    | Ip
    | Redirect
    | Advertise
    | KillPart
    | StopPart
    | StartPart
    | Ctl
    | Expect
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario file; ``cases`` are ids of documented cases that it covers.

    ``topology`` is a name, which stands at ``topology_at``.
    """

    file: Path
    name: str
    summary: str
    topology: str
    topology_at: Where
    cases: tuple[str, ...]
    needs: tuple[Capability, ...]
    names: Mapping[str, Name]
    steps: tuple[Step, ...]

    def expectations(self) -> Iterator[Expectation]:
        """All expectations in the order in which they are judged."""
        for step in self.steps:
            if isinstance(step, Expect):
                yield from step.expectations
