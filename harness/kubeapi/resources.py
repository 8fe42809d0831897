"""Requests for resources: from method and path to reads and writes, and to an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from harness.kubeapi import (
    applying,
    decoding,
    option_rules,
    patching,
    reads,
    removal,
    status,
    subresources,
    watches,
    writes,
)
from harness.kubeapi.answers import Shape, json_answer
from harness.kubeapi.cluster import Cluster
from harness.kubeapi.deletion import DeleteOptions
from harness.kubeapi.kinds import Kind
from harness.kubeapi.negotiate import check_media, wanted_form
from harness.kubeapi.objects import Object
from harness.kubeapi.request import Query, ResourcePath, parse_path
from harness.kubeapi.revising import BINDING
from harness.kubeapi.status import ApiError


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as far as it is understood before its body is read."""

    cluster: Cluster
    http: web.Request
    path: ResourcePath
    kind: Kind
    query: Query

    @property
    def shape(self) -> Shape:
        """Raises 406."""
        form = wanted_form(self.http.headers.get("Accept", ""))
        return Shape(self.kind, form, self.query.text("includeObject"))

    @property
    def write(self) -> writes.Write:
        option_rules.check_write(self.query, _OPTIONS[self.http.method], applies=self.applies)
        agent = self.http.headers.get("User-Agent", "").partition("/")[0]
        return writes.Write(
            kind=self.kind,
            namespace=self.path.namespace,
            name=self.path.name,
            subresource=self.path.subresource,
            dry_run=self.query.dry_run,
            validation=self.query.text("fieldValidation"),
            manager=self.query.text("fieldManager") or agent or "unknown",
            field_manager=self.query.text("fieldManager"),
            warnings=self.http[WARNINGS],
        )

    @property
    def applies(self) -> bool:
        """Whether it is a server-side apply."""
        content_type = self.http.headers.get("Content-Type", "")
        return patching.media_type(content_type) == patching.APPLY_PATCH

    async def data(self) -> Any:
        return decoding.parse(await self.http.read(), self.http.headers.get("Content-Type", ""))


_ORPHANED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background "
    "to remove them or set propagationPolicy=Orphan to suppress this warning"
)
WARNINGS = web.RequestKey("warnings", list[str])
"""What a client is to hear, whatever becomes of its request."""
_OPTIONS = {"POST": "Create", "PUT": "Update", "PATCH": "Patch"}
Handler = Callable[[Call], Awaitable[web.StreamResponse]]


async def handle(cluster: Cluster, http: web.Request) -> web.StreamResponse:
    """Raises ApiError."""
    path = parse_path(http.path)
    if (path.group, path.version, path.plural, path.name) == ("", "v1", "bindings", ""):
        return await _bind_by_body(cluster, http, path)
    kind = cluster.registry.find(path.group, path.version, path.plural)
    if path.namespace and not kind.namespaced:
        raise status.no_such_path()
    subresources.needs(kind, path)
    check_media(http.headers.get("Accept", ""))
    http[WARNINGS] = [kind.deprecation] if kind.deprecation else []
    call = Call(cluster, http, path, kind, Query(http.query))
    if not path.name:
        handlers = _COLLECTION
    elif path.subresource in _SPECIAL:
        handlers = _SPECIAL[path.subresource]
    else:
        handlers = _PART if path.subresource else _OBJECT
    handler = handlers.get(http.method)
    if handler is None:
        raise status.method_not_allowed()
    if http.method == "PATCH":
        patching.check_media(kind, http.headers.get("Content-Type", ""))
    if handler is not _list:
        _ = call.shape  # a form that cannot be had is refused before anything else
    return await handler(call)


async def _get(call: Call) -> web.StreamResponse:
    if call.query.flag("watch"):
        return await _watch_collection(call, f"metadata.name={call.path.name}")
    reads.check_revision(call.cluster, call.query.revision_of_one)
    obj = call.cluster.get(call.kind, call.path.namespace, call.path.name)
    return json_answer(call.shape.of(obj))


async def _list(call: Call) -> web.StreamResponse:
    if call.query.flag("watch"):
        return await _watch_collection(call)
    reads.check_query(call.query)
    shape = call.shape
    found = reads.list_objects(call.cluster, call.kind, call.path.namespace, call.query)
    return json_answer(shape.of(found))


async def _watch_collection(call: Call, fields: str = "") -> web.StreamResponse:
    query = Query({**call.query.values, "fieldSelector": fields}) if fields else call.query
    reads.check_query(query)
    shape = call.shape
    reads.selected(call.kind, call.path.namespace, query)
    _ = query.revision_of_one  # refused while that can be said by a status code
    answer = web.StreamResponse()
    answer.content_type = "application/json"
    answer.headers["Content-Type"] = "application/json;stream=watch"
    answer.enable_chunked_encoding()
    await answer.prepare(call.http)
    first = True
    async for event in watches.watch(call.cluster, call.kind, call.path.namespace, query):
        await answer.write(shape.event(event, first))
        first = False
    return answer


async def _create(call: Call) -> web.StreamResponse:
    if call.kind.namespaced and not call.path.namespace:
        raise status.method_not_allowed()
    written = await writes.create(call.cluster, call.write, await call.data())
    return _written(call, written)


