"""All namespaces of a run: each has a name here, and only a descriptor anywhere else."""

from __future__ import annotations

from types import TracebackType

from harness.netns import syscalls
from spiderpool.netlink.namespace import Namespace


class Ledger:
    """Creates namespaces, hands them out by name, and closes them.

    The kernel takes a namespace down once nobody holds it, in the background: closing costs
    microseconds, and what ends with it (links, rules) may be seen for some time after.
    """

    def __init__(self) -> None:
        self._home = Namespace.current()
        self._held: dict[str, Namespace] = {}

    def create(self, name: str) -> Namespace:
        """A fresh namespace, in which even ``lo`` is down.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._held:
            raise ValueError(f"there is a namespace {name!r} already")
        with self._home.entered():  # leads back, too, after unshare
            syscalls.unshare(syscalls.CLONE_NEWNET)
            namespace = Namespace.current()
        self._held[name] = namespace
        return namespace

    def drop(self, name: str) -> None:
        """Let go of one; raises KeyError when it is not held."""
        self._held.pop(name).close()

    def close(self) -> None:
        """Let go of all."""
        for namespace in self._held.values():
            namespace.close()
        self._held.clear()
        self._home.close()

    def __getitem__(self, name: str) -> Namespace:
        return self._held[name]

    def __contains__(self, name: object) -> bool:
        return name in self._held

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of creation."""
        return tuple(self._held)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
