"""What an upgrade may change in an object that is there already. Pure.

An installation's values are wishes for members of ``spec``. What it wrote last is noted in
an annotation, so that a value which somebody changed since by hand can be told from one
that only the installation ever wrote: the former is kept, the latter follows the values.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from spiderpool.kube.api import Object

INSTALLED = "spiderpool.spidernet.io/installed"


@dataclass(frozen=True, slots=True)
class Decision:
    """``create``: the whole object; ``patch``: a merge patch; both None: all is well already.

    ``kept`` are the members of ``spec`` that differ from the wish and stay.
    """

    create: Object | None = None
    patch: Object | None = None
    kept: tuple[str, ...] = field(default=())


def decide(wish: Object, existing: Object | None) -> Decision:
    """What to do about one object; ``existing`` is what the API has under its name."""
    wanted = wish["spec"]
    note = {INSTALLED: json.dumps(wanted, sort_keys=True)}
    if existing is None:
        metadata = wish["metadata"]
        annotations = (metadata.get("annotations") or {}) | note
        return Decision(create=wish | {"metadata": metadata | {"annotations": annotations}})
    now, before = existing.get("spec") or {}, _installed(existing)
    different = [key for key, value in wanted.items() if now.get(key) != value]
    ours = [key for key in different if key not in now or now[key] == before.get(key)]
    kept = tuple(key for key in different if key not in ours)
    noted = (existing["metadata"].get("annotations") or {}).get(INSTALLED)
    if not ours and noted == note[INSTALLED]:
        return Decision(kept=kept)
    changes = {"spec": {key: wanted[key] for key in ours}} if ours else {}
    version = {"resourceVersion": existing["metadata"]["resourceVersion"]}
    return Decision(patch={"metadata": version | {"annotations": note}} | changes, kept=kept)


def _installed(existing: Object) -> dict[str, Any]:
    """What was written last; nothing when the object is somebody else's."""
    text = (existing["metadata"].get("annotations") or {}).get(INSTALLED, "")
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
