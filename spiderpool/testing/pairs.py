"""Two namespaces in memory with veth pairs between them: a pod's and its node's."""

from __future__ import annotations

from dataclasses import replace

from spiderpool.netlink.channel import DONE, Answer
from spiderpool.netlink.objects import Link, LinkKind, NetState
from spiderpool.netlink.operations import CreateLink, DeleteLink, Operation, Peer
from spiderpool.testing.netlink import FakeKernel
from spiderpool.types.names import IfName


class PairedKernel(FakeKernel):
    """A :class:`FakeKernel` whose veths may have their other end in ``other``.

    A link's ``parent_index`` with ``parent_elsewhere`` refers to ``other``. A peer with a
    ``namespace`` given is born there, whatever the descriptor is.
    """

    other: PairedKernel

    @classmethod
    def pair(cls, first: NetState, second: NetState) -> tuple[PairedKernel, PairedKernel]:
        """Two kernels that know of each other."""
        one, two = cls(first), cls(second)
        one.other, two.other = two, one
        return one, two

    def _execute(self, operation: Operation) -> Answer:
        there = self._end_elsewhere(operation) if isinstance(operation, DeleteLink) else None
        answer = super()._execute(operation)
        if answer == DONE and there is not None:
            self.other.forget(there)
        if answer == DONE and isinstance(operation, CreateLink):
            self._deliver(operation.name, operation.peer)
        return answer

    def _end_elsewhere(self, operation: DeleteLink) -> Link | None:
        link = self.state.link(operation.name)
        if link is None or link.kind is not LinkKind.VETH or not link.parent_elsewhere:
            return None
        return next((one for one in self.other.state.links if one.index == link.parent_index), None)

    def _deliver(self, name: IfName, peer: Peer | None) -> None:
        """Put the other end of a new pair where it belongs and tell either of the other."""
        if peer is None or peer.namespace is None:
            return
        there, near = self.other, self.state.link(name)
        assert near is not None
        end = CreateLink(peer.name, LinkKind.DUMMY, peer.index, peer.mac, peer.mtu)
        FakeKernel._execute(there, end)
        far = there.state.link(peer.name)
        assert far is not None
        self._point(near, far.index)
        there._point(replace(far, kind=LinkKind.VETH), near.index)

    def _point(self, link: Link, index: int) -> None:
        pointed = replace(link, parent_index=index, parent_elsewhere=True)
        links = tuple(pointed if one.name == link.name else one for one in self.state.links)
        self.state = replace(self.state, links=links)

    def forget(self, link: Link) -> None:
        """The other end was deleted, so this one goes with all that hangs on it."""
        FakeKernel._execute(self, DeleteLink(link.name))
