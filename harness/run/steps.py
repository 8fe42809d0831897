"""Carry out a scenario's steps with the real kubectl."""

from __future__ import annotations

from harness.run.session import Session
from harness.scenario.model import Install, Manifests, Scale, Step, Wait


async def carry_out(step: Step, session: Session) -> None:
    """Do what a step says; ``expect`` steps are not for here.

    Raises:
        SpiderpoolError: what kubectl or a component says about its failure.
    """
    kubectl = session.cluster.kubectl
    match step:
        case Install():
            await session.cluster.install_spiderpool()
        case Manifests():
            files = (word for path in step.files for word in ("-f", str(path)))
            await kubectl.run(str(step.verb), *files)
        case Scale():
            await kubectl.run(
                "scale", step.object, f"--replicas={step.replicas}", "-n", step.namespace
            )
        case Wait():
            await kubectl.run(*_wait(step))


def _wait(step: Wait) -> list[str]:
    selected = ["-l", step.selector] if step.selector else []
    return [
        *("wait", step.object, *selected, "-n", step.namespace),
        *(f"--for={step.condition}", f"--timeout={step.seconds:g}s"),
    ]
