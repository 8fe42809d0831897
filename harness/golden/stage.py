"""A case played in real namespaces, by an executable."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from harness.golden.plugins import Executable
from harness.golden.rebuild import Places, addressed, births, gateways, raised, routed
from harness.golden.recorded import Add, Pair
from harness.golden.replay import Answer
from harness.netns.capabilities import has_ipv6
from harness.netns.ledger import Ledger
from harness.netns.proxyarp import answer_at_once
from spiderpool.coordinator.config import Config
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import Link, NetState
from spiderpool.netlink.operations import AddAddress, SetSysctl
from spiderpool.netlink.selection import Selection
from spiderpool.types.modes import CniCommand

_IPV4 = tuple(
    SetSysctl(f"ipv4/conf/{links}/{key}", "0")
    for links in ("all", "default")
    for key in ("rp_filter", "send_redirects")
)
_IPV6 = (
    SetSysctl("ipv6/conf/default/accept_dad", "0"),
    SetSysctl("ipv6/conf/default/accept_ra", "0"),
)
_FORWARDS = (SetSysctl("ipv4/ip_forward", "1"),)
_FORWARDS_IPV6 = (SetSysctl("ipv6/conf/all/forwarding", "1"),)
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class KernelStage:
    """Call it inside a sandbox; ``plugin`` is told the node's namespace."""

    def __init__(self, ledger: Ledger, plugin: Callable[[Namespace], Executable]) -> None:
        self.pod, self.node, self.elsewhere = map(ledger.create, ("pod", "node", "elsewhere"))
        self._plugin = plugin(self.node)
        for place in (self.pod, self.node, self.elsewhere):
            apply(place, (*_IPV4, *(_IPV6 if has_ipv6() else ())))
        for router in (self.node, self.elsewhere):
            apply(router, (*_FORWARDS, *(_FORWARDS_IPV6 if has_ipv6() else ())))

    def state(self) -> Pair:
        everything = Selection(reply_marks=True)
        return Pair(dump(self.pod, everything), dump(self.node, everything))

    def arrange(self, wanted: Pair) -> None:
        current = self.state()
        links = births(current, wanted, Places(self.pod.fd, self.elsewhere.fd))
        apply(self.node, links.node)
        self._answer_arp_at(links.pairs)
        apply(self.pod, links.pod)
        apply(self.elsewhere, raised(dump(self.elsewhere).links))
        for namespace, before, after in (
            (self.node, current.node, wanted.node),
            (self.pod, current.pod, wanted.pod),
        ):
            apply(namespace, raised(_to_raise(before, after)))
            apply(namespace, tuple(addressed(dump(namespace), after)))
            apply(namespace, routed(dump(namespace), after))

    def _answer_arp_at(self, links: Iterable[Link]) -> None:
        """As Calico has it, whose gateway is no address of the node's."""
        for link in links:
            apply(self.node, [SetSysctl(f"ipv4/conf/{link.name}/proxy_arp", "1")])
            answer_at_once(self.node, link.name, link.index)

    def attach(self, add: Add, config: Config) -> Answer:
        current = self.state()
        known = {(entry.link, entry.address) for entry in dump(self.elsewhere).addresses}
        wanted = gateways(current, add.nic, add.netconf.get("prevResult") or {})
        apply(self.elsewhere, [op for op in wanted if _place(op) not in known])
        return self._call(CniCommand.ADD, add)

    def detach(self, add: Add, config: Config) -> Answer:
        return self._call(CniCommand.DEL, add)

    def _call(self, command: CniCommand, add: Add) -> Answer:
        """The recorded call, but for where the pod's namespace is found."""
        place = f"/proc/{os.getpid()}/fd/{self.pod.fd}"
        recorded = add.environment["CNI_NETNS"]
        own = {"CNI_COMMAND": command, "CNI_NETNS": place, "PATH": _PATH}
        stdin = json.dumps(_moved(add.netconf, recorded, place)).encode()
        done = asyncio.run(self._plugin.call({**add.environment, **own}, stdin))
        result = _object(done.stdout)
        if done.status != 0:
            complaint = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            return Answer(str(result.get("msg") or complaint or f"exit status {done.status}"))
        return Answer(result=_moved(result, place, recorded))


def _place(operation: AddAddress) -> tuple[str, str]:
    return operation.address.link, operation.address.address


def _to_raise(current: NetState, wanted: NetState) -> list[Link]:
    up = {link.name for link in current.links if link.up}
    return [link for link in wanted.links if link.up and link.name not in up]


def _object(stdout: bytes) -> dict[str, Any]:
    """Empty when the output is no JSON object, as that of a DEL."""
    try:
        value = json.loads(stdout)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _moved(value: Any, old: str, new: str) -> Any:
    """The same JSON with another path of the namespace."""
    if isinstance(value, dict):
        return {key: _moved(inner, old, new) for key, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, old, new) for inner in value]
    return new if value == old else value
