"""What a scenario's names stand for in one run: places, addresses, services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.scenario.reference import Place, Reference, fill
from spiderpool.errors import SpiderpoolError
from spiderpool.netlink.objects import NetState, Scope
from spiderpool.types.address import Address, Family, InterfaceAddress, address_of, family_of


class UnknownName(SpiderpoolError):
    """A name of the scenario stands for nothing in this run; the text says what there is."""


@dataclass(frozen=True, slots=True)
class NicFacts:
    """Addresses in the kernel's order, without link-local ones; those that it has learned from
    a router come last."""

    addresses: tuple[InterfaceAddress, ...]
    mac: str


@dataclass(frozen=True, slots=True)
class PodFacts:
    """``place`` is how captures call the pod's namespace; ``name`` is the API object's."""

    place: str
    name: str
    node: str


@dataclass(frozen=True, slots=True)
class Names:
    """``pods`` and ``services`` by the scenario's names; ``nics`` by place, then NIC.

    Nodes, routers and hosts are places by their own names.
    """

    pods: Mapping[str, PodFacts] = field(default_factory=dict)
    services: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    nics: Mapping[str, Mapping[str, NicFacts]] = field(default_factory=dict)

    def place(self, place: Place) -> str:
        """How captures call it. Raises UnknownName."""
        pod = self.pods.get(place.name)
        if place.node:
            if pod is None:
                raise UnknownName(f"{place.name} is no pod here, so {place} is no node")
            return pod.node
        found = pod.place if pod else place.name
        if found not in self.nics:
            raise UnknownName(f"there is no place {place}; there are {_list(self._all_places())}")
        return found

    def nic(self, reference: Reference) -> NicFacts:
        """Raises UnknownName."""
        nics = self.nics[self.place(reference.place)]
        found = nics.get(reference.nic or "")
        if found is None:
            raise UnknownName(f"{reference.place} has no NIC {reference.nic}; it has {_list(nics)}")
        return found

    def address(self, reference: Reference, family: Family) -> Address:
        """The first address of a NIC, or of a service. Raises UnknownName."""
        if reference.nic is None and reference.place.name in self.services:
            candidates = self.services[reference.place.name]
        elif reference.nic is not None:
            candidates = tuple(address_of(each) for each in self.nic(reference).addresses)
        else:
            raise UnknownName(f"{reference} is no service: name a NIC, like {reference}.eth0")
        for candidate in candidates:
            if family_of(candidate) is family:
                return candidate
        raise UnknownName(f"{reference} has no IPv{family.number} address")

    def text(self, text: str, bound: str | None) -> str:
        """``text`` with its placeholders filled in. Raises UnknownName.

        A place stands for its name (a pod's is that of the API object), a service for its
        address, a NIC for its IPv4 address, or by property for its ``v6`` or its ``mac``.
        """
        return fill(text, bound, self._value)

    def called(self, place: str) -> str:
        """The scenario's name of a place as captures call it."""
        return next((name for name, pod in self.pods.items() if pod.place == place), place)

    def _value(self, reference: Reference) -> str:
        if reference.property == "mac":
            return self.nic(reference).mac
        if reference.property == "v6":
            return self.address(reference, Family.V6)
        if reference.nic is not None or reference.place.name in self.services:
            return self.address(reference, Family.V4)
        place = self.place(reference.place)
        pod = self.pods.get(reference.place.name)
        return pod.name if pod and not reference.place.node else place

    def _all_places(self) -> list[str]:
        return [self.called(place) for place in self.nics]


def nics_of(state: NetState) -> Mapping[str, NicFacts]:
    """The NICs of a place, from a dump with links and addresses."""
    return {
        link.name: NicFacts(
            tuple(
                entry.address
                for entry in sorted(state.addresses_of(link.name), key=lambda one: one.learned)
                if entry.scope is not Scope.LINK
            ),
            link.mac,
        )
        for link in state.links
    }


def _list(names: Mapping[str, object] | list[str]) -> str:
    return ", ".join(names) or "none"
