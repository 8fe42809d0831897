"""The sandbox relays signals and exit status, and its death leaves nothing on the machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from machine_state import DEADLINE, killed_without_a_trace, machine_state

from harness.netns import isolated, sandbox
from spiderpool.errors import BadInput

pytestmark = pytest.mark.kernel

BUSY = """
import subprocess, sys, time
from harness.netns import sandbox
sandbox.enter()
for command in (
    "ip link add left type veth peer name right",
    "ip addr add 192.0.2.1/24 dev left",
    "ip rule add pref 77 lookup 77",
    "ip netns add named",
    "nft add table ip left_behind",
):
    subprocess.run(command.split(), check=True)
open("/var/lib/cni/kept", "w").close()
subprocess.Popen(["sleep", "1000"])
print("ready", flush=True)
time.sleep(1000)
"""

NESTED = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {BUSY!r}])
child.wait()
"""


@pytest.mark.parametrize("program", [BUSY, NESTED], ids=["its caller", "its caller's parent"])
def test_kill_leaves_nothing(program: str) -> None:
    before = machine_state()
    victim = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert victim.stdout is not None
    assert victim.stdout.readline() == b"ready\n"
    assert killed_without_a_trace(victim, 3), "init, worker and sleep were running"
    victim.stdout.close()
    assert machine_state() == before


def run_sandboxed(body: str) -> subprocess.Popen[bytes]:
    program = f"from harness.netns import sandbox\nsandbox.enter()\n{body}"
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)


def test_exit_status_is_relayed() -> None:
    with run_sandboxed("raise SystemExit(7)") as process:
        assert process.wait(DEADLINE) == 7


def test_a_killed_worker_gives_the_shell_s_status() -> None:
    with run_sandboxed("import os; os.kill(os.getpid(), 9)") as process:
        assert process.wait(DEADLINE) == 128 + signal.SIGKILL


def test_terminate_reaches_the_worker() -> None:
    body = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
        "print('ready', flush=True); time.sleep(1000)"
    )
    with run_sandboxed(body) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.wait(DEADLINE) == 9


def others_files() -> tuple[Path, set[Path]]:
    """Where this process is, and what is there, by the root."""
    here = Path("info").resolve().parent
    return here, set(here.iterdir())


def from_there() -> tuple[Path, set[Path]]:
    os.chdir("/var/lib/dpkg")
    return isolated.call(others_files)


def test_the_state_of_others_is_where_it_was() -> None:
    """In a sandbox in a sandbox, too."""
    here, files = isolated.call(from_there)
    assert here == Path("/var/lib/dpkg")
    assert files == set(here.iterdir())


def test_orphans_are_reaped() -> None:
    body = (
        "import os, time\n"
        "if os.fork() == 0:\n    os.fork(); os._exit(0)\n"
        "os.wait()\n"
        "limit = time.monotonic() + 10\n"
        "while len([p for p in os.listdir('/proc') if p.isdigit()]) > 2:\n"
        "    assert time.monotonic() < limit; time.sleep(0.001)\n"
    )
    with run_sandboxed(body) as process:
        assert process.wait(DEADLINE) == 0


def what_is_seen() -> tuple[list[str], int, str]:
    links = [line.split(":")[1].strip() for line in subprocess.getoutput("ip -o link").splitlines()]
    return links, os.getuid(), subprocess.getoutput("ip -o -4 addr show up")


def test_inside_is_root_with_only_loopback_up() -> None:
    links, uid, addresses = isolated.call(what_is_seen)
    assert (links, uid) == (["lo"], 0)
    assert "127.0.0.1/8" in addresses


def test_exceptions_come_back_with_the_traceback_inside() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        isolated.call(lambda: 1 / 0)
    assert "1 / 0" in caught.value.__notes__[0]


def refuse() -> None:
    raise BadInput("here", "is wrong")


def test_an_error_of_ours_keeps_its_kind() -> None:
    with pytest.raises(BadInput, match="here: is wrong"):
        isolated.call(refuse)


class Unportable(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one}, {two}")


def break_down() -> None:
    raise Unportable("here", "and there")


def test_exceptions_that_do_not_pickle_come_back_as_text() -> None:
    with pytest.raises(isolated.CallLost, match="here, and there"):
        isolated.call(break_down)


def test_a_lost_call_is_an_error() -> None:
    with pytest.raises(isolated.CallLost, match="137"):
        isolated.call(lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_works_without_root() -> None:
    """As nobody, who may not be able to read the interpreter: so without a new program."""
    if os.getuid() != 0:
        pytest.skip("every other test here runs without root already")
    child = os.fork()
    if child == 0:
        try:
            _use_a_sandbox_as_nobody()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 5


def _use_a_sandbox_as_nobody() -> None:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    sandbox.enter()
    rules = "add table ip t { chain c { type nat hook postrouting priority 100; masquerade; }; }"
    subprocess.run(
        ["ip", "link", "add", "left", "type", "veth", "peer", "name", "right"], check=True
    )
    subprocess.run(["nft", rules], check=True)
    os._exit(5)
