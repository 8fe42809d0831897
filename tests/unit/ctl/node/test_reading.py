"""A node's files below a root of the test's."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_handler import Readiness, World

from spiderpool.cni.install import install
from spiderpool.cni.versions import SUPPORTED
from spiderpool.ctl.node.agentsocket import ask_status
from spiderpool.ctl.node.executables import is_static, look_at
from spiderpool.ctl.node.files import Root
from spiderpool.ctl.node.reading import read_node
from spiderpool.ctl.node.routing import default_nics, networks

ROUTES = """Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
ens192 00000000 0100060A 0003 0 0 0 00000000 0 0 0
ens192 0000060A 00000000 0001 0 0 0 0000FFFF 0 0 0
cali1 8069E90A 00000000 0005 0 0 0 FFFFFFFF 0 0 0
"""
ROUTES_6 = """fd000000000000000000000000000000 40 {z} 00 {z} 00000100 1 0 00000001 ens192
fe800000000000000000000000000000 40 {z} 00 {z} 00000100 1 0 00000001 ens192
{z} 00 {z} 00 fd000000000000000000000000000001 00000400 1 0 00000003 ens224
{z} 00 {z} 00 {z} ffffffff 1 0 00200200 lo
""".format(z="0" * 32)
FILES = {
    "proc/sys/kernel/osrelease": "6.1.0\n",
    "lib/modules/6.1.0/modules.builtin": "kernel/net/veth.ko\n",
    "lib/modules/6.1.0/modules.dep": "kernel/drivers/net/macvlan.ko.xz: kernel/x.ko\n",
    "sys/module/nf_tables/x": "",
    "proc/net/route": ROUTES,
    "proc/net/ipv6_route": ROUTES_6,
    "proc/sys/net/ipv4/ip_forward": "1\n",
    "proc/sys/net/ipv4/conf/ens192/rp_filter": "2\n",
    "sys/class/net/ens192/flags": "0x1103\n",
    "sys/class/net/ens192/carrier": "1\n",
    "sys/class/net/ens192/mtu": "9000\n",
    "sys/class/net/ens224/flags": "0x1002\n",
    "sys/class/net/ens224/master/uevent": "DEVTYPE=bond\nINTERFACE=bond0\n",
    "sys/class/net/bonding_masters": "bond0",
    "run/NetworkManager/x": "",
    "etc/NetworkManager/NetworkManager.conf": "[main]\n",
    "etc/NetworkManager/conf.d/a.conf": "A",
    "usr/lib/NetworkManager/conf.d/a.conf": "hidden by the one in /etc",
    "usr/lib/systemd/network/99-default.link": "D",
    "etc/systemd/network/10-x.link": "X",
    "etc/systemd/network/20-y.network": "Y",
    "run/systemd/netif/state": "",
    "etc/sysctl.d/10.conf": "S",
    "etc/sysctl.conf": "T",
    "etc/cni/net.d/00-multus.conf": '{"type": "multus", "kubeconfig": "/etc/cni/net.d/k"}',
    "etc/cni/net.d/k": "",
    "etc/cni/net.d/notes.txt": "no configuration",
    "opt/cni/bin/macvlan": "",
    "opt/cni/bin/spiderpool": "text",
    "var/lib/spidernet/intents/1.intent": "",
    "var/lib/spidernet/intents/2.refused": "",
    "run/spidernet/x": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Root:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "var/run").symlink_to("/run")
    (tmp_path / "sys/class/net/ens192/device").mkdir()
    (tmp_path / "sys/bus/vmxnet3").mkdir(parents=True)
    (tmp_path / "sys/class/net/ens192/device/driver").symlink_to("../../../../bus/vmxnet3")
    return Root(tmp_path)


def test_everything_is_read_below_the_root(root: Root) -> None:
    facts = read_node(root, (), 50)
    assert facts.pods == 50
    assert facts.kernel.release == "6.1.0"
    assert set(facts.kernel.features or ()) == {"veth", "macvlan", "nf_tables"}
    assert facts.parents == ("ens192", "ens224")
    assert facts.networks == {"ens192": ("10.6.0.0/16", "fd00::/64")}
    assert facts.sysctls == {"ipv4/ip_forward": "1", "ipv4/conf/ens192/rp_filter": "2"}
    assert set(facts.nics) == {"ens192", "ens224"}
    ens192, ens224 = facts.nics["ens192"], facts.nics["ens224"]
    assert (ens192.up, ens192.promiscuous, ens192.carrier, ens192.mtu) == (True, True, True, 9000)
    assert ens192.driver == "vmxnet3"
    assert (ens224.up, ens224.carrier, ens224.master) == (False, False, "bond0")


def test_programs_that_manage_networks(root: Root) -> None:
    known = read_node(root, (), 1).managers
    assert known.network_manager
    assert list(known.network_manager_files.values()) == ["[main]", "A"]
    assert known.networkd
    assert list(known.link_files.values()) == ["X", "D"]
    assert list(known.network_files.values()) == ["Y"]
    assert list(known.sysctl_files.values()) == ["S", "T"]


def test_plugins_configurations_and_state(root: Root) -> None:
    facts = read_node(root, ("ens192",), 1)
    assert facts.cni.names == {"macvlan", "spiderpool"}
    assert not facts.cni.ours["spiderpool"].executable
    assert list(facts.cni.configurations) == ["/etc/cni/net.d/00-multus.conf"]
    assert facts.cni.kubeconfigs == {"/etc/cni/net.d/k": True}
    assert facts.agent.silence == "does not answer: No such file or directory"
    assert (facts.agent.waiting, facts.agent.refused) == (1, 1)
    assert [folder.problem for folder in facts.agent.folders] == ["", ""]


def test_an_empty_root_is_no_traceback(tmp_path: Path) -> None:
    facts = read_node(Root(tmp_path), (), 1)
    assert facts.kernel.features is None
    assert facts.parents == ()
    assert [f.problem for f in facts.agent.folders] == [
        "cannot be used: No such file or directory"
    ] * 2


def test_a_kernel_that_only_says_how_it_was_configured(tmp_path: Path) -> None:
    text = b"CONFIG_MACVLAN=y\nCONFIG_IPVLAN=m\n# CONFIG_BONDING is not set\n"
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/config.gz").write_bytes(gzip.compress(text))
    assert set(read_node(Root(tmp_path), (), 1).kernel.features or ()) == {"macvlan"}


def test_links_do_not_lead_out_of_the_root(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "secret"
    inside.mkdir()
    outside.write_text("secret")
    for name, target in {"up": "../secret", "far": str(outside), "loop": "loop"}.items():
        (inside / name).symlink_to(target)
    root = Root(inside)
    for name in ("/up", "/far", "/../secret", "/loop", "/up/../../secret"):
        assert root.text(name) is None, name
        assert not root.exists(name), name
    (inside / "secret").write_text("mine")
    assert root.text("/up") == "mine", "the control: within the root, links are followed"


def test_routes() -> None:
    here = Root()
    assert set(default_nics(here)) <= {path.name for path in Path("/sys/class/net").iterdir()}
    assert isinstance(networks(here), dict)


def elf(*kinds: int) -> bytes:
    head = bytearray(64)
    head[:5] = b"\x7fELF\x02"
    struct.pack_into("<Q", head, 32, 64)
    struct.pack_into("<HH", head, 54, 56, len(kinds))
    return bytes(head) + b"".join(struct.pack("<I52x", kind) for kind in kinds)


@pytest.mark.parametrize(
    ("content", "static"),
    [(elf(1, 1), True), (elf(1, 3), False), (b"#!/bin/sh\n", None), (b"", None)],
)
def test_what_the_kernel_alone_can_start(
    tmp_path: Path, content: bytes, static: bool | None
) -> None:
    path = tmp_path / "plugin"
    path.write_bytes(content)
    assert is_static(path) is static


def test_this_python_needs_an_interpreter_of_the_system() -> None:
    assert is_static(Path(os.path.realpath(sys.executable))) is False


def test_a_plugin_is_asked_for_its_versions(tmp_path: Path) -> None:
    install(tmp_path)
    found = look_at(tmp_path / "coordinator")
    assert set(found.versions) == set(SUPPORTED)
    assert (found.static, found.complaint) == (None, "")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/bin/sh\necho hello\n", "its answer is not that of a CNI plugin"),
        ("#!/nowhere\n", "No such file or directory"),
        ("#!/bin/sh\necho '[]'\n", "its answer is not that of a CNI plugin"),
    ],
)
def test_a_plugin_that_is_none(tmp_path: Path, script: str, words: str) -> None:
    path = tmp_path / "coordinator"
    path.write_text(script)
    path.chmod(0o755)
    assert look_at(path).complaint == words


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, Readiness]]:
    """An agent's server in a thread, since the doctor waits for its answers."""
    world: list[World] = []
    started, over = threading.Event(), threading.Event()

    async def serve() -> None:
        world.append(World(tmp_path, None))
        task = asyncio.create_task(world[0].server.run())
        while not world[0].path.exists():
            await asyncio.sleep(0.001)
        started.set()
        await asyncio.to_thread(over.wait, 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(10)
    yield world[0].path, world[0].readiness
    over.set()
    thread.join(10)


def test_the_agent_is_asked_for_its_status(served: tuple[Path, Readiness]) -> None:
    path, readiness = served
    assert ask_status(path, "spiderpool") == ""
    readiness.known = ["there is no list of pods yet"]
    assert ask_status(path, "spiderpool") == "there is no list of pods yet"
    assert "is no plugin of ours" in ask_status(path, "nothing")


def test_something_else_that_listens_is_not_the_agent(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        def greet() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 400 Bad Request")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(OSError, match="is not the agent"):
            ask_status(tmp_path / "s", "spiderpool")
        thread.join()
