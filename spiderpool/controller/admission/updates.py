"""Rules of every update: what may not change, and when there is nothing to judge."""

from __future__ import annotations

from spiderpool.controller.admission.findings import Findings, Object, Reason


def is_judged(old: Object | None, new: Object, found: Findings) -> bool:
    """Whether the rules of the kind look at this write.

    They do not when the spec stays as it is: an object that was stored once can always lose
    its finalizer. An object that is being deleted may change in nothing else.
    """
    if old is None:
        return True
    same = (old.get("spec") or {}) == (new.get("spec") or {})
    if new["metadata"].get("deletionTimestamp"):
        if not same:
            problem = "is not changeable while the object is being deleted"
            found.refuse("spec", problem, "wait for its end, and create it again")
        return False
    return not same


def check_unchanged(
    old: Object | None, new: Object, fields: tuple[str, ...], found: Findings
) -> None:
    """Members of ``spec`` that are fixed once they are set."""
    before, after = ((obj or {}).get("spec") or {} for obj in (old, new))
    for field in fields:
        if before.get(field) is not None and before[field] != after.get(field):
            problem = f"is not changeable from {before[field]!r} to {after.get(field)!r}"
            found.refuse(f"spec.{field}", problem, "create a new object", Reason.FORBIDDEN)
