"""The thin plugin as a process: alone, without an agent, and with a strange one."""

from __future__ import annotations

import array
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from spiderpool.agent.wire import RawRequest, decode, encode_answer
from spiderpool.cni import plugin
from spiderpool.cni.install import PLUGINS, install
from spiderpool.cni.versions import SUPPORTED

NETCONF = b'{"cniVersion":"0.4.0","name":"n","type":"spiderpool"}'


@pytest.fixture(scope="module")
def bin_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bin")
    install(folder)
    return folder


def execute(path: Path, stdin: bytes = NETCONF, /, **env: str) -> tuple[int, bytes]:
    done = subprocess.run(
        [str(path)], input=stdin, env=env, capture_output=True, timeout=30, check=False
    )
    assert done.stderr == b""
    return done.returncode, done.stdout


@pytest.mark.parametrize("name", PLUGINS)
def test_version_needs_nobody(bin_dir: Path, name: str) -> None:
    status, stdout = execute(bin_dir / name, CNI_COMMAND="VERSION")
    answer = json.loads(stdout)
    assert status == 0
    assert answer == {"cniVersion": "1.1.0", "supportedVersions": list(SUPPORTED)}


@pytest.mark.parametrize("command", ["ADD", "CHECK", "STATUS", "GC"])
def test_no_agent_means_try_again_later(bin_dir: Path, tmp_path: Path, command: str) -> None:
    status, stdout = execute(
        bin_dir / "spiderpool", CNI_COMMAND=command, SPIDERPOOL_SOCKET=str(tmp_path / "none")
    )
    answer = json.loads(stdout)
    assert status == 1
    assert (answer["cniVersion"], answer["code"]) == ("0.4.0", 11)
    assert str(tmp_path / "none") in answer["msg"]
    assert "No such file" in answer["msg"]


def test_a_del_without_an_agent_leaves_a_note(bin_dir: Path, tmp_path: Path) -> None:
    intents = tmp_path / "a" / "b"
    env = {"CNI_COMMAND": "DEL", "CNI_CONTAINERID": "c", "CNI_IFNAME": "net1"}
    status, stdout = execute(
        bin_dir / "coordinator",
        SPIDERPOOL_SOCKET=str(tmp_path / "none"),
        SPIDERPOOL_INTENTS=str(intents),
        IGNORED="secret",
        **env,
    )
    assert (status, stdout) == (0, b"")
    (note,) = intents.glob("*.intent")
    assert [path.name for path in intents.iterdir()] == [note.name]
    assert decode(note.read_bytes()) == RawRequest(
        env | {"SPIDERPOOL_PLUGIN": "coordinator"}, NETCONF
    )


