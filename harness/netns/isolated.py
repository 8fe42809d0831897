"""Call one function inside a sandbox of its own and bring back what it returned or raised."""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import Callable
from typing import Any, NoReturn, ParamSpec, TypeVar

from harness.netns import sandbox

P = ParamSpec("P")
T = TypeVar("T")


class CallLost(Exception):
    """The function ended its process without an answer, or its answer cannot be pickled."""


def call(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """``function(*args)`` in a forked sandbox; result and exception travel by pickle.

    Raises:
        SandboxRefused: the machine does not let us make one.
        CallLost: the process died; or raised what cannot be pickled, which the text shows.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(writing, lambda: function(*args, **kwargs))
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        data = stream.read()
    _, status = os.waitpid(child, 0)
    if not data:
        raise CallLost(f"exit status {os.waitstatus_to_exitcode(status)}")
    succeeded, value = pickle.loads(data)  # noqa: S301  from our own child
    if not succeeded:
        raise value
    result: T = value
    return result


def _answer(pipe: int, function: Callable[[], object]) -> NoReturn:
    """Never returns into the copied stack, whose clean-up belongs to the parent."""
    try:
        sandbox.enter()
        answer = (True, function())
        data = pickle.dumps(answer)
    except BaseException as error:  # all of it belongs to the caller
        data = _pickled_failure(error)
    with os.fdopen(pipe, "wb") as stream:
        stream.write(data)
    os._exit(0)


def _pickled_failure(error: BaseException) -> bytes:
    error.add_note("".join(traceback.format_exception(error)))
    answer: tuple[bool, Any] = (False, error)
    try:
        data = pickle.dumps(answer)
        pickle.loads(data)  # noqa: S301  some exceptions only fail here
    except Exception:
        return pickle.dumps((False, CallLost("\n".join(error.__notes__))))
    return data
