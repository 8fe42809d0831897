"""Reads the state of a namespace through a rtnetlink channel."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from spiderpool.errors import OperationFailed
from spiderpool.netlink import decode, nftables, requests
from spiderpool.netlink.channel import Channel, unreadable
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import Link, LinkAddress, Neighbour, NetState, Route, Rule, Scope
from spiderpool.netlink.selection import Selection
from spiderpool.netlink.sysctl import read_sysctl
from spiderpool.types.address import Family
from spiderpool.types.names import LOCAL, IfName

Entry = TypeVar("Entry", LinkAddress, Neighbour, Route, Rule)


class LinkNames:
    """Names by index; an index or name that is not known yet is asked for once."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._names: dict[int, str | None] = {}

    def learn(self, bodies: Sequence[bytes]) -> None:
        """Remember the links of these messages."""
        self._names.update(decode.link_name(body) for body in bodies)

    def __call__(self, index: int) -> str | None:
        if index not in self._names:
            self._names[index] = None
            self.learn(self._channel.replies([requests.link_numbered(index)]))
        return self._names[index]

    def indices_of(self, names: Collection[IfName]) -> dict[IfName, int]:
        """Indices of those links that exist."""
        missing = set(names).difference(name for name in self._names.values() if name)
        self.learn(self._channel.replies([requests.link_named(name) for name in missing]))
        return {
            IfName(name): index for index, name in self._names.items() if name and name in names
        }


class StateReader:
    """One reading of a namespace; the parts of a state are read one after another."""

    def __init__(self, channel: Channel, namespace: Namespace, selection: Selection) -> None:
        self._channel, self._namespace, self._selection = channel, namespace, selection
        self._names = LinkNames(channel)

    def read(self) -> NetState:
        """The state, as far as it is selected.

        Raises:
            OperationFailed: the kernel refused a dump, or never gave a consistent one.
        """
        try:
            return self._read()
        except ValueError as error:
            raise unreadable(error) from error

    def _read(self) -> NetState:
        bodies = self._link_bodies()
        self._names.learn(bodies)
        links = tuple(decode.link(body, self._names) for body in bodies)
        return NetState(
            links=links,
            addresses=tuple(self._addresses()),
            routes=tuple(self._routes()),
            rules=tuple(self._rules()),
            neighbours=tuple(self._neighbours(links)),
            sysctls=self._sysctls(links),
        )

    def _link_bodies(self) -> list[bytes]:
        names = self._selection.links
        if names is None:
            return self._channel.dump(requests.links())
        numbered = [requests.link_numbered(index) for index in self._selection.link_numbers]
        named = [requests.link_named(name) for name in names]
        return self._channel.replies([*numbered, *named])

    def _indices(self, names: Collection[IfName] | None) -> Collection[int]:
        """Indices to filter by; 0 stands for all links."""
        return (0,) if names is None else self._names.indices_of(names).values()

    def _addresses(self) -> Iterator[LinkAddress]:
        for index in self._indices(self._selection.addresses_of):
            for family in self._selection.families:
                bodies = self._channel.dump(requests.addresses(family, index))
                if not self._selection.link_local and family is Family.V6:
                    bodies = [body for body in bodies if decode.address_scope(body) != Scope.LINK]
                yield from _decoded(bodies, family, lambda body: decode.address(body, self._names))

    def _routes(self) -> Iterator[Route]:
        tables = self._selection.tables
        for table in (0,) if tables is None else tables:
            for family in self._selection.families:
                bodies = self._dump_or_nothing(requests.routes(family, table))
                if not table:
                    bodies = [body for body in bodies if decode.table_byte(body) != LOCAL]
                yield from _decoded(bodies, family, lambda body: decode.route(body, self._names))
        yield from self._deciding_routes()

    def _deciding_routes(self) -> Iterator[Route]:
        """Each entry once; a packet that no entry takes has none."""
        questions = [requests.deciding_route(one) for one in self._selection.routes_to]
        answers = (decode.decision(body, self._names) for body in self._channel.replies(questions))
        yield from dict.fromkeys(route for route in answers if route is not None)

    def _dump_or_nothing(self, request: bytes) -> list[bytes]:
        """A table that nothing was ever put into does not exist, which means it is empty."""
        try:
            return self._channel.dump(request)
        except OperationFailed as failure:
            if failure.errno == errno.ENOENT:
                return []
            raise

    def _rules(self) -> Iterator[Rule]:
        for family in self._selection.families if self._selection.rules else ():
            yield from _decoded(self._channel.dump(requests.rules(family)), family, decode.rule)

    def _neighbours(self, links: Collection[Link]) -> Iterator[Neighbour]:
        for index in self._indices(self._selection.neighbourhoods(links)):
            for family in self._selection.families:
                for proxy in (False, True):
                    request = requests.neighbours(family, index, proxy=proxy)
                    bodies = self._channel.dump(request)
                    yield from _decoded(
                        bodies, family, lambda body: decode.neighbour(body, self._names)
                    )

    def _sysctls(self, links: Collection[Link]) -> Mapping[str, str]:
        if not self._selection.sysctls:
            return {}
        with self._namespace.entered():
            values = {key: read_sysctl(key) for key in self._selection.keys(links)}
        return {key: value for key, value in values.items() if value is not None}


def read_reply_marks(channel: Channel) -> tuple[IfName, ...]:
    """The links of which nftables holds a complete table of :class:`MarkReplies`."""
    names = [nftables.table_name(body) for body in channel.dump(nftables.tables())]
    ours = [name for name in names if name.startswith(nftables.TABLE_PREFIX)]
    found = []
    for table in ours:
        rules = [nftables.chain_of_rule(body) for body in channel.dump(nftables.rules_of(table))]
        if {(table, "prerouting"), (table, "output")} <= set(rules):
            found.append(IfName(table.removeprefix(nftables.TABLE_PREFIX)))
    return tuple(found)


def _decoded(
    bodies: Sequence[bytes], family: Family, one: Callable[[bytes], Entry | None]
) -> Iterator[Entry]:
    """Without IPv6 in the kernel a dump of that family answers with all others: drop them."""
    for body in bodies:
        if body[0] == family:
            entry = one(body)
            if entry is not None:
                yield entry
