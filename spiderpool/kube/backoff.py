"""How long to wait before the next attempt: growing, with jitter, with a ceiling."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Waits in seconds: each about twice the one before, from ``first`` up to ``most``."""

    first: float = 0.1
    most: float = 10.0
    _next: float = 0.0

    def wait(self) -> float:
        """The next wait; between half of it and all of it, so that clients spread out."""
        self._next = min(self.most, self._next * 2 or self.first)
        return self._next * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret

    def reset(self) -> None:
        """It worked: start from ``first`` again."""
        self._next = 0.0
