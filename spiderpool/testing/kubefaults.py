"""A client between the code under test and any other client: counts, delays and breaks.

It wraps the fake and the real client alike.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from spiderpool.errors import Busy, Conflict, KubeError, Unreachable
from spiderpool.kube.api import LARGEST_PAGE, MERGE_PATCH, PART_OF_LIST, Client, Object
from spiderpool.kube.resources import Resource

T = TypeVar("T")


class Fault(enum.Enum):
    """What can go wrong with one request."""

    CONFLICT = "answered by Conflict, nothing written"
    UNREACHABLE = "lost on its way to the server"
    LOST_REPLY = "done by the server, the answer lost"
    LATE = "given up by the client, and done by the server after that"
    BUSY = "answered by 429, nothing written"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was asked for; ``name`` is empty for a collection."""

    verb: str
    resource: Resource
    name: str = ""


Chooses = Callable[[Request], bool]

LATE_SECONDS = 0.02
"""After so long a request that was given up is done all the same."""

WRITES = frozenset({"create", "update", "patch", "delete"})


def any_write(request: Request) -> bool:
    """Chooses every request that changes something."""
    return request.verb in WRITES


def nothing(request: Request) -> bool:
    """Chooses no request."""
    return False


class FaultyClient:
    """:class:`spiderpool.kube.api.Client` that breaks when told to.

    ``requests`` lists what was asked, ``down`` makes every request Unreachable, ``forbidden``
    chooses those that are answered by 403 (a watch that is let in goes on, as it does on a
    server); ``delay`` (seconds) and ``steps`` (of the event loop) are waited before each
    request is passed on.
    """

    def __init__(self, inner: Client) -> None:
        self.requests: list[Request] = []
        self.down = False
        self.forbidden: Chooses = nothing
        self.delay = 0.0
        self.steps = 0
        self._late: set[asyncio.Task[None]] = set()
        self._inner = inner
        self._faults: list[tuple[Fault, Chooses]] = []

    def inject(self, fault: Fault, times: int = 1, on: Chooses = any_write) -> None:
        """The next ``times`` requests that ``on`` chooses meet ``fault``."""
        self._faults.extend([(fault, on)] * times)

    def replace(self, inner: Client) -> None:
        """Another server answers from now on."""
        self._inner = inner

    @property
    def faults_left(self) -> int:
        """How many injected faults have not been met yet."""
        return len(self._faults)

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        request = Request("get", resource, name)
        return await self._through(request, lambda: self._inner.get(resource, name, namespace))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Object:
        return await self._through(
            Request("list", resource),
            lambda: self._inner.list(
                resource, namespace, label_selector=label_selector, field_selector=field_selector
            ),
        )

    async def list_parts(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        most: int = PART_OF_LIST,
    ) -> AsyncIterator[Object]:
        fault = await self._before(Request("list", resource))
        async for part in self._inner.list_parts(
            resource,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            most=most,
        ):
            if self.down or fault is Fault.LOST_REPLY:
                raise Unreachable(f"list {resource.plural}: the answer was lost")
            yield part

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> AsyncIterator[Object]:
        await self._before(Request("watch", resource))
        async for event in self._inner.watch(
            resource,
            namespace,
            resource_version=resource_version,
            label_selector=label_selector,
            field_selector=field_selector,
        ):
            if self.down:
                raise Unreachable("the watch was cut")
            yield event

    async def page(
        self, path: str, query: Mapping[str, str] | None = None, *, most: int = LARGEST_PAGE
    ) -> bytes:
        return await self._inner.page(path, query, most=most)

    async def create(self, resource: Resource, obj: Object, *, dry_run: bool = False) -> Object:
        request = Request("create", resource, obj["metadata"].get("name", ""))
        return await self._through(
            request, lambda: self._inner.create(resource, obj, dry_run=dry_run)
        )

    async def update(self, resource: Resource, obj: Object, *, subresource: str = "") -> Object:
        request = Request("update", resource, obj["metadata"]["name"])
        return await self._through(
            request, lambda: self._inner.update(resource, obj, subresource=subresource)
        )

    async def patch(
        self,
        resource: Resource,
        name: str,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        namespace: str | None = None,
        *,
        content_type: str = MERGE_PATCH,
        subresource: str = "",
        field_manager: str = "",
    ) -> Object:
        return await self._through(
            Request("patch", resource, name),
            lambda: self._inner.patch(
                resource,
                name,
                body,
                namespace,
                content_type=content_type,
                subresource=subresource,
                field_manager=field_manager,
            ),
        )

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str = "",
        grace_seconds: int | None = None,
        propagation: str = "",
    ) -> None:
        await self._through(
            Request("delete", resource, name),
            lambda: self._inner.delete(
                resource,
                name,
                namespace,
                uid=uid,
                grace_seconds=grace_seconds,
                propagation=propagation,
            ),
        )

    async def close(self) -> None:
        await self._inner.close()

    async def _through(self, request: Request, ask: Callable[[], Awaitable[T]]) -> T:
        fault = await self._before(request)
        if fault is Fault.LATE:
            task = asyncio.create_task(_do_late(ask))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            raise Unreachable(f"{request.verb} {request.name}: no answer in time")
        answer = await ask()
        if fault is Fault.LOST_REPLY:
            raise Unreachable(f"{request.verb} {request.name}: the answer was lost")
        return answer

    async def _before(self, request: Request) -> Fault | None:
        self.requests.append(request)
        if self.delay:
            await asyncio.sleep(self.delay)
        for _ in range(self.steps):
            await asyncio.sleep(0)
        fault = self._next_fault(request)
        if self.down or fault is Fault.UNREACHABLE:
            raise Unreachable(f"{request.verb} {request.name}: connection refused")
        if self.forbidden(request):
            plural = request.resource.plural
            words = f'{plural} is forbidden: User "me" cannot {request.verb} resource "{plural}"'
            raise KubeError(403, "Forbidden", words)
        if fault is Fault.CONFLICT:
            raise Conflict(409, "Conflict", "the object has been modified")
        if fault is Fault.BUSY:
            raise Busy(429, "TooManyRequests", "too many requests, please try again later")
        return fault

    def _next_fault(self, request: Request) -> Fault | None:
        for position, (fault, chooses) in enumerate(self._faults):
            if chooses(request):
                del self._faults[position]
                return fault
        return None


async def _do_late(ask: Callable[[], Awaitable[object]]) -> None:
    await asyncio.sleep(LATE_SECONDS)
    with suppress(KubeError):
        await ask()
