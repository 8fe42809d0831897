"""Stories about addresses, each in a world of its own."""

from __future__ import annotations

from ipam_world import play

__all__ = ["play"]
