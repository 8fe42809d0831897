"""Programs run where they are told to, and nothing of them is lost or left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from harness.netns import isolated, nft
from harness.netns.ledger import Ledger
from harness.netns.process import Completed, ended, run, start
from spiderpool.errors import OperationFailed
from spiderpool.netlink.namespace import Namespace

pytestmark = pytest.mark.kernel

ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def ran(*argv: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    """Status, stdout and stderr of a program in a fresh namespace."""

    def inside() -> Completed:
        with Ledger() as ledger:
            return asyncio.run(run(argv, ledger.create("one"), env=ENV, stdin=stdin))

    done = isolated.call(inside)
    return done.status, done.stdout, done.stderr


def test_streams_and_status_come_back() -> None:
    assert ran("sh", "-c", "cat; echo bad >&2; exit 3", stdin=b"x" * 300_000) == (
        3,
        b"x" * 300_000,
        b"bad\n",
    )


def test_a_signal_is_a_negative_status() -> None:
    assert ran("sh", "-c", "kill -9 $$")[0] == -signal.SIGKILL


def test_only_the_given_environment_is_seen() -> None:
    assert ran("sh", "-c", "echo $PATH $HOME; pwd")[1] == f"{ENV['PATH']}\n/\n".encode()


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        ran("/no/such/program")


def where_it_ran() -> tuple[int, int, int]:
    with Ledger() as ledger:
        namespace = ledger.create("one")
        inode = asyncio.run(run(["stat", "-Lc%i", "/proc/self/ns/net"], namespace, env=ENV))
        return (
            int(inode.stdout),
            os.fstat(namespace.fd).st_ino,
            Path("/proc/self/ns/net").stat().st_ino,
        )


def test_the_program_is_inside_and_the_caller_is_not() -> None:
    seen, wanted, own = isolated.call(where_it_ran)
    assert seen == wanted != own


def processes() -> int:
    return sum(entry.name.isdigit() for entry in Path("/proc").iterdir())


def processes_around_cancelling() -> tuple[int, int]:
    async def body() -> int:
        with Ledger() as ledger:
            task = asyncio.create_task(run(["sleep", "1000"], ledger.create("one"), env=ENV))
            await asyncio.sleep(0)
            running = processes()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return running

    return asyncio.run(body()), processes()


def test_cancelling_kills() -> None:
    assert isolated.call(processes_around_cancelling) == (3, 2), "init and this worker are left"


def names_of_a_ledger() -> tuple[list[tuple[str, ...]], bool]:
    with Ledger() as ledger:
        first, second = ledger.create("a"), ledger.create("b")
        seen, differ = [ledger.names], first != second
        with pytest.raises(ValueError, match="'a' already"):
            ledger.create("a")
        ledger.drop("a")
        seen.append(ledger.names)
        ledger.create("a")
        seen.append(ledger.names)
        assert "a" in ledger and ledger["b"] is second
        return seen, differ


def test_a_ledger_knows_what_it_holds() -> None:
    seen, differ = isolated.call(names_of_a_ledger)
    assert seen == [("a", "b"), ("b",), ("b", "a")]
    assert differ


def refused_script() -> str:
    with Ledger() as ledger, pytest.raises(OperationFailed) as caught:
        asyncio.run(nft.load(ledger.create("one"), "add table ip t\nadd rule ip t none accept\n"))
    return str(caught.value)


def test_a_refused_script_says_why() -> None:
    assert "No such file or directory" in isolated.call(refused_script)


def test_what_was_waited_for_already_has_ended() -> None:
    with Namespace.current() as here:
        child = start(["/bin/false"], here, env={})
    assert child.wait() == 1
    assert asyncio.run(ended(child)) == 1
