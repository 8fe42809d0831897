"""The virtual machine from outside: its command's words and status, and that nothing stays."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from machine_state import killed_without_a_trace, machine_state
from real_node import until
from vm import TIMED_OUT

ROOT = Path(__file__).parents[2]
VM = (str(ROOT / "ci" / "vm"), "run")
KINDS = ("bond", "dummy", "ipip", "ipvlan", "macvlan", "vlan", "vrf", "vxlan")


def run(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [*VM, *options, "--", "sh", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_the_command_is_as_at_home_and_what_it_writes_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its folder, with its environment; the kernel finds what a link needs by itself."""
    file, other = tmp_path.with_name("kept"), ROOT / "README.md"
    monkeypatch.setenv("QUOTED", 'it\'s "so"\nand $so')
    before = other.read_text(), machine_state()
    links = "; ".join(f"grep -l rtnl-link-{kind} /lib/modules/*/modules.alias" for kind in KINDS)
    done = run(
        f'pwd; echo "$QUOTED"; head -1 README.md; echo no >README.md; echo no >{file}; {links}; '
        "cat README.md; echo complaint >&2; exit 7"
    )
    words = [str(ROOT), 'it\'s "so"', "and $so", before[0].partition("\n")[0]]
    assert done.stdout.splitlines()[:4] == words, done.stderr
    assert done.stdout.splitlines()[-2:] == ["no", "complaint"]
    assert done.stdout.count("modules.alias") == len(KINDS)
    assert done.returncode == 7
    assert (other.read_text(), machine_state()) == before
    assert not file.exists()


def test_one_that_takes_too_long_is_ended() -> None:
    done = run("true", "--seconds=0.5")
    assert done.returncode == TIMED_OUT
    assert "vm: not over after 0.5 s; --seconds gives it more time" in done.stderr


def test_one_that_is_killed_takes_the_machine_with_it() -> None:
    before = machine_state()
    command = [*VM, "--", "sh", "-c", "echo up; sleep 1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as machine:
        assert machine.stdout is not None
        until(lambda: machine.stdout and machine.stdout.readline() == b"up\n")
        assert killed_without_a_trace(machine, 1)
    assert machine_state() == before