def test_a_del_that_can_leave_no_note_fails(bin_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    status, stdout = execute(
        bin_dir / "coordinator",
        CNI_COMMAND="DEL",
        SPIDERPOOL_SOCKET=str(tmp_path / "none"),
        SPIDERPOOL_INTENTS=str(tmp_path / "file" / "x"),
    )
    assert status == 1
    assert json.loads(stdout)["code"] == 11


def test_odd_letters_in_messages_are_still_json(bin_dir: Path, tmp_path: Path) -> None:
    path = str(tmp_path / 'no"such\\path\n\u00e9')
    status, stdout = execute(bin_dir / "spiderpool", CNI_COMMAND="ADD", SPIDERPOOL_SOCKET=path)
    assert status == 1
    assert path in json.loads(stdout)["msg"]


def test_an_endless_configuration_is_refused(bin_dir: Path, tmp_path: Path) -> None:
    status, stdout = execute(
        bin_dir / "spiderpool", b" " * (plugin.LARGEST_STDIN + 1), CNI_COMMAND="ADD"
    )
    assert status == 1
    assert json.loads(stdout)["code"] == 5


class Agent:
    """Accepts one connection on a socket of its own and does as the test says."""

    def __init__(self, folder: Path, act: Callable[[socket.socket], None]) -> None:
        self.path = folder / "agent.sock"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._listener.settimeout(10)
        self._act = act
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(10)
            self._act(connection)

    def close(self) -> None:
        self._thread.join(10)
        self._listener.close()


def against(
    bin_dir: Path,
    folder: Path,
    act: Callable[[socket.socket], None],
    command: str = "ADD",
    **env: str,
) -> tuple[int, bytes]:
    agent = Agent(folder, act)
    try:
        return execute(
            bin_dir / "spiderpool",
            CNI_COMMAND=command,
            SPIDERPOOL_SOCKET=str(agent.path),
            SPIDERPOOL_INTENTS=str(folder / "intents"),
            **env,
        )
    finally:
        agent.close()


def read_all(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += connection.recv(count - len(data))
    return data


def test_the_agents_answer_is_printed_with_its_status(bin_dir: Path, tmp_path: Path) -> None:
    def act(connection: socket.socket) -> None:
        connection.recv(65536)
        for byte in encode_answer(1, b'{"code": 101}'):
            connection.send(bytes([byte]))

    assert against(bin_dir, tmp_path, act) == (1, b'{"code": 101}')


def test_a_large_request_arrives_whole(bin_dir: Path, tmp_path: Path) -> None:
    big = b'{"x":"' + b"y" * 3_000_000 + b'"}'
    got: list[RawRequest] = []

    def act(connection: socket.socket) -> None:
        head = read_all(connection, 16)
        size = int.from_bytes(head[8:12], "big") + int.from_bytes(head[12:16], "big")
        got.append(decode(head + read_all(connection, size)))
        connection.sendall(encode_answer(0, b"{}"))

    agent = Agent(tmp_path, act)
    assert execute(
        bin_dir / "spiderpool", big, CNI_COMMAND="ADD", SPIDERPOOL_SOCKET=str(agent.path)
    ) == (0, b"{}")
    agent.close()
    assert got[0].stdin == big


@pytest.mark.parametrize(("netns", "count"), [("/proc/self/ns/net", 2), ("/none", 1), ("", 1)])
def test_descriptors_of_namespaces_come_along(
    bin_dir: Path, tmp_path: Path, netns: str, count: int
) -> None:
    got: list[int] = []

    def act(connection: socket.socket) -> None:
        _, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(8 * 4))
        for _, _, data in ancillary:
            got.extend(array.array("i", data))
        connection.sendall(encode_answer(0, b""))

    assert against(bin_dir, tmp_path, act, CNI_NETNS=netns) == (0, b"")
    assert len(got) == count
    own = Path("/proc/self/ns/net").stat().st_ino
    for descriptor in got:
        assert os.fstat(descriptor).st_ino == own
        os.close(descriptor)


def test_a_pipe_in_place_of_a_namespace_does_not_hang(bin_dir: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    def act(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(encode_answer(0, b""))

    assert against(bin_dir, tmp_path, act, CNI_NETNS=str(tmp_path / "pipe")) == (0, b"")


def refuse(connection: socket.socket) -> None:
    connection.sendall(encode_answer(1, b'{"code": 6}'))


def test_an_agent_that_answers_before_it_has_read_all_is_heard(
    bin_dir: Path, tmp_path: Path
) -> None:
    agent = Agent(tmp_path, refuse)
    answer = execute(
        bin_dir / "spiderpool",
        b"y" * 3_000_000,
        CNI_COMMAND="ADD",
        SPIDERPOOL_SOCKET=str(agent.path),
    )
    agent.close()
    assert answer == (1, b'{"code": 6}')


def dies(connection: socket.socket) -> None:
    connection.recv(65536)


def dies_midway(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.send(encode_answer(0, b"{}" * 50)[:40])


def speaks_http(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def promises_too_much(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.send(b"SPCN\0\0\0\0\xff\xff\xff\xff")


@pytest.mark.parametrize("act", [dies, dies_midway, speaks_http, promises_too_much])
def test_an_agent_that_gives_no_answer_is_no_agent(
    bin_dir: Path, tmp_path: Path, act: Callable[[socket.socket], None]
) -> None:
    status, stdout = against(bin_dir, tmp_path, act)
    assert (status, json.loads(stdout)["code"]) == (1, 11)
    agent_of_del = tmp_path / "del"
    agent_of_del.mkdir()
    assert against(bin_dir, agent_of_del, act, "DEL") == (0, b"")
    assert len(list((agent_of_del / "intents").glob("*.intent"))) == 1


def test_it_imports_nothing_that_costs() -> None:
    script = (
        "import sys; before = set(sys.modules); "
        f"exec(open({plugin.__file__!r}).read(), {{'__name__': 'loaded'}}); "
        "print(*(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-ISE", "-c", script], capture_output=True, check=True, timeout=30
    )
    assert set(done.stdout.decode().split()) <= {"_socket", "posix", "time"}


def test_an_installed_plugin_replaces_a_running_one(tmp_path: Path) -> None:
    install(tmp_path)
    before = (tmp_path / "spiderpool").stat().st_ino
    install(tmp_path)
    assert (tmp_path / "spiderpool").stat().st_ino != before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(PLUGINS)
