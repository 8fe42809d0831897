"""The node's own namespace is never set up like a pod's."""

from __future__ import annotations

from spiderpool.cni.request import CniRequest
from spiderpool.errors import CniCode, CniError
from spiderpool.netlink.namespace import Namespace


def refuse_own(request: CniRequest, own: Namespace, pod: Namespace | None) -> None:
    """Nothing, unless the namespace that came as the pod's is the node's.

    Raises:
        CniError: 4, naming CNI_NETNS.
    """
    if pod is not None and pod.is_same(own):
        words = f"CNI_NETNS: {request.netns!r} is the node's own namespace, which is left alone"
        remedy = "pods with hostNetwork have no NICs of CNI plugins"
        raise CniError(CniCode.INVALID_ENVIRONMENT, f"{words}; {remedy}")
