"""The kernel role's side of the socket: who is served, what is refused, what a fault does."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from attached_pod import AttachedPod, attached_pod
from kernel_roles import serving

from spiderpool.errors import CniError, KernelRoleGone, NamespaceGone, OperationFailed
from spiderpool.kernel import wire
from spiderpool.kernel.messages import AskCookie, Asked, Dump, Fault, decode_answer, encode_asked
from spiderpool.kernel.remote import Remote
from spiderpool.kernel.role import Wire
from spiderpool.kernel.server import Server
from spiderpool.netlink.channel import Answer
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.operations import Operation
from spiderpool.netlink.selection import EVERYTHING
from spiderpool.netlink.transport import Transport
from spiderpool.testing.netlink import Faulting, Recording
from spiderpool.types.address import Address
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import IfName

pytestmark = pytest.mark.kernel


def tell(folder: Path, payload: bytes, descriptors: Sequence[int] = ()) -> Fault:
    """What the kernel role answers to bytes that no agent sends."""
    with serving(folder), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(folder / "kernel.sock"))
        wire.send(connection, payload, descriptors)
        raw = wire.receive(connection, wire.LARGEST_ANSWER, [])
        assert raw is not None
        answer = decode_answer(raw)
        assert isinstance(answer, Fault)
        assert connection.recv(1) == b""
        return answer


def test_another_user_is_not_served(tmp_path: Path, netns: Namespace) -> None:
    server = Server(tmp_path / "sock", os.getuid() + 1)
    server.start()
    inside = Remote(tmp_path / "sock").open(netns)
    with pytest.raises(KernelRoleGone):
        inside.dump()
    server.stop(patience=5)


def test_nobody_but_user_and_group_can_connect(tmp_path: Path) -> None:
    with serving(tmp_path):
        assert (tmp_path / "kernel.sock").stat().st_mode & 0o777 == 0o660


def test_bytes_that_are_no_request(tmp_path: Path) -> None:
    assert "no JSON" in tell(tmp_path, b"hello").message


def test_a_request_without_a_namespace(tmp_path: Path) -> None:
    answer = tell(tmp_path, encode_asked(Asked(0, Dump(EVERYTHING))))
    assert "without the descriptor of its namespace" in answer.message


def test_a_descriptor_that_is_no_namespace(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (tmp_path / "file").open() as file:
        answer = tell(tmp_path, encode_asked(Asked(0, AskCookie())), [file.fileno()])
    assert "is no network namespace" in answer.message


def test_a_namespace_that_nobody_spoke_of(tmp_path: Path, netns: Namespace) -> None:
    answer = tell(tmp_path, encode_asked(Asked(1, AskCookie())), [netns.fd])
    assert "there is no namespace 1" in answer.message


def test_no_descriptor_is_left_open(tmp_path: Path, netns: Namespace) -> None:
    """Neither of what was served nor of what was refused."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    with serving(tmp_path) as role:
        for _ in range(5):
            with role.open_both(netns, netns) as (one, other):
                one.dump()
                assert other.cookie == netns.cookie
    for _ in range(5):
        tell(tmp_path, b"hello", [netns.fd, netns.fd])
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_fault_of_the_kernel_role_is_no_silence(tmp_path: Path, netns: Namespace) -> None:
    def broken(namespace: Namespace) -> Transport:
        raise ZeroDivisionError

    words = r"a fault of the kernel role \(ZeroDivisionError\)"
    with serving(tmp_path, broken) as role, role.open(netns) as inside:  # noqa: SIM117
        with pytest.raises(CniError, match=words):
            inside.dump()


def test_what_a_nic_refuses_is_said(tmp_path: Path, netns: Namespace) -> None:
    nic = Wire(netns, IfName("net1"), "0a:00:00:00:00:01")
    with serving(tmp_path) as role, pytest.raises(OSError, match="No such device") as caught:
        asyncio.run(role.conflicts(nic, [Address("10.6.0.1")]))
    assert caught.value.errno == errno.ENODEV


def test_a_namespace_that_cannot_be_entered_is_said(tmp_path: Path, netns: Namespace) -> None:
    def gone(namespace: Namespace) -> Transport:
        raise NamespaceGone("it is gone")

    with serving(tmp_path, gone) as role, role.open(netns) as inside:  # noqa: SIM117
        with pytest.raises(NamespaceGone, match="it is gone"):
            inside.dump()


class Dying:
    """Does ``place`` operations, and then the process is gone: nobody gets an answer."""

    def __init__(self, inner: Transport, place: int) -> None:
        self._inner, self._place = inner, place

    def execute(
        self, plan: Sequence[Operation], *, until_refused: bool = False
    ) -> Sequence[Answer]:
        if len(plan) <= self._place:
            return self._inner.execute(plan, until_refused=until_refused)
        self._inner.execute(plan[: self._place], until_refused=until_refused)
        raise ConnectionResetError

    def dump(self, *given: Any) -> Any:
        return self._inner.dump(*given)

    def close(self) -> None:
        self._inner.close()


def pod_of(folder: Path, role: Remote) -> Any:
    return attached_pod(folder / "state", role)


def ready(wired: AttachedPod) -> None:
    wired.calico()
    wired.macvlan("net1", 145)


def length(folder: Path) -> int:
    """Operations of the pod's plan."""
    plans: list[Recording] = []

    def recorded(namespace: Namespace) -> Transport:
        plans.append(Recording(Kernel(namespace)))
        return plans[-1]

    with serving(folder, recorded) as role, pod_of(folder, role) as wired:
        ready(wired)
        asyncio.run(wired.call(CniCommand.ADD, "net1"))
    return max(len(each.operations) for each in plans)


def test_a_role_that_dies_midway_leaves_what_a_del_takes_back(tmp_path: Path) -> None:
    count = length(tmp_path)
    assert count > 10
    for place in range(0, count, 3):
        folder = tmp_path / str(place)
        folder.mkdir()

        def dying(namespace: Namespace, at: int = place) -> Transport:
            return Dying(Kernel(namespace), at)

        with pod_of(folder, Remote(folder / "kernel.sock")) as wired:
            ready(wired)
            before = wired.lasting()
            with serving(folder, dying), pytest.raises(KernelRoleGone, match="does not answer"):
                asyncio.run(wired.call(CniCommand.ADD, "net1"))
            with serving(folder):
                asyncio.run(wired.call(CniCommand.DEL, "net1"))
            assert wired.lasting() == before, f"died after {place}"


def test_a_refusal_behind_the_socket_is_named_and_taken_back(tmp_path: Path) -> None:
    count = length(tmp_path)
    for place in range(0, count, 3):
        folder = tmp_path / str(place)
        folder.mkdir()

        def faulting(namespace: Namespace, at: int = place) -> Transport:
            return Faulting(Kernel(namespace), at, errno.ENOBUFS)

        with serving(folder, faulting) as role, pod_of(folder, role) as wired:
            ready(wired)
            before = wired.lasting()
            with pytest.raises(OperationFailed, match="No buffer space") as caught:
                asyncio.run(wired.call(CniCommand.ADD, "net1"))
            assert caught.value.operation.split()[0] in ("ip", "sysctl", "nft"), caught.value
            assert wired.lasting() == before, f"refused {place}"
