"""Objects as HTTP answers, in the form that the client accepts."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from aiohttp import web

from harness.kubeapi.causes import shown
from harness.kubeapi.kinds import Kind
from harness.kubeapi.negotiate import JSON, Form
from harness.kubeapi.objects import Object
from harness.kubeapi.status import ApiError, bad_request, unfit_form
from harness.kubeapi.tables.build import INCLUDED, partial, partial_list, table
from harness.kubeapi.watches import Event


def json_answer(obj: Object, code: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(obj), status=code, content_type=JSON)


def error_answer(error: ApiError) -> web.Response:
    return json_answer(error.status, error.code)


def _untyped(obj: Object) -> Object:
    """Items of built-in lists do not say their kind: the list does."""
    return {name: value for name, value in obj.items() if name not in ("apiVersion", "kind")}


@dataclass(frozen=True, slots=True)
class Shape:
    """How objects of ``kind`` are shown; ``include`` is the query parameter includeObject."""

    kind: Kind
    form: Form
    include: str = ""

    def of(self, obj: Object) -> Object:
        """One object or one list in the wanted form."""
        is_list = obj.get("kind") == self.kind.list_name
        if self.form.as_ == "Table":
            if self.include not in INCLUDED:
                raise bad_request(
                    "Unable to convert to Table as requested: includeObject: Invalid value: "
                    f"{shown(self.include)}: must be 'Metadata', 'Object', 'None', or empty"
                )
            return table(self.kind, obj, self.form.version, self.include)
        if self.form.as_:
            self._check_form(is_list)
            form = partial_list if is_list else partial
            return form(obj, self.form.version)
        if is_list and self.kind.builtin:
            return {**obj, "items": [_untyped(item) for item in obj["items"]]}
        return obj

    def _check_form(self, is_list: bool) -> None:
        """Raises 406: what is true of a list cannot be said of one object."""
        if is_list is not self.form.as_.endswith("List"):
            is_one = "is a list" if is_list else "is not a list"
            raise unfit_form(f"you requested {self.form.as_}, but the requested object {is_one}")

    def event(self, event: Event, first: bool) -> bytes:
        """One line of a watch. Only the first Table names its columns."""
        obj = event.obj
        if event.type == "BOOKMARK" and self.form.as_ == "Table":
            obj = {**self.of(obj), "rows": []}
        elif event.type != "ERROR":
            obj = self.of(obj)
        if not first and self.form.as_ == "Table" and event.type != "ERROR":
            obj = {**obj, "columnDefinitions": None}
        return orjson.dumps({"type": event.type, "object": obj}) + b"\n"
