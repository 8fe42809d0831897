"""What a request asks for, taken from its method, path and query. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from multidict import MultiMapping

from harness.kubeapi.status import ApiError, bad_request, no_such_path

_NUMBER = re.compile(r"[+-]?[0-9]+")
_TRUE = {"1", "t", "true", "T", "TRUE", "True"}


@dataclass(frozen=True, slots=True)
class ResourcePath:
    """A path below ``/api/v1`` or ``/apis/GROUP/VERSION``; ``name`` is empty for a collection."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """The query parameters that the server knows, with their meanings checked."""

    values: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.values.get(name, "")

    def flag(self, name: str) -> bool:
        return self.values.get(name, "") in _TRUE

    def texts(self, name: str) -> Sequence[str]:
        """All values of a parameter that may be given several times."""
        found = self.values.getall(name, ()) if isinstance(self.values, MultiMapping) else ()
        return [text for text in found or (self.text(name),) if text]

    def number(self, name: str) -> int | None:
        """Raises 400 for what is none."""
        text = self.values.get(name, "")
        if not text:
            return None
        if not _NUMBER.fullmatch(text):
            raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
        return int(text)

    @property
    def revision(self) -> int | None:
        """``resourceVersion``; None when it is not given."""
        text = self.values.get("resourceVersion", "")
        if text and not (text.isascii() and text.isdigit()):
            raise bad_request(
                f'invalid resource version: resourceVersion: Invalid value: "{text}": '
                f'strconv.ParseUint: parsing "{text}": invalid syntax'
            )
        return int(text) if text else None

    @property
    def revision_of_one(self) -> int | None:
        """``resourceVersion`` of one object or of a watch, where nonsense is another error."""
        try:
            return self.revision
        except ApiError as error:
            message = str(error).removeprefix("invalid resource version: ")
            raise ApiError(500, "", message) from None

    @property
    def dry_run(self) -> bool:
        return bool(self.text("dryRun"))


def parse_path(path: str) -> ResourcePath:
    """``/apis/apps/v1/namespaces/a/deployments/b/scale`` and its shorter forms.

    Raises 404 for a path that can be no resource.
    """
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise no_such_path()
    namespace = ""
    # /namespaces/x/status and /namespaces/x/finalize belong to the namespace itself.
    own = len(rest) == 3 and rest[2] in ("status", "finalize") and not group
    if rest[0] == "namespaces" and len(rest) >= 3 and not own:
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 3:
        raise no_such_path()
    return ResourcePath(group, version, rest[0], namespace, *rest[1:])
