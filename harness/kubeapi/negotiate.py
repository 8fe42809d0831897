"""The ``Accept`` header: in which form the client wants its answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.kubeapi.status import not_acceptable, unfit_form

JSON = "application/json"
_JSON_RANGES = {JSON, "application/*", "*/*"}
_FORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_VERSIONS = ("v1", "v1beta1")


@dataclass(frozen=True, slots=True)
class Form:
    """``as_`` is ``Table``, ``PartialObjectMetadata(List)`` or empty for the object itself."""

    as_: str = ""
    version: str = "v1"


def media_types(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The parts of the header, in the order in which they are written."""
    for part in header.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        pairs = (parameter.partition("=") for parameter in parameters)
        yield media, {name.strip(): value.strip() for name, _, value in pairs}


def check_media(header: str) -> None:
    """Raises 406 when the client accepts nothing that this server can write."""
    if header and not any(media in _JSON_RANGES for media, _ in media_types(header)):
        raise not_acceptable([JSON])


def wanted_form(header: str) -> Form:
    """The first form of the header that this server can write; raises 406 when there is none."""
    if not header:
        return Form()
    for media, parameters in media_types(header):
        if media not in _JSON_RANGES:
            continue
        as_, version = parameters.get("as", ""), parameters.get("v", "")
        if not as_:
            return Form()
        if as_ in _FORMS and parameters.get("g") == "meta.k8s.io" and version in _VERSIONS:
            return Form(as_, version)
    raise unfit_form(f"only the following media types are accepted: {JSON}")


def wants_aggregated_discovery(header: str) -> str:
    """The version (``v2``, ``v2beta1``) of the aggregated discovery document, or empty."""
    for media, parameters in media_types(header):
        if media in _JSON_RANGES and parameters.get("as") == "APIGroupDiscoveryList":
            return parameters.get("v", "v2")
        if media == JSON:
            return ""
    return ""
