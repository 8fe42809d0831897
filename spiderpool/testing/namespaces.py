"""Fresh network namespaces for tests and benchmarks, held by a descriptor alone."""

from __future__ import annotations

import ctypes
import os
import threading

from spiderpool.errors import NamespaceGone
from spiderpool.netlink.namespace import CLONE_NEWNET, Namespace

_libc = ctypes.CDLL(None, use_errno=True)


def new_namespace() -> Namespace:
    """A namespace of its own, made by a thread that ends; the caller's stays as it is.

    Raises:
        NamespaceGone: the process may not make one (no CAP_SYS_ADMIN in its user namespace;
            ``unshare -Urn`` gives one).
    """
    made: list[Namespace | int] = []

    def unshare() -> None:
        failed = _libc.unshare(CLONE_NEWNET) != 0
        made.append(ctypes.get_errno() if failed else Namespace.current())

    thread = threading.Thread(target=unshare)
    thread.start()
    thread.join()
    (outcome,) = made
    if isinstance(outcome, int):
        raise NamespaceGone(f"cannot make a network namespace: {os.strerror(outcome)}")
    return outcome
