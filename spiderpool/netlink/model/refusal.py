"""How the model says no."""

from __future__ import annotations

import os


class Refusal(Exception):
    """The kernel would answer ``errno``."""

    def __init__(self, errno: int) -> None:
        self.errno = errno
        super().__init__(os.strerror(errno))
