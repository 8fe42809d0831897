"""Calls that the agent's server refuses before a handler sees them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from served_handler import Answer, World, answer_on, request, run

from spiderpool.agent.wire import RawRequest
from spiderpool.errors import CniCode


@pytest.mark.parametrize(
    ("raw", "namespaces", "code", "words"),
    [
        (request(SPIDERPOOL_PLUGIN="other"), 2, 4, "'other' is no plugin of ours"),
        (request(CNI_COMMAND="NONSENSE"), 2, 4, "CNI_COMMAND"),
        (request(config={"cniVersion": "0.2.0"}), 2, 1, "'0.2.0' is not supported"),
        (RawRequest(request().env, b"{nonsense"), 2, 6, "not JSON"),
        (request(), 1, 3, "CNI_NETNS: '/var/run/netns/p' does not exist, or cannot be opened"),
        (request(), 0, 6, "without a descriptor of its namespace"),
    ],
)
def test_what_is_wrong_with_a_call_is_named(
    tmp_path: Path, raw: RawRequest, namespaces: int, code: int, words: str
) -> None:
    async def scenario(world: World) -> None:
        status, answer = await world.call(raw, namespaces)
        assert (status, answer["code"]) == (1, code)
        assert words in answer["msg"]
        assert world.handler.seen == []

    run(tmp_path, scenario)


def with_something_else(tmp_path: Path, command: str, own: str = "/proc/self/ns/net") -> Answer:
    """The answer to a call whose pod's namespace is a file without a namespace."""
    answers: list[Answer] = []
    (tmp_path / "left-behind").touch()

    async def scenario(world: World) -> None:
        paths = (own, tmp_path / "left-behind")
        opened = [os.open(path, os.O_RDONLY) for path in paths]
        with await world.open() as connection:
            socket.send_fds(connection, [request(command).encode()], opened)
            answers.append(await answer_on(connection))
        for descriptor in opened:
            os.close(descriptor)
        assert len(world.handler.seen) == (answers[0][0] == 0)

    run(tmp_path, scenario)
    return answers[0]


@pytest.mark.parametrize("command", ["ADD", "CHECK"])
def test_a_file_in_a_pods_namespaces_place_is_refused_by_its_path(
    tmp_path: Path, command: str
) -> None:
    status, answer = with_something_else(tmp_path, command)
    assert (status, answer["code"]) == (1, CniCode.INVALID_ENVIRONMENT)
    assert "CNI_NETNS: '/var/run/netns/p' is no network namespace" in answer["msg"]


def test_a_pod_whose_namespace_left_a_file_behind_can_be_deleted(tmp_path: Path) -> None:
    assert with_something_else(tmp_path, "DEL") == (0, None)


def test_something_else_in_the_nodes_namespaces_place_is_refused(tmp_path: Path) -> None:
    status, answer = with_something_else(tmp_path, "DEL", own="/dev/null")
    assert (status, answer["code"]) == (1, CniCode.INVALID_ENVIRONMENT)
