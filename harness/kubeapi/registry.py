"""Which kinds are served: the built-in ones, and those that definitions add."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from harness.kubeapi import status
from harness.kubeapi.kinds import Kind

_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
_STAGES = {None: 2, "beta": 1, "alpha": 0}


def version_rank(version: str) -> tuple[int, int, int, int, str]:
    """Sorts versions as Kubernetes prefers them when reversed: v2, v1, v1beta1, v1alpha1, x."""
    found = _VERSION.fullmatch(version)
    if not found:
        return (0, 0, 0, 0, version)
    return (1, _STAGES[found[2]], int(found[1]), int(found[3] or 0), "")


class Registry:
    """Kinds by the path that serves them; ``generation`` grows with each change."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.generation = 0
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self.add(kinds)

    def add(self, kinds: Iterable[Kind]) -> None:
        self.generation += 1
        for kind in kinds:
            self._kinds[kind.group, kind.version, kind.plural] = kind

    def remove(self, group: str, plural: str) -> None:
        """Stop serving all versions of a kind."""
        self.generation += 1
        for key in [key for key in self._kinds if key[0] == group and key[2] == plural]:
            del self._kinds[key]

    def find(self, group: str, version: str, plural: str) -> Kind:
        """Raises 404 for a kind that is not served."""
        try:
            return self._kinds[group, version, plural]
        except KeyError:
            raise status.no_such_path() from None

    def in_version(self, group: str, version: str) -> list[Kind]:
        """Sorted by plural; empty when the version is not served."""
        found = [kind for kind in self if (kind.group, kind.version) == (group, version)]
        return sorted(found, key=lambda kind: kind.plural)

    def versions(self) -> dict[str, list[str]]:
        """The versions of each group, the preferred one first."""
        groups: dict[str, set[str]] = {}
        for kind in self:
            groups.setdefault(kind.group, set()).add(kind.version)
        return {
            group: sorted(versions, key=version_rank, reverse=True)
            for group, versions in groups.items()
        }

    def __iter__(self) -> Iterator[Kind]:
        return iter(list(self._kinds.values()))
