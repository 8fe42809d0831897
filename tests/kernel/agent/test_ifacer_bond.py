"""A bond that ifacer makes, and a VLAN upon it, by what the driver says of them. Packets: the
scenario coordinator/bond.

::

    node bond0.7 ── bond0 ┬ eth1 ── lan1 ┐
                          └ eth2 ── lan2 ┴ switch
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from real_node import until

from harness.netns.process import run
from spiderpool.agent.ifacer import IfacerHandler
from spiderpool.cni.request import CniRequest
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkKind
from spiderpool.netlink.operations import ChangeLink, CreateLink, Peer, SetSysctl
from spiderpool.testing.builders import up
from spiderpool.testing.namespaces import new_namespace
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import ContainerID, IfName

pytestmark = [pytest.mark.kernel, pytest.mark.link("bond"), pytest.mark.link("vlan")]

CONFIG = {
    "name": "bonded",
    "interfaces": ["eth1", "eth2"],
    "bond": {"name": "bond0", "mode": 1, "options": "miimon=50;primary=eth2"},
    "vlanID": 7,
}
STILL = SetSysctl("ipv6/conf/default/disable_ipv6", "1")
NET1, BOND_VLAN = IfName("net1"), IfName("bond0.7")

Places = dict[str, Namespace]


@pytest.fixture
def places() -> Iterator[Places]:
    with ExitStack() as stack:
        made = {name: stack.enter_context(new_namespace()) for name in ("switch", "node")}
        for namespace in made.values():
            apply(namespace, [STILL])
        ports = [
            _port(port, made["node"], nic) for port, nic in (("lan1", "eth1"), ("lan2", "eth2"))
        ]
        apply(made["switch"], [CreateLink(IfName("switch"), LinkKind.BRIDGE, up=True), *ports])
        yield made


def _port(name: str, namespace: Namespace, nic: str) -> CreateLink:
    peer = Peer(IfName(nic), namespace=namespace.fd)
    return CreateLink(IfName(name), LinkKind.VETH, up=True, master=IfName("switch"), peer=peer)


@pytest.fixture
def call(places: Places, tmp_path: Path) -> Callable[[CniCommand], None]:
    """ifacer, as the pod's runtime calls it."""
    handler = IfacerHandler(tmp_path, Kernel)

    def carry_out(command: CniCommand) -> None:
        made = CniRequest(command, "ifacer", ContainerID("a"), "/ns", NET1, config=CONFIG)
        asyncio.run(handler.handle(made, places["node"], None))

    return carry_out


def bond(node: Namespace) -> dict[str, Any]:
    """What the driver says of the bond, by ip(8)."""
    command = ["/usr/bin/env", "ip", "-json", "-details", "link", "show", "dev", "bond0"]
    done = asyncio.run(run(command, node, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}))
    (shown,) = json.loads(done.stdout)
    data: dict[str, Any] = shown["linkinfo"]["info_data"]
    return data


def test_an_add_waits_until_the_bond_can_send(
    places: Places, call: Callable[[CniCommand], None]
) -> None:
    apply(places["switch"], [ChangeLink(IfName(port), up=False) for port in ("lan1", "lan2")])
    with ThreadPoolExecutor(1) as pool:
        adding = pool.submit(call, CniCommand.ADD)
        until(lambda: dump(places["node"]).link(BOND_VLAN) is not None)
        assert not adding.done()
        apply(places["switch"], [up("lan1")])
        adding.result()
    assert bond(places["node"])["active_slave"] == "eth1"


def test_a_reboot_is_made_good_with_the_same_settings(
    places: Places, call: Callable[[CniCommand], None], tmp_path: Path
) -> None:
    """The node's namespace is a new one, as its kernel's memory would be; the state is kept."""
    call(CniCommand.ADD)
    before = bond(places["node"])
    with new_namespace() as rebooted:
        apply(rebooted, [STILL, *(_wire(nic) for nic in ("eth1", "eth2"))])
        asyncio.run(IfacerHandler(tmp_path, Kernel).restore(rebooted))
        found = dump(rebooted).link(BOND_VLAN)
        assert found is not None
        assert (found.kind, found.vlan, found.up) == (LinkKind.VLAN, 7, True)
        volatile = ("active_slave", "ad_info")
        after = bond(rebooted)
        assert {k: v for k, v in after.items() if k not in volatile} == {
            k: v for k, v in before.items() if k not in volatile
        }
        assert (after["mode"], after["miimon"], after["primary"]) == ("active-backup", 50, "eth2")


def _wire(nic: str) -> CreateLink:
    return CreateLink(IfName(nic), LinkKind.VETH, up=True, peer=Peer(IfName(f"{nic}-far")))