async def _update(call: Call) -> web.StreamResponse:
    written = await writes.update(call.cluster, call.write, await call.data())
    return _written(call, written)


async def _patch(call: Call) -> web.StreamResponse:
    content_type = call.http.headers.get("Content-Type", "")
    body, write = await call.http.read(), call.write
    if call.applies:
        data, forced = decoding.parse(body, decoding.YAML), call.query.flag("force")
        return _written(call, await applying.apply(call.cluster, write, data, force=forced))
    change = patching.change_of(call.kind, content_type, body)
    return _written(call, await writes.patch(call.cluster, write, change))


def _written(call: Call, written: writes.Written) -> web.Response:
    code = 201 if written.created else 200
    return json_answer(call.shape.of(written.obj), code)


async def _delete(call: Call) -> web.StreamResponse:
    options = await _options(call)
    path = call.path
    if call.kind.orphans and options.propagation is None:
        call.http[WARNINGS].append(_ORPHANED)
    obj, gone = await removal.delete(call.cluster, call.kind, path.namespace, path.name, options)
    if not gone or call.kind.returns_deleted:
        return json_answer(call.shape.of(obj), 202 if options.waits and not gone else 200)
    details: Object = {"name": path.name, "group": call.kind.group, "kind": call.kind.plural,
                       "uid": obj["metadata"]["uid"]}  # fmt: skip
    return json_answer(status.success({name: value for name, value in details.items() if value}))


async def _delete_collection(call: Call) -> web.StreamResponse:
    if not call.kind.deleted_together:
        raise status.method_not_allowed()
    options = await _options(call)
    found = reads.list_objects(call.cluster, call.kind, call.path.namespace, call.query)
    deleted = []
    for obj in found["items"]:
        metadata = obj["metadata"]
        try:
            await removal.delete(
                call.cluster, call.kind, metadata.get("namespace", ""), metadata["name"], options
            )
        except ApiError as error:
            if error.code != 404:
                raise
        else:
            deleted.append(obj)
    return json_answer(call.shape.of({**found, "items": deleted}))


async def _options(call: Call) -> DeleteOptions:
    return removal.parse_options(await call.data() if call.http.can_read_body else None, call.query)


async def _get_scale(call: Call) -> web.StreamResponse:
    assert call.kind.scale
    obj = call.cluster.get(call.kind, call.path.namespace, call.path.name)
    return json_answer(subresources.scale_of(obj, call.kind.scale))


async def _put_scale(call: Call) -> web.StreamResponse:
    assert call.kind.scale
    data = await call.data()
    scaled = await subresources.scale(call.cluster, call.write, call.kind.scale, lambda _: data)
    return json_answer(scaled)


async def _patch_scale(call: Call) -> web.StreamResponse:
    assert call.kind.scale
    content_type = call.http.headers.get("Content-Type", "")
    change = patching.change_of(call.kind, content_type, await call.http.read())
    return json_answer(await subresources.scale(call.cluster, call.write, call.kind.scale, change))


async def _bind(call: Call) -> web.StreamResponse:
    return json_answer(await subresources.bind(call.cluster, call.write, await call.data()), 201)


async def _bind_by_body(
    cluster: Cluster, http: web.Request, path: ResourcePath
) -> web.StreamResponse:
    """The older form of binding, whose body names the pod."""
    if http.method != "POST":
        raise status.method_not_allowed()
    data = decoding.parse(await http.read(), http.headers.get("Content-Type", ""))
    name = (data.get("metadata") or {}).get("name") if isinstance(data, dict) else None
    if not name:
        raise status.bad_request("name is required")
    kind = cluster.registry.find("", "v1", "pods")
    query = Query(http.query)
    option_rules.check_write(query, "Create")
    write = writes.Write(kind, path.namespace, str(name), BINDING, query.dry_run)
    return json_answer(await subresources.bind(cluster, write, data), 201)


async def _evict(call: Call) -> web.StreamResponse:
    """Pods are evicted by deletion; there is no disruption budget to ask."""
    data = await call.data()
    body = data.get("deleteOptions") if isinstance(data, dict) else None
    options = removal.parse_options(body, call.query)
    await removal.delete(call.cluster, call.kind, call.path.namespace, call.path.name, options)
    return json_answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                        "code": 201}, 201)  # fmt: skip


async def _finalize(call: Call) -> web.StreamResponse:
    written = await subresources.finalize(call.cluster, call.write, await call.data())
    return json_answer(written.obj)


_PART: dict[str, Handler] = {"GET": _get, "PUT": _update, "PATCH": _patch}
_OBJECT: dict[str, Handler] = {**_PART, "DELETE": _delete}
_COLLECTION: dict[str, Handler] = {"GET": _list, "POST": _create, "DELETE": _delete_collection}
_SPECIAL: dict[str, dict[str, Handler]] = {
    "scale": {"GET": _get_scale, "PUT": _put_scale, "PATCH": _patch_scale},
    "binding": {"POST": _bind},
    "eviction": {"POST": _evict},
    "finalize": {"PUT": _finalize},
}
