"""The standard streams of a program: always there, and no traceback where nobody reads them.

A program that is started without one of the descriptors 0 to 2 would give its number to the
next file or socket, which then gets what is printed. Where one is missing, ``/dev/null`` is
opened in its place, as libc does for programs that change their user (glibc,
``csu/check_fds.c``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TextIO

Words = ParamSpec("Words")

INTERRUPTED = 130
"""128 and the number of SIGINT, as shells say it."""


def guarded(
    program: str, *, failed: int = 1
) -> Callable[[Callable[Words, int]], Callable[Words, int]]:
    """Decorates a program's ``main``: what the system refuses is one line on stderr, status
    ``failed``. A reader that has gone needs no word. After SIGINT the status is 130.
    """

    def decorate(main: Callable[Words, int]) -> Callable[Words, int]:
        @wraps(main)
        def run(*args: Words.args, **kwargs: Words.kwargs) -> int:
            open_missing()
            try:
                try:
                    return main(*args, **kwargs)
                finally:
                    sys.stdout.flush()
            except OSError as error:
                _give_up(sys.stdout)
                if not isinstance(error, BrokenPipeError):
                    tell(program, _words(error))
                return failed
            except KeyboardInterrupt as interrupt:
                tell(program, str(interrupt))
                return INTERRUPTED

        return run

    return decorate


def tell(program: str, words: str) -> None:
    """One line on stderr, if there is something to say and somebody to read it."""
    if not words:
        return
    try:
        sys.stderr.write(f"{program}: {words}\n")
        sys.stderr.flush()
    except OSError:
        _give_up(sys.stderr)


def open_missing() -> None:
    """Give this process, and those that it starts, all three standard streams."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # so it is the lowest number that is free, which open(2) gives
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def _words(error: OSError) -> str:
    words = error.strerror or str(error)
    return words if error.filename is None else f"{error.filename}: {words}"


def _give_up(stream: TextIO) -> None:
    """What is not written yet would fail once more at the interpreter's end, with status 120."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), stream.fileno())
