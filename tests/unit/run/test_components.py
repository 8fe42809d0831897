"""Programs of a run: ended as an upgrade does."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from harness.run.components import ComponentFailed, Components

SCRIPT = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("up", flush=True)
signal.sigwait([signal.SIGTERM])
sys.exit({status})
"""


def ended(folder: Path, status: int) -> str:
    """What its log has after it was told to end."""

    async def main() -> str:
        components = Components(folder)
        command = (sys.executable, "-c", SCRIPT.format(status=status))
        log = components.log("x")
        before = log.stat().st_size if log.exists() else 0
        await components.start("x", command, serves=lambda: log.stat().st_size > before)
        try:
            await components.end("x")
        finally:
            await components.stop()
        assert components.names == ()
        return log.read_text()

    return asyncio.run(main())


def test_a_program_is_told_to_end_and_waited_for(tmp_path: Path) -> None:
    assert ended(tmp_path, 0) == "up\n"
    assert ended(tmp_path, 0) == "up\nup\n", "the log of the one before is kept"


def test_a_program_that_ends_badly_is_told(tmp_path: Path) -> None:
    with pytest.raises(ComponentFailed, match="x ended with status 3: up"):
        ended(tmp_path, 3)


def test_a_program_that_does_not_run_cannot_be_ended(tmp_path: Path) -> None:
    with pytest.raises(ComponentFailed, match="x does not run"):
        asyncio.run(Components(tmp_path).end("x"))


def test_a_program_that_ends_by_itself_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        components = Components(tmp_path)
        command = (sys.executable, "-c", "print('up')")
        await components.start("x", command, serves=lambda: True)
        with pytest.raises(ComponentFailed, match="x ended with status 0: up"):
            async with asyncio.timeout(10):
                while True:
                    components.check()
                    await asyncio.sleep(0)

    asyncio.run(main())
