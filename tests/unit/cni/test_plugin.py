"""The thin plugin as a process: alone, and without an agent.

Each test runs against the script and against the static executable of each architecture.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from thin_clients import NETCONF, execute

from spiderpool.agent.wire import RawRequest, decode
from spiderpool.cni import plugin
from spiderpool.cni.install import PLUGINS, install
from spiderpool.cni.versions import SUPPORTED


def alone(path: Path, stdin: bytes = NETCONF, /, **env: str) -> tuple[int, bytes]:
    """Execute a client that waits for no agent."""
    return execute(path, stdin, SPIDERPOOL_BUDGET_MS="0", **env)


@pytest.mark.parametrize("name", PLUGINS)
def test_version_needs_nobody(bin_dir: Path, name: str) -> None:
    status, stdout = execute(bin_dir / name, CNI_COMMAND="VERSION")
    answer = json.loads(stdout)
    assert status == 0
    assert answer == {"cniVersion": "1.1.0", "supportedVersions": list(SUPPORTED)}


@pytest.mark.parametrize("output", [">&-", ">/dev/full", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["VERSION", "STATUS"])
def test_an_answer_that_is_lost_is_no_success(bin_dir: Path, command: str, output: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" {output}', bin_dir / "spiderpool"],
        env={"CNI_COMMAND": command, "SPIDERPOOL_SOCKET": "/nowhere"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("command", ["ADD", "CHECK", "STATUS", "GC"])
def test_no_agent_means_try_again_later(bin_dir: Path, tmp_path: Path, command: str) -> None:
    status, stdout = alone(
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
    status, stdout = alone(
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


def test_an_agent_of_the_folders_group_can_read_the_note(bin_dir: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        alone(
            bin_dir / "coordinator",
            CNI_COMMAND="DEL",
            SPIDERPOOL_SOCKET=str(tmp_path / "none"),
            SPIDERPOOL_INTENTS=str(tmp_path),
        )
    finally:
        os.umask(before)
    (note,) = tmp_path.glob("*.intent")
    assert note.stat().st_mode & 0o777 == 0o640


def test_a_del_that_can_leave_no_note_fails(bin_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    status, stdout = alone(
        bin_dir / "coordinator",
        CNI_COMMAND="DEL",
        SPIDERPOOL_SOCKET=str(tmp_path / "none"),
        SPIDERPOOL_INTENTS=str(tmp_path / "file" / "x"),
    )
    assert status == 1
    assert json.loads(stdout)["code"] == 11


def test_odd_letters_in_messages_are_still_json(bin_dir: Path, tmp_path: Path) -> None:
    path = str(tmp_path / 'no"such\\path\n\u00e9\U0001f577')
    status, stdout = alone(bin_dir / "spiderpool", CNI_COMMAND="ADD", SPIDERPOOL_SOCKET=path)
    assert status == 1
    assert path in json.loads(stdout)["msg"]


@pytest.mark.parametrize("odd", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
def test_bytes_that_are_no_letters_are_still_json(bin_dir: Path, odd: bytes) -> None:
    path = os.fsdecode(b"/none/" + odd + b"/end")
    status, stdout = alone(bin_dir / "spiderpool", CNI_COMMAND="ADD", SPIDERPOOL_SOCKET=path)
    assert status == 1
    replaced = "\N{REPLACEMENT CHARACTER}" * len(odd)
    assert f"/none/{replaced}/end" in json.loads(stdout)["msg"]


def test_an_endless_configuration_is_refused(bin_dir: Path, tmp_path: Path) -> None:
    status, stdout = alone(
        bin_dir / "spiderpool", b" " * (plugin.LARGEST_STDIN + 1), CNI_COMMAND="ADD"
    )
    assert status == 1
    answer = json.loads(stdout)
    assert (answer["code"], answer["msg"]) == (
        6,
        "the network configuration on stdin is over 1 MiB",
    )


@pytest.mark.parametrize("command", ["ADD", "DEL"])
def test_an_endless_environment_is_refused(bin_dir: Path, tmp_path: Path, command: str) -> None:
    status, stdout = alone(
        bin_dir / "spiderpool",
        CNI_COMMAND=command,
        CNI_ARGS="x" * plugin.LARGEST_ENV,
        SPIDERPOOL_INTENTS=str(tmp_path),
    )
    answer = json.loads(stdout)
    assert (status, answer["code"], answer["cniVersion"]) == (1, 4, "0.4.0")
    assert list(tmp_path.iterdir()) == []


def test_the_largest_environment_is_sent(bin_dir: Path, tmp_path: Path) -> None:
    rest = b"CNI_COMMAND=DEL\0CNI_ARGS=\0SPIDERPOOL_PLUGIN=spiderpool\0"
    status, stdout = alone(
        bin_dir / "spiderpool",
        CNI_COMMAND="DEL",
        CNI_ARGS="x" * (plugin.LARGEST_ENV - len(rest)),
        SPIDERPOOL_SOCKET=str(tmp_path / "none"),
        SPIDERPOOL_INTENTS=str(tmp_path),
    )
    assert (status, stdout) == (0, b"")
    (note,) = tmp_path.glob("*.intent")
    assert decode(note.read_bytes()).stdin == NETCONF


@pytest.mark.parametrize("length", [108, 5000])
def test_a_socket_path_that_is_too_long_is_no_agent(bin_dir: Path, length: int) -> None:
    path = "/" + "x" * (length - 1)
    status, stdout = alone(bin_dir / "spiderpool", CNI_COMMAND="ADD", SPIDERPOOL_SOCKET=path)
    answer = json.loads(stdout)
    assert (status, answer["code"]) == (1, 11)
    assert f"{path}: AF_UNIX path too long; tried for " in answer["msg"]


@pytest.mark.parametrize("name", ["x" * 300, "/".join(["folder"] * 700)])
def test_a_folder_for_notes_with_too_long_a_name_is_told(
    bin_dir: Path, tmp_path: Path, name: str
) -> None:
    status, stdout = alone(
        bin_dir / "spiderpool",
        CNI_COMMAND="DEL",
        SPIDERPOOL_SOCKET="/none",
        SPIDERPOOL_INTENTS=f"{tmp_path}/{name}",
    )
    answer = json.loads(stdout)
    assert (status, answer["code"]) == (1, 11)
    assert answer["msg"].endswith("ame too long")


def test_half_a_note_is_not_left_behind(bin_dir: Path, tmp_path: Path) -> None:
    def allow_few_bytes() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    env = {"CNI_COMMAND": "DEL", "SPIDERPOOL_SOCKET": "/none", "SPIDERPOOL_INTENTS": str(tmp_path)}
    env["SPIDERPOOL_BUDGET_MS"] = "0"
    done = subprocess.run(
        [str(bin_dir / "spiderpool")],
        input=NETCONF * 10,
        env=env,
        stdout=subprocess.PIPE,
        preexec_fn=allow_few_bytes,
        timeout=30,
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)["code"]) == (1, 11)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("stdin", "spoken"),
    [
        (b'{"cniVersion": "0.3.1"}', "0.3.1"),
        (b'{"cniVersion"\n:\n"1.0.0"', "1.0.0"),
        (b'{"cniVersion": "9.9.9"}', "1.1.0"),
        (b'{"cniVersion"', "1.1.0"),
        (b"", "1.1.0"),
    ],
)
def test_an_error_is_told_in_the_version_of_the_request(
    bin_dir: Path, stdin: bytes, spoken: str
) -> None:
    status, stdout = alone(
        bin_dir / "spiderpool", stdin, CNI_COMMAND="ADD", SPIDERPOOL_SOCKET="/none"
    )
    assert (status, json.loads(stdout)["cniVersion"]) == (1, spoken)


def test_each_name_is_told_to_the_agent(bin_dir: Path, tmp_path: Path) -> None:
    told = []
    for name in PLUGINS:
        folder = tmp_path / name
        assert alone(
            bin_dir / name,
            CNI_COMMAND="DEL",
            SPIDERPOOL_SOCKET="/none",
            SPIDERPOOL_INTENTS=str(folder),
        ) == (0, b"")
        (note,) = folder.iterdir()
        told.append(decode(note.read_bytes()).env["SPIDERPOOL_PLUGIN"])
    assert told == ["spiderpool", "coordinator", "ifacer"]


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
