"""Durations as ``kubectl`` prints them: two units at most, fewer as they grow."""

from __future__ import annotations

from datetime import UTC, datetime


def human(seconds: float) -> str:
    """``90`` is ``90s``, ``600`` is ``10m``, ``7500`` is ``125m``, a day is ``24h``."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    whole = max(whole, 0)
    if whole < 60 * 2:
        return f"{whole}s"
    minutes = whole // 60
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 60 * 3:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    years = days // 365
    return _two(years, "y", days % 365, "d") if years < 8 else f"{years}y"


def _two(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big}{big_unit}" + (f"{small}{small_unit}" if small else "")


def age(text: str | None, now: datetime) -> str:
    """How long ago a timestamp of an object was."""
    return "<unknown>" if not text else human((now - parse_time(text)).total_seconds())


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
