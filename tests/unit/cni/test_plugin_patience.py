"""The thin plugin while the agent of its node is away, hung, or being replaced.

Each test runs against the script and against the static executable of each architecture.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from scripted_agent import Act, ScriptedAgent, read_request
from thin_clients import NETCONF, execute

from spiderpool.agent import server
from spiderpool.agent.wire import encode_answer
from spiderpool.cni import plugin

PATIENT = ["ADD", "CHECK", "DEL"]


class Call:
    """A plugin that is executed with an agent at ``agent.sock`` of ``folder``."""

    def __init__(self, bin_dir: Path, folder: Path, command: str, **env: str) -> None:
        self.intents = folder / "intents"
        self._process = subprocess.Popen(
            [str(bin_dir / "spiderpool")],
            env={
                "CNI_COMMAND": command,
                "CNI_NETNS": "/proc/self/ns/net",
                "SPIDERPOOL_SOCKET": str(folder / "agent.sock"),
                "SPIDERPOOL_INTENTS": str(self.intents),
            }
            | env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(NETCONF)
        self._process.stdin.close()
        self._process.stdin = None

    def has_ended(self, within: float = 0.0) -> bool:
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        return True

    def outcome(self, within: float = 30.0) -> tuple[int, bytes]:
        """Exit status and stdout."""
        stdout, _ = self._process.communicate(timeout=within)
        return self._process.returncode, stdout

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def calling(bin_dir: Path, folder: Path, command: str, **env: str) -> Iterator[Call]:
    call = Call(bin_dir, folder, command, **env)
    try:
        yield call
    finally:
        call.end()


def answers(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(encode_answer(0, b"here"))


def dies(connection: socket.socket) -> None:
    read_request(connection)


def dies_unread(connection: socket.socket) -> None:
    """With the request in its queue, so that the plugin's end is reset."""


