"""Let a link answer proxy ARP at once: by default the kernel waits up to 0.8 s.

The sysctl for it (``net.ipv4.neigh.<link>.proxy_delay``) is not there in the user
namespaces of many kernels; the netlink message is.
"""

from __future__ import annotations

import struct

from spiderpool.errors import OperationFailed
from spiderpool.netlink.channel import Channel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.wire import attribute, message, nested, text, u32
from spiderpool.types.names import IfName

# linux/neighbour.h, linux/rtnetlink.h
_RTM_SETNEIGHTBL = 67
_NLM_F_REQUEST = 1
_AF_INET = struct.pack("=BxH", 2, 0)
_NDTA_NAME, _NDTA_PARMS = 1, 6
_NDTPA_IFINDEX, _NDTPA_PROXY_DELAY = 1, 13
_MILLISECONDS = struct.Struct("=Q")


def answer_at_once(namespace: Namespace, link: IfName, index: int) -> None:
    """Set the delay of ``link``, whose index is ``index``, to nothing.

    Raises:
        OperationFailed: naming the link.
    """
    parameters = nested(
        _NDTA_PARMS,
        u32(_NDTPA_IFINDEX, index),
        attribute(_NDTPA_PROXY_DELAY, _MILLISECONDS.pack(0)),
    )
    body = _AF_INET + text(_NDTA_NAME, "arp_cache") + parameters
    channel = Channel(namespace)
    try:
        ((errno, detail),) = channel.batch([message(_RTM_SETNEIGHTBL, _NLM_F_REQUEST, body)])
    finally:
        channel.close()
    if errno:
        raise OperationFailed(f"ip ntable change name arp_cache dev {link}", errno, detail)
