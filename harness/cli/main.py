"""The ``harness`` command: dispatches to one module a sub-command."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from importlib import import_module

from spiderpool import streams
from spiderpool.errors import SpiderpoolError

COMMANDS = {
    "run": "run scenarios, with a live view",
    "golden": "hold recorded cases of upstream against ours",
    "plan": "print what the coordinator would do in a recorded case",
    "diff": "compare our coordinator with another executable",
    "doctor": "say what this machine can do, and how to mend what it cannot",
}


@streams.guarded("harness")
def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; bad input ends with one line on stderr and status 2.

    So does what the machine refuses, with status 1.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # locales and paths need not be UTF-8
        sys.stdout.reconfigure(errors="backslashreplace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="harness", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in given if word in COMMANDS), None)
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text)
        if name == chosen:
            import_module(f"harness.cli.{name}").add_arguments(sub)
    options = parser.parse_args(given)
    try:
        status: int = import_module(f"harness.cli.{options.command}").main(options)
    except SpiderpoolError as error:
        streams.tell("harness", str(error))
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