def dies_midway(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(encode_answer(0, b"here")[:14])


@pytest.mark.parametrize("command", PATIENT)
@pytest.mark.parametrize("left", [False, True], ids=["no-socket", "socket-of-the-dead"])
def test_an_agent_that_is_away_is_waited_for(
    bin_dir: Path, tmp_path: Path, command: str, left: bool
) -> None:
    if left:
        with ScriptedAgent(tmp_path / "agent.sock", answers):
            pass
    with calling(bin_dir, tmp_path, command, SPIDERPOOL_BUDGET_MS="20000") as call:
        assert not call.has_ended(0.15)
        with ScriptedAgent(tmp_path / "agent.sock", answers) as agent:
            assert call.outcome() == (0, b"here")
        assert agent.served == 1
        assert not call.intents.exists()


@pytest.mark.parametrize("command", PATIENT)
@pytest.mark.parametrize("act", [dies, dies_unread, dies_midway])
def test_a_call_that_is_lost_with_its_agent_is_made_again(
    bin_dir: Path, tmp_path: Path, command: str, act: Act
) -> None:
    with (
        ScriptedAgent(tmp_path / "agent.sock", act, act, answers) as agent,
        calling(bin_dir, tmp_path, command, SPIDERPOOL_BUDGET_MS="20000") as call,
    ):
        assert call.outcome() == (0, b"here")
        assert agent.served == 3
        assert not call.intents.exists()


def test_a_call_that_was_never_accepted_is_made_again(bin_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with calling(bin_dir, tmp_path, "ADD") as call:
            assert not call.has_ended(0.15)
            assert_somebody_is_queued(path)
            listener.close()
            with ScriptedAgent(path, answers):
                assert call.outcome() == (0, b"here")


def assert_somebody_is_queued(path: Path) -> None:
    """The control: a connection to ``path`` waits there to be accepted (proc(5), net/unix)."""
    connecting = "02"
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()]
    assert [row[5] for row in rows if row[-1] == str(path) and row[5] == connecting]


def test_each_attempt_brings_the_namespaces_and_leaves_nothing_open(
    bin_dir: Path, tmp_path: Path
) -> None:
    came: list[int] = []
    opened: list[int] = []

    def counts(connection: socket.socket) -> None:
        _, descriptors, _, _ = socket.recv_fds(connection, 65536, 4)
        came.append(len(descriptors))
        for descriptor in descriptors:
            os.close(descriptor)
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        process = struct.unpack("iII", credentials)[0]
        opened.append(len(list(Path(f"/proc/{process}/fd").iterdir())))

    def ends(connection: socket.socket) -> None:
        counts(connection)
        connection.sendall(encode_answer(0, b""))

    with (
        ScriptedAgent(tmp_path / "agent.sock", counts, counts, counts, ends),
        calling(bin_dir, tmp_path, "ADD") as call,
    ):
        assert call.outcome() == (0, b"")
    assert came == [2, 2, 2, 2]
    assert len(set(opened)) == 1, opened


@pytest.mark.parametrize("command", ["STATUS", "GC"])
def test_who_asks_how_it_is_now_is_told_at_once(
    bin_dir: Path, tmp_path: Path, command: str
) -> None:
    with ScriptedAgent(tmp_path / "agent.sock", dies, answers) as agent:
        with calling(bin_dir, tmp_path, command) as call:
            status, stdout = call.outcome()
        assert (status, json.loads(stdout)["code"], agent.served) == (1, 11, 1)
    status, stdout = execute(
        bin_dir / "spiderpool", CNI_COMMAND=command, SPIDERPOOL_SOCKET=str(tmp_path / "none")
    )
    assert (status, json.loads(stdout)["code"]) == (1, 11)


@pytest.mark.parametrize("code", [11, 101])
def test_an_error_of_the_agents_is_an_answer(bin_dir: Path, tmp_path: Path, code: int) -> None:
    def refuses(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(encode_answer(1, b'{"code": %d}' % code))

    with (
        ScriptedAgent(tmp_path / "agent.sock", refuses, answers) as agent,
        calling(bin_dir, tmp_path, "ADD") as call,
    ):
        assert call.outcome() == (1, b'{"code": %d}' % code)
        assert agent.served == 1


@contextmanager
def hung(path: Path) -> Iterator[None]:
    """An agent that accepts and never answers."""
    held: list[socket.socket] = []
    ended = threading.Event()

    def waits(connection: socket.socket) -> None:
        held.append(connection)
        ended.wait(30)

    with ScriptedAgent(path, waits):
        yield
        ended.set()


def test_a_del_is_not_held_up_by_an_agent_that_hangs(bin_dir: Path, tmp_path: Path) -> None:
    with hung(tmp_path / "agent.sock"), calling(bin_dir, tmp_path, "DEL") as call:
        assert call.outcome(within=15) == (0, b"")
        assert len(list(call.intents.glob("*.intent"))) == 1


def test_a_del_is_not_held_up_by_an_agent_that_is_away(bin_dir: Path, tmp_path: Path) -> None:
    with calling(bin_dir, tmp_path, "DEL") as call:
        assert call.outcome(within=15) == (0, b"")
        assert len(list(call.intents.glob("*.intent"))) == 1


@pytest.mark.parametrize(
    ("away", "words"), [(True, "No such file or directory"), (False, "timed out")]
)
def test_who_waited_in_vain_says_for_how_long(
    bin_dir: Path, tmp_path: Path, away: bool, words: str
) -> None:
    agent = nullcontext() if away else hung(tmp_path / "agent.sock")
    with agent, calling(bin_dir, tmp_path, "ADD", SPIDERPOOL_BUDGET_MS="300") as call:
        status, stdout = call.outcome()
    answer = json.loads(stdout)
    assert (status, answer["code"], answer["cniVersion"]) == (1, 11, "0.4.0")
    before, _, seconds = answer["msg"].partition("; tried for ")
    assert before.endswith(f"{tmp_path}/agent.sock: {words}")
    number, unit = seconds.split()
    assert unit == "s"
    assert float(number) >= 0.1


def test_a_queue_that_stays_full_is_told(bin_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(path))
        listener.listen(0)
        first.connect(str(path))
        with calling(bin_dir, tmp_path, "ADD", SPIDERPOOL_BUDGET_MS="200") as call:
            status, stdout = call.outcome()
    assert (status, json.loads(stdout)["code"]) == (1, 11)
    assert f"{path}: timed out; tried for 0." in json.loads(stdout)["msg"]


def test_the_agent_answers_while_the_plugin_still_listens() -> None:
    assert server.WORK_SECONDS < plugin.MILLISECONDS / 1000
    assert server.SYNC_SECONDS_OF_DEL < plugin.MILLISECONDS_OF_DEL / 1000


def test_both_builds_have_the_same_limits() -> None:
    header = (Path(plugin.__file__).parent / "native" / "client.h").read_text()
    numbers = dict(re.findall(r"^    ([A-Z_]+) = ([0-9< ]+),", header, re.MULTILINE))
    assert {"PROTOCOL", "MILLISECONDS", "MILLISECONDS_OF_DEL", "LARGEST_ENV"} <= set(numbers)
    for name, text in numbers.items():
        number, _, shift = text.partition(" << ")
        expected = getattr(plugin, name, None)
        assert expected in (None, int(number) << int(shift or 0)), name


@pytest.mark.parametrize("text", ["", "-1", "1.5", "soon", "999999999"])
def test_a_budget_that_is_none_is_named(bin_dir: Path, text: str) -> None:
    status, stdout = execute(
        bin_dir / "spiderpool",
        CNI_COMMAND="ADD",
        SPIDERPOOL_SOCKET="/none",
        SPIDERPOOL_BUDGET_MS=text,
    )
    answer = json.loads(stdout)
    assert (status, answer["code"]) == (1, 4)
    assert answer["msg"] == f"SPIDERPOOL_BUDGET_MS: '{text}' is no number of milliseconds"
