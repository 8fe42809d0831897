"""What the kernel would hold after a plan, without a kernel. Pure.

The contract tests hold it against the real one. Left out on purpose: the ``local`` table
and IPv6 link-local addresses with their routes, which the kernel keeps by itself; MACs and
indices that the kernel would draw are made up.
"""

from spiderpool.netlink.model.fold import after, step
from spiderpool.netlink.model.refusal import Refusal

__all__ = ["Refusal", "after", "step"]
