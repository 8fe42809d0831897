"""``python -m docs.generators.quickstart``: carries the quick start out, and writes its answers.

The cluster is that of ``scenarios/quickstart``, with Spiderpool running as after an installation.
Commands are given to a shell in whose PATH ``kubectl`` is the real one, except that ``kubectl
exec`` enters the pod's network namespace, for want of containers. Needs ``ping`` and ``nsenter``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from docs.generators.transcript import Command, commands, files, masked, with_answers
from harness.netns import sandbox
from harness.run import kubectl
from harness.run.emulated import EmulatedCluster
from harness.run.session import Session
from harness.run.setting import setting
from harness.scenario.load import load
from spiderpool.errors import SpiderpoolError

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/quickstart.md"
SCENARIO = ROOT / "scenarios/quickstart"
INSTALLED = ("coordinator.yaml", "kubeadm-config.yaml", "coredns.yaml")
"""What an installation and the cluster itself have made before the page begins."""
LONGEST_SECONDS = 30.0

SHIM = """#!/bin/sh
if [ "$1" = exec ]; then
    pod=${{2#pod/}}
    shift 3
    exec nsenter --net="{places}/default/$pod" -- "$@"
fi
exec {kubectl} --kubeconfig={kubeconfig} "$@"
"""


class CommandFailed(SpiderpoolError):
    """A command of the page failed; the text is what it said."""


class Walk:
    """Carries commands out, one after another; variables that one sets are there for the next."""

    def __init__(self, session: Session, folder: Path) -> None:
        self._session, self._folder = session, folder
        self._variables = ""

    def prepare(self, page: str) -> None:
        """Write the page's files, and kubectl."""
        for name, text in files(page).items():
            (self._folder / name).write_text(text)
        shim = self._folder / "bin" / "kubectl"
        shim.parent.mkdir()
        config = self._folder.parent / "kubeconfig"
        places = self._folder / "places"
        shim.write_text(SHIM.format(places=places, kubectl=kubectl.find(), kubeconfig=config))
        shim.chmod(0o755)

    async def answer(self, command: Command) -> str:
        """What it prints.

        Raises:
            CommandFailed: its status is not 0.
        """
        self._link_places()
        if "=" in command.text.partition(" ")[0]:
            name = command.text.partition("=")[0]
            value = await self._shell(f"{command.text}\necho ${name}")
            self._variables += f"{name}='{value.strip()}'\n"
            return ""
        place = f"nsenter --net={self._folder}/places/{command.place} -- " if command.place else ""
        return await self._shell(place + command.text)

    async def _shell(self, text: str) -> str:
        path = f"{self._folder / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin"
        child = await asyncio.create_subprocess_exec(
            *("bash", "-c", self._variables + text),
            cwd=self._folder,
            env={"PATH": path, "HOME": str(self._folder)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            printed, _ = await asyncio.wait_for(child.communicate(), LONGEST_SECONDS)
        except TimeoutError:
            child.kill()
            raise CommandFailed(f"{text}: does not end") from None
        if child.returncode:
            raise CommandFailed(f"{text.splitlines()[0]}: {printed.decode().strip()}")
        lines = (line.rstrip() for line in printed.decode().splitlines())
        return "".join(f"{line}\n" for line in lines)

    def _link_places(self) -> None:
        """Namespaces by name, for nsenter; pods come and go."""
        for name, namespace in self._session.namespaces.items():
            link = self._folder / "places" / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(f"/proc/{os.getpid()}/fd/{namespace.fd}")


async def carried_out(page: str) -> str:
    """The page with what its commands print now. Call it inside a sandbox.

    Raises:
        SpiderpoolError: the cluster does not come up, or a command fails.
    """
    scenario = load(SCENARIO)
    cluster = EmulatedCluster(setting(scenario), sandbox.RUN)
    session = Session(cluster, scenario.names)
    try:
        await session.start()
        await cluster.install_spiderpool()
        for name in INSTALLED:
            await cluster.kubectl.run("apply", "-f", str(SCENARIO / name))
        for words in (
            ("--for=jsonpath={.status.phase}=Synced", "spidercoordinator/default"),
            ("--for=condition=Available", "deployment/coredns", "-n", "kube-system"),
        ):
            await cluster.kubectl.run("wait", "--timeout=20s", *words)
        folder = sandbox.RUN / "page"
        folder.mkdir()
        walk = Walk(session, folder)
        walk.prepare(page)
        printed = []
        for command in commands(page):
            printed.append(await walk.answer(command))
            await cluster.settle()
    finally:
        await session.stop()
    return with_answers(page, printed)


def main() -> int:
    """Write the page anew, or with ``--check`` say whether it would change."""
    parser = argparse.ArgumentParser(prog="python -m docs.generators.quickstart")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    options = parser.parse_args()
    page = PAGE.read_text()
    try:
        sandbox.enter()
        new = asyncio.run(carried_out(page))
    except SpiderpoolError as error:
        print(f"{PAGE.name}: {error}", file=sys.stderr)
        return 2
    if not options.check:
        PAGE.write_text(new)
        return 0
    pairs = zip(masked(page).splitlines(), masked(new).splitlines(), strict=False)
    for number, (old, now) in enumerate(pairs, start=1):
        if old != now:
            print(f"{PAGE.name}:{number}: says\n  {old}\nand would say\n  {now}", file=sys.stderr)
            return 1
    return int(masked(page) != masked(new))


if __name__ == "__main__":
    sys.exit(main())
