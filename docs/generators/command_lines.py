"""What each program says to --help, at a fixed width."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from unittest import mock

from harness.cli import main as harness
from spiderpool.agent import folders
from spiderpool.agent import options as agent
from spiderpool.controller import main as controller
from spiderpool.controller.install import main as install
from spiderpool.ctl import main as ctl
from spiderpool.kernel import main as kernel

Program = Callable[[Sequence[str]], object]

_ENVIRONMENT = {"COLUMNS": "92", "PATH": os.environ.get("PATH", "")}
"""Nothing else: defaults that come from the environment must not be the builder's."""


def command_lines() -> str:
    """A section for each program, and one for each of its commands and their verbs."""
    return "\n\n".join(
        (
            *_program("spiderpoolctl", ctl.main),
            *_program("spiderpool-agent", agent.parse),
            *_program("spiderpool-kernel", kernel.main),
            *_program("spiderpool-folders", folders.main),
            *_program("spiderpool-controller", controller.main),
            *_program("python -m spiderpool.controller.install", install.main),
            *_program("harness", harness.main),
        )
    )


def _program(name: str, program: Program, words: tuple[str, ...] = ()) -> Iterator[str]:
    yield f"{'#' * (2 + len(words))} {' '.join((name, *words))}"
    text, commands = _help(program, words)
    yield f"```text\n{text}```"
    for command in commands:
        yield from _program(name, program, (*words, command))


def _help(program: Program, words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """What is printed, and the commands of the parser that prints it."""
    parsers: list[argparse.ArgumentParser] = []

    def print_help(parser: argparse.ArgumentParser, file: object = None) -> None:
        parsers.append(parser)

    uname = SimpleNamespace(nodename="HOSTNAME")
    with (
        mock.patch.dict(os.environ, _ENVIRONMENT, clear=True),
        mock.patch.multiple(os, uname=lambda: uname, getpid=lambda: "PID"),
    ):
        with (
            mock.patch.object(argparse.ArgumentParser, "print_help", print_help),
            contextlib.suppress(SystemExit),
        ):
            program([*words, "--help"])
        return parsers[0].format_help(), tuple(_commands(parsers[0]))


def _commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices
