"""Carry out a scenario's steps with the real kubectl."""

from __future__ import annotations

import asyncio
import errno

from harness.netns import nft, programs
from harness.netns.process import run
from harness.probes.advertising import advertise
from harness.run.components import module
from harness.run.emulated import EmulatedCluster
from harness.run.session import Session
from harness.scenario.model import (
    Advertise,
    Ctl,
    Given,
    Install,
    Ip,
    KillPart,
    Manifests,
    Redirect,
    Scale,
    StartPart,
    Step,
    StopPart,
    Wait,
)
from spiderpool.errors import OperationFailed, SpiderpoolError
from spiderpool.types.names import IfName


class CtlFailed(SpiderpoolError):
    """spiderpoolctl did not succeed; the text has its last line."""


async def carry_out(step: Step, session: Session) -> None:
    """Do what a step says; ``expect`` steps are not for here.

    Raises:
        SpiderpoolError: what kubectl or a component says about its failure.
    """
    match step:
        case Install():
            await session.cluster.install_spiderpool()
        case Manifests() | Given() | Scale():
            await session.cluster.write(step)
        case Wait():
            await session.cluster.kubectl.run(*_wait(step))
        case Ip():
            await _ip(step, session)
        case Redirect():
            await _redirect(step, session)
        case Advertise():
            await _advertise(step, session)
        case KillPart():
            _emulated(session).kill(step.part, step.node)
        case StopPart():
            await _emulated(session).end(step.part, step.node)
        case StartPart():
            await _emulated(session).start_again(step.part, step.node)
        case Ctl():
            await _ctl(step, session)


def _emulated(session: Session) -> EmulatedCluster:
    """The cluster whose programs are the run's own."""
    assert isinstance(session.cluster, EmulatedCluster)  # others are refused such steps
    return session.cluster


async def _ip(step: Ip, session: Session) -> None:
    """Raises OperationFailed with the first line of ip's complaint."""
    names = await session.names()
    words = [names.text(word, None) for word in step.words]
    program = programs.find("ip")
    if program is None:
        complaint = f"no ip in {programs.PATH}; install iproute2"
        raise OperationFailed(f"{step}", errno.ENOENT, complaint)
    namespace = session.namespaces[names.place(step.place)]
    done = await run([program, *words], namespace, env={"PATH": programs.PATH})
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


async def _advertise(step: Advertise, session: Session) -> None:
    """Raises ProbeImpossible where there is no such NIC, or it cannot send."""
    place = (await session.names()).place(step.nic.place)
    router, nic = session.namespaces[place], IfName(step.nic.nic or "")
    await asyncio.to_thread(advertise, router, nic, step.prefix)


async def _ctl(step: Ctl, session: Session) -> None:
    """Raises CtlFailed with what spiderpoolctl complains about."""
    child = await asyncio.create_subprocess_exec(
        *module("spiderpool.ctl.main", *step.words, "--kubeconfig"),
        str(session.cluster.kubeconfig),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaint = await child.communicate()
    if child.returncode:
        words = (complaint or printed).decode(errors="replace").strip().rpartition("\n")[2]
        raise CtlFailed(f"{step}: {words}")


def _wait(step: Wait) -> list[str]:
    selected = ["-l", step.selector] if step.selector else []
    return [
        *("wait", step.object, *selected, "-n", step.namespace),
        *(f"--for={step.condition}", f"--timeout={step.seconds:g}s"),
    ]
