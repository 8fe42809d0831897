"""What objects complain of while a step waits in vain: their newest Warning events."""

from __future__ import annotations

from collections.abc import Iterable

from spiderpool.kube.api import Client, Object
from spiderpool.kube.events import EventType
from spiderpool.kube.resources import EVENT

MOST = 3
_SECONDS = len("2026-01-01T00:00:00")


async def complaints(client: Client, namespace: str, since: str) -> tuple[str, ...]:
    """Of objects in ``namespace``; ``since`` is a moment as the API writes it.

    Raises:
        KubeError: the API cannot be asked.
    """
    return newest((await client.list(EVENT, namespace))["items"], since)


def newest(events: Iterable[Object], since: str) -> tuple[str, ...]:
    """The newest of each object, the newest first, at most :data:`MOST`; what several objects
    complain of is said once. Pure."""
    warnings = [
        event
        for event in events
        if event.get("type") == EventType.WARNING and _moment(event) >= since[:_SECONDS]
    ]
    lines: dict[str, str] = {}
    heard: set[tuple[str, str]] = set()
    for event in sorted(warnings, key=_moment, reverse=True):
        about = event["involvedObject"]["kind"], event["involvedObject"]["name"]
        if about in heard:
            continue
        heard.add(about)
        message = " ".join(str(event.get("message") or "").split())
        line = f"{' '.join(about)}: {event.get('reason')}: {message}"
        lines.setdefault(message.replace(about[1], ""), line)
    return tuple(lines.values())[:MOST]


def _moment(event: Object) -> str:
    """To the second; events of the newer API have no ``lastTimestamp``."""
    moment = event.get("lastTimestamp") or event.get("eventTime")
    return str(moment or event["metadata"].get("creationTimestamp"))[:_SECONDS]
