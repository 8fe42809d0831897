"""Steps that write objects, as words of kubectl. Pure."""

from __future__ import annotations

from harness.scenario.model import Given, Manifests, ManifestVerb, Scale

Write = Manifests | Given | Scale


def words(step: Write) -> tuple[str, ...]:
    """What kubectl is told."""
    match step:
        case Manifests():
            files = (word for path in step.files for word in ("-f", str(path)))
            now = ("--force", "--grace-period=0") if step.force else ()
            return (str(step.verb), *files, *now)
        case Given():
            return words(Manifests(step.where, ManifestVerb.APPLY, step.files))
        case Scale():
            return ("scale", step.object, f"--replicas={step.replicas}", "-n", step.namespace)
