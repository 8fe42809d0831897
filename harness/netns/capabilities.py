"""What this kernel can do in a namespace of ours, found out by trying."""

from __future__ import annotations

import errno
from pathlib import Path

from harness.netns.ledger import Ledger
from harness.scenario.model import Capability
from spiderpool.errors import OperationFailed
from spiderpool.netlink.apply import apply
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkKind
from spiderpool.netlink.operations import CreateLink, Peer
from spiderpool.types.names import IfName

_PARENT = IfName("parent")
_ON_A_PARENT = (LinkKind.MACVLAN, LinkKind.IPVLAN, LinkKind.VLAN)
LINKS = {
    Capability.VLAN: LinkKind.VLAN,
    Capability.BOND: LinkKind.BOND,
    Capability.IPVLAN: LinkKind.IPVLAN,
    Capability.VRF: LinkKind.VRF,
}
"""What scenarios may ask for that is a kind of link."""


def capabilities() -> frozenset[Capability]:
    """What scenarios may ask for beside the ordinary. Call it inside a sandbox."""
    kinds = link_kinds()
    found = {capability for capability, kind in LINKS.items() if kind in kinds}
    return frozenset(found | {Capability.IPV6} if has_ipv6() else found)


def link_kinds() -> frozenset[LinkKind]:
    """The kinds of links that can be made. Call it inside a sandbox."""
    with Ledger() as ledger:
        namespace = ledger.create("trial")
        return frozenset(kind for kind in LinkKind if _exists(kind, namespace))


def has_ipv6() -> bool:
    """Whether namespaces have IPv6."""
    return Path("/proc/net/if_inet6").exists()


def _exists(kind: LinkKind, namespace: Namespace) -> bool:
    """An unknown kind is refused as such; a known one may well want to know more."""
    name = _PARENT if kind is LinkKind.VETH else IfName(f"a-{kind}")
    link = CreateLink(
        name,
        kind,
        peer=Peer(IfName("peer")) if kind is LinkKind.VETH else None,
        parent=_PARENT if kind in _ON_A_PARENT else None,
        vlan=2 if kind is LinkKind.VLAN else None,
    )
    try:
        apply(namespace, (link,))
    except OperationFailed as failure:
        return failure.errno not in (errno.EOPNOTSUPP, errno.ENODEV)
    return True
