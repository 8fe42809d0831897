"""What a request asks for, taken from its method, path and query. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.kubeapi.causes import unsupported
from harness.kubeapi.status import bad_options, bad_request, no_such_path

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

    def number(self, name: str) -> int | None:
        """A non-negative number; raises 400 for anything else."""
        text = self.values.get(name, "")
        if not text:
            return None
        if not text.isascii() or not text.isdigit():
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

    def dry_run(self, options: str) -> bool:
        """Raises 422; ``options`` is ``Create``, ``Update``, ``Patch`` or ``Delete``."""
        text = self.values.get("dryRun", "")
        if text not in ("", "All"):
            raise bad_options(options, unsupported("dryRun", [text], ["All"]))
        return text == "All"


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
