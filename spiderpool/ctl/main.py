"""``spiderpoolctl``: dispatches to one module a command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from spiderpool import streams
from spiderpool.errors import SpiderpoolError

COMMANDS = {
    "check": "hold the cluster's addresses against the rules that must always be true",
    "coordinator": "show what the coordinator would do in a pod, as ip commands",
    "doctor": "say what of this node stands in the way of pods' NICs",
    "explain": "say why a pod's NICs get which addresses, or none",
    "gc": "show or release the addresses that nobody uses any more",
    "ip": "show pools and who holds which address, or give one back",
    "status": "show the whole installation, and what is wrong with it",
    "sysdump": "collect what is needed to judge a fault from afar, without secrets",
}


@streams.guarded("spiderpoolctl", failed=2)
def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; bad input ends with one line on stderr and status 2.

    So does what the machine refuses.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    everywhere = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    everywhere.add_argument("--kubeconfig", help="default: $KUBECONFIG, or the service account")
    cluster, given = everywhere.parse_known_args(given)
    parser = argparse.ArgumentParser(
        prog="spiderpoolctl", description=__doc__, parents=[everywhere]
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in given if word in COMMANDS), None)
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text)
        if name == chosen:
            import_module(f"spiderpool.ctl.{name}").add_arguments(sub)
    options = parser.parse_args(given, cluster)
    try:
        status: int = import_module(f"spiderpool.ctl.{options.command}").main(options)
    except SpiderpoolError as error:
        streams.tell("spiderpoolctl", str(error))
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
