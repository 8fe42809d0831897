"""What the machine is told, and what its end means."""

import subprocess
from pathlib import Path

import pytest
from vm import FILES, job, machine, outcome
from vm_kernel import Guest

TEXT = 'it\'s "quoted"\n$(touch made); *'


def test_words_and_environment_reach_the_command_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "a b'c"
    folder.mkdir()
    text = job(["sh", "-c", 'pwd; printf %s "$NAME|$1"', "sh", TEXT], folder, {"NAME": TEXT})
    done = subprocess.run(["/bin/sh"], input=text, capture_output=True, text=True, check=True)
    assert done.stdout == f"{folder}\n{TEXT}|{TEXT}"
    assert list(folder.iterdir()) == []


def test_what_a_shell_cannot_export_is_left_out() -> None:
    assert "export" not in job(["true"], Path("/"), {"BASH_FUNC_x%%": "() { :; }"})


def test_the_machine_s_files_are_read_only_and_it_has_no_network() -> None:
    told = [*machine(Guest(Path("/guest")), dict.fromkeys((*FILES, "speech"), 3), terminal=False)]
    (shared,) = [word for word in told if word.startswith("local,")]
    assert "readonly=on" in shared
    assert not [word for word in told if "net" in word]
    assert "-nodefaults" in told


def test_an_end_without_a_status_shows_the_kernel_s_last_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert outcome("7\n", "") == 7
    assert outcome("", "first\nKernel panic") == 1
    assert "ended before the command did\nfirst\nKernel panic" in capsys.readouterr().err
