"""Namespaces by descriptor."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from spiderpool.errors import NamespaceGone
from spiderpool.netlink.namespace import Namespace
from spiderpool.testing.namespaces import new_namespace

pytestmark = pytest.mark.kernel


def links_here() -> list[str]:
    return [name for _, name in socket.if_nameindex()]


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_inside_and_back_again(netns: Namespace) -> None:
    with Namespace.current() as before:
        with netns.entered(), Namespace.current() as inside:
            assert inside == netns
            assert inside.fd != netns.fd
            assert links_here() == ["lo"]
        with Namespace.current() as after:
            assert after == before != netns


def test_back_again_after_an_error(netns: Namespace) -> None:
    with Namespace.current() as before:
        with pytest.raises(RuntimeError, match="inside"), netns.entered():
            raise RuntimeError("inside")
        with Namespace.current() as after:
            assert after == before


def test_other_threads_stay_where_they_are(netns: Namespace) -> None:
    cookies: list[int] = []

    def note() -> None:
        with Namespace.current() as current:
            cookies.append(current.cookie)

    idle, leave = threading.Event(), threading.Event()

    def wait_and_note() -> None:
        idle.set()
        leave.wait()
        note()

    thread = threading.Thread(target=wait_and_note)
    thread.start()
    idle.wait()
    with netns.entered():
        leave.set()
        thread.join()
    note()
    assert cookies[0] == cookies[1] != netns.cookie


def test_a_socket_stays_inside(netns: Namespace) -> None:
    with netns.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        raw = made.getsockopt(socket.SOL_SOCKET, 71, 8)
    assert int.from_bytes(raw, "little") == netns.cookie


def test_cookies_tell_namespaces_apart(netns: Namespace) -> None:
    with new_namespace() as other, Namespace.from_fd(os.dup(netns.fd)) as same:
        assert netns != other
        assert {netns, other, same} == {netns, other}


def test_a_namespace_opened_by_path(netns: Namespace) -> None:
    with Namespace.open(f"/proc/self/fd/{netns.fd}") as same:
        assert same == netns


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NamespaceGone, match="No such file"):
        Namespace.open(str(tmp_path / "gone"))


def test_a_file_is_no_namespace(tmp_path: Path) -> None:
    plain = tmp_path / "file"
    plain.touch()
    before = open_descriptors()
    with pytest.raises(NamespaceGone, match="no network namespace"):
        Namespace.open(str(plain))
    assert open_descriptors() == before


def test_a_namespace_of_another_kind() -> None:
    with pytest.raises(NamespaceGone, match="no network namespace"):
        Namespace.open("/proc/self/ns/uts")


def test_a_descriptor_of_something_else_stays_the_callers() -> None:
    reading, writing = os.pipe()
    with pytest.raises(NamespaceGone, match="no network namespace"):
        Namespace.from_fd(reading)
    os.close(reading)
    os.close(writing)


def test_closed_is_gone() -> None:
    namespace = new_namespace()
    namespace.close()
    namespace.close()
    with pytest.raises(NamespaceGone), namespace.entered():
        pass
