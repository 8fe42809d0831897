"""Upstream's coordinator as far as it was recorded: an executable that leaves both namespaces in
the state that upstream's binary left them in, whatever was asked."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.golden.meaning import IS_MAC
from harness.golden.rebuild import Places, addressed, births, raised, routed
from harness.golden.recorded import Pair, read_case
from spiderpool.netlink.apply import apply, apply_all
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import NetState
from spiderpool.netlink.operations import (
    ChangeLink,
    DeleteLink,
    DeleteNeighbour,
    DeleteRule,
    MarkReplies,
    Operation,
)
from spiderpool.netlink.selection import Selection

NO_NAMESPACE = -1


def text(case: Path) -> str:
    """For :func:`coordinator_standin.executable`."""
    return f"from recorded_coordinator import serve\nserve({str(case)!r})\n"


def serve(folder: str) -> None:
    """Answer one CNI call as it was answered then."""
    case, nic = read_case(Path(folder)), os.environ["CNI_IFNAME"]
    sys.stdin.read()
    with Namespace.open(os.environ["CNI_NETNS"]) as pod, Namespace.current() as node:
        if os.environ["CNI_COMMAND"] != "ADD":
            _become(pod, node, next(after for name, after in case.removals if name == nic))
            return
        add = next(add for add in case.adds if add.nic == nic)
        _become(pod, node, add.after)
        print(json.dumps(add.answer))
        raise SystemExit(add.status)


def _become(pod: Namespace, node: Namespace, wanted: Pair) -> None:
    current = Pair(dump(pod, Selection(reply_marks=True)), dump(node))
    apply(node, births(current, wanted, Places(pod.fd, NO_NAMESPACE)).node)
    both = ((pod, current.pod, wanted.pod), (node, current.node, wanted.node))
    for namespace, before, after in both:
        apply_all(namespace, tuple(_gone(before, after)))
        apply(namespace, tuple(_changed(dump(namespace), after)))
    for namespace, before, after in both:
        there = {link.name for link in before.links}
        apply(namespace, raised(link for link in after.links if link.up and link.name not in there))
        apply(namespace, tuple(addressed(dump(namespace), after)))
        apply(namespace, routed(dump(namespace), after))
    unmarked = set(wanted.pod.reply_marks) - set(current.pod.reply_marks)
    apply(pod, [MarkReplies(link) for link in unmarked])


def _gone(before: NetState, after: NetState) -> Iterator[Operation]:
    """A link of a pair goes with the first end, so failures say nothing."""
    known = {link.name for link in after.links}
    yield from (DeleteRule(rule) for rule in before.rules if rule not in after.rules)
    for entry in before.neighbours:
        if entry.permanent and entry not in after.neighbours:
            yield DeleteNeighbour(entry)
    yield from (DeleteLink(link.name) for link in before.links if link.name not in known)


def _changed(current: NetState, after: NetState) -> Iterator[Operation]:
    for link in after.links:
        now = current.link(link.name)
        if now is None:
            continue
        if now.mac != link.mac and IS_MAC.fullmatch(link.mac):
            yield ChangeLink(link.name, mac=link.mac)
        if now.txqueuelen != link.txqueuelen:
            yield ChangeLink(link.name, txqueuelen=link.txqueuelen)
