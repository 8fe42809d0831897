"""Bytes of a request to an object of the kind that its path names.

``fieldValidation`` says what happens to fields that the kind does not have: ``Strict``
refuses them, ``Warn`` (the default) drops them with a warning, ``Ignore`` drops them.
"""

from __future__ import annotations

from typing import Any

import orjson

from harness.kubeapi import causes, status
from harness.kubeapi.builtin.types import schema_of
from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object
from harness.kubeapi.schema import protobuf
from harness.kubeapi.schema.decode import DecodeMismatch, decode
from harness.kubeapi.schema.structural import fill_defaults, prune

JSON = "application/json"
YAML = "application/yaml"
_STRICT, _IGNORE = "Strict", "Ignore"


def parse(body: bytes, content_type: str) -> Any:
    """JSON, YAML or protobuf as plain data. Raises 400 and 415."""
    media = content_type.partition(";")[0].strip() or JSON
    if media.endswith("yaml"):
        return _parse_yaml(body)
    if media == protobuf.MEDIA:
        try:
            return protobuf.decode_body(body)
        except protobuf.BadMessage as error:
            raise _no_object(str(error)) from None
    if not media.endswith("json"):
        raise status.unsupported_media_type([JSON, YAML, protobuf.MEDIA])
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _no_object(f"json parse error: {error}") from None


def _parse_yaml(body: bytes) -> Any:
    import yaml  # noqa: PLC0415 - most clients never send it, and it is slow to load

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # Timestamps stay text, as in JSON.
    plain = type("Plain", (loader,), {"yaml_implicit_resolvers": _without_timestamps(loader)})
    try:
        return yaml.load(body, Loader=plain)  # noqa: S506 - derived from the safe loader
    except yaml.YAMLError as error:
        raise _no_object(f"yaml: {error}") from None


def _without_timestamps(loader: Any) -> dict[str, list[tuple[str, Any]]]:
    return {
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for first, pairs in loader.yaml_implicit_resolvers.items()
    }


class Unfit(Exception):
    """The data does not fit the kind's types; the text says why, in the decoder's words."""


def envelope(kind: Kind, data: Any) -> Object:
    """Check that the data is an object of this kind, and complete ``apiVersion`` and ``kind``.

    Raises 400, and 422 for a custom resource of another kind.
    """
    try:
        return identified(kind, data)
    except Unfit as unfit:
        raise unfit_object(kind, data, unfit) from None


def identified(kind: Kind, data: Any) -> Object:
    """As ``envelope``, but raises Unfit where no kind is named, or another built-in one."""
    if not isinstance(data, dict):
        raise _no_object("json parse error: the data is no object")
    for field in ("apiVersion", "kind"):
        if not isinstance(data.get(field), str | None):
            raise Unfit(f"{field} is no string")
    version, name = data.get("apiVersion"), data.get("kind")
    if not kind.builtin and not name:
        raise status.bad_request(
            f"the object provided is unrecognized (must be of type {kind.name}): "
            f"Object 'Kind' is missing in '{orjson.dumps(data).decode()}'"
        )
    other = (version or kind.api_version, name or kind.name) != (kind.api_version, kind.name)
    if other and kind.builtin:
        raise Unfit("it is another kind")
    if version and version != kind.api_version:
        raise status.bad_request(
            f"the API version in the data ({version}) does not match the expected "
            f"API version ({kind.api_version})"
        )
    if other:
        named = (data.get("metadata") or {}).get("name") or ""
        cause = causes.invalid_value("kind", name, f"must be {kind.name}")
        raise status.invalid(str(name), kind.group, named, [cause])
    return {**data, "apiVersion": kind.api_version, "kind": kind.name}


def _no_object(why: str) -> status.ApiError:
    return status.bad_request(
        f"the object provided is unrecognized: couldn't get version/kind; {why}"
    )


def conform(
    kind: Kind, obj: Object, mode: str, *, defaults: bool = True
) -> tuple[Object, list[str]]:
    """The object without what its kind does not know, and warnings about that.

    Custom resources get the defaults of their schema here. Raises Unfit.
    """
    try:
        kept, unknown = _builtin(kind, obj) if kind.builtin else _custom(kind, obj, defaults)
    except DecodeMismatch as mismatch:
        raise Unfit(str(mismatch)) from None
    problems = [f'unknown field "{path}"' for path in unknown]
    if problems and mode == _STRICT:
        raise Unfit("strict decoding error: " + ", ".join(problems))
    return kept, [] if mode == _IGNORE else problems


def unfit_object(kind: Kind, data: Object, unfit: Unfit) -> status.ApiError:
    """What is said when an object was sent."""
    name = str(data.get("kind") or kind.name)
    version = str(data.get("apiVersion") or kind.version).rpartition("/")[2]
    return status.bad_request(
        f'{name} in version "{version}" cannot be handled as a {kind.name}: {unfit}'
    )


def unfit_patch(wanted: Object, unfit: Unfit) -> status.ApiError:
    """What is said when a patch led to ``wanted``."""
    cause = causes.invalid_value("patch", orjson.dumps(wanted).decode(), str(unfit))
    return status.invalid("", "", "", [cause])


def _builtin(kind: Kind, obj: Object) -> tuple[Object, list[str]]:
    kept, unknown = decode(kind.schema, obj)
    kept.setdefault("metadata", {})
    return kept, unknown


def _custom(kind: Kind, obj: Object, defaults: bool) -> tuple[Object, list[str]]:
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict | None):
        raise DecodeMismatch("json: cannot unmarshal metadata into Go value of type v1.ObjectMeta")
    kept, unknown = decode(schema_of("ObjectMeta"), metadata or {}, "metadata")
    result: Object = orjson.loads(orjson.dumps({**obj, "metadata": kept}))
    unknown += prune(kind.schema, result)
    if defaults:
        fill_defaults(kind.schema, result)
    return result, unknown
