"""The thin plugin as a process, with an agent that is slow, strange or gone midway.

Each test runs against the script and against the static executable of each architecture.
"""

from __future__ import annotations

import array
import json
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_agent import ScriptedAgent, read_request
from thin_clients import execute

from spiderpool.agent.wire import RawRequest, encode_answer
from spiderpool.cni import plugin


def against(
    bin_dir: Path,
    folder: Path,
    act: Callable[[socket.socket], None],
    command: str = "ADD",
    **env: str,
) -> tuple[int, bytes]:
    with ScriptedAgent(folder / "agent.sock", act) as agent:
        return execute(
            bin_dir / "spiderpool",
            CNI_COMMAND=command,
            SPIDERPOOL_SOCKET=str(agent.path),
            SPIDERPOOL_INTENTS=str(folder / "intents"),
            **env,
        )


def test_the_agents_answer_is_printed_with_its_status(bin_dir: Path, tmp_path: Path) -> None:
    def act(connection: socket.socket) -> None:
        connection.recv(65536)
        for byte in encode_answer(1, b'{"code": 101}'):
            connection.send(bytes([byte]))

    assert against(bin_dir, tmp_path, act) == (1, b'{"code": 101}')


def test_a_large_request_arrives_whole(bin_dir: Path, tmp_path: Path) -> None:
    big = b'{"x":"' + b"y" * 1_000_000 + b'"}'
    got: list[RawRequest] = []

    def act(connection: socket.socket) -> None:
        got.append(read_request(connection))
        connection.sendall(encode_answer(0, b"{}"))

    with ScriptedAgent(tmp_path / "agent.sock", act) as agent:
        assert execute(
            bin_dir / "spiderpool", big, CNI_COMMAND="ADD", SPIDERPOOL_SOCKET=str(agent.path)
        ) == (0, b"{}")
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


def test_the_largest_answer_is_printed(bin_dir: Path, tmp_path: Path) -> None:
    big = b"y" * plugin.LARGEST_ANSWER

    def act(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(encode_answer(0, big))

    status, stdout = against(bin_dir, tmp_path, act)
    assert (status, stdout == big) == (0, True)


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
    with ScriptedAgent(tmp_path / "agent.sock", refuse) as agent:
        answer = execute(
            bin_dir / "spiderpool",
            b"y" * 1_000_000,
            CNI_COMMAND="ADD",
            SPIDERPOOL_SOCKET=str(agent.path),
        )
    assert answer == (1, b'{"code": 6}')


def test_a_busy_agent_is_waited_for(bin_dir: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(tmp_path / "agent.sock"))
        listener.listen(0)
        first.connect(str(tmp_path / "agent.sock"))  # now nobody else is let in
        client = subprocess.Popen(
            [str(bin_dir / "spiderpool")],
            env={"CNI_COMMAND": "STATUS", "SPIDERPOOL_SOCKET": str(tmp_path / "agent.sock")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert client.stdin is not None
        client.stdin.close()
        with pytest.raises(subprocess.TimeoutExpired):
            client.wait(0.3)
        listener.accept()[0].close()
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(encode_answer(0, b"here"))
        with client:
            assert client.stdout is not None
            assert (client.stdout.read(), client.wait(10)) == (b"here", 0)


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
    status, stdout = against(bin_dir, tmp_path, act, SPIDERPOOL_BUDGET_MS="200")
    assert (status, json.loads(stdout)["code"]) == (1, 11)
    agent_of_del = tmp_path / "del"
    agent_of_del.mkdir()
    budget = {"SPIDERPOOL_BUDGET_MS": "200"}
    assert against(bin_dir, agent_of_del, act, "DEL", **budget) == (0, b"")
    assert len(list((agent_of_del / "intents").glob("*.intent"))) == 1
