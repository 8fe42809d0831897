"""Carry out a scenario's steps with the real kubectl."""

from __future__ import annotations

import errno
import shutil

from harness.netns import nft
from harness.netns.process import run
from harness.run.session import Session
from harness.scenario.model import Install, Ip, Manifests, Redirect, Scale, Step, Wait
from spiderpool.errors import OperationFailed

_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


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
        case Ip():
            await _ip(step, session)
        case Redirect():
            await _redirect(step, session)


async def _ip(step: Ip, session: Session) -> None:
    """Raises OperationFailed with the first line of ip's complaint."""
    names = await session.names()
    words = [names.text(word, None) for word in step.words]
    program = shutil.which("ip", path=_PATH)
    if program is None:
        raise OperationFailed(f"{step}", errno.ENOENT, f"no ip in {_PATH}; install iproute2")
    namespace = session.namespaces[names.place(step.place)]
    done = await run([program, *words], namespace, env={"PATH": _PATH})
    if done.status != 0:
        complaint = done.stderr.decode(errors="replace").partition("\n")[0]
        raise OperationFailed(f"ip {' '.join(words)}", errno.EINVAL, complaint)


async def _redirect(step: Redirect, session: Session) -> None:
    names = await session.names()
    await nft.load(
        session.namespaces[names.place(step.place)],
        "table inet sidecar {\n chain inbound {\n  type nat hook prerouting priority dstnat\n"
        f"  tcp dport {step.port} redirect to :{step.to}\n }}\n}}\n",
    )


def _wait(step: Wait) -> list[str]:
    selected = ["-l", step.selector] if step.selector else []
    return [
        *("wait", step.object, *selected, "-n", step.namespace),
        *(f"--for={step.condition}", f"--timeout={step.seconds:g}s"),
    ]
