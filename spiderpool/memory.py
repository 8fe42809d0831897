"""The garbage collector, in a process that keeps much and whose event loop must not stop.

Objects of the API are trees of dictionaries: counting references frees them, and searching
them for cycles is for nothing. With Python's own thresholds a daemon that caches 5,000 pods
spends more than half of a list's time on it, and stops for a quarter of a second each time.
"""

from __future__ import annotations

import gc

THRESHOLDS = (50_000, 10, 10)
"""Cycles, which exceptions and tasks make, are looked for when this many new containers live."""


def expect_much() -> None:
    """At the start: look for cycles when there may be many, not after each few objects."""
    gc.set_threshold(*THRESHOLDS)


def keep_what_is_here() -> None:
    """Once caches are filled: nothing that lives now is searched any more."""
    gc.freeze()
