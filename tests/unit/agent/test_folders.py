"""The step that gives the node's folders to an agent that is not root."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from spiderpool.agent.folders import main
from spiderpool.agent.options import parse

GROUP = os.getgid()


def run(folder: Path) -> int:
    where = (f"--socket-dir={folder / 'run'}", f"--state-dir={folder / 'state'}")
    return main([f"--group={GROUP}", *where])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_missing_folders_are_made_for_the_group(tmp_path: Path) -> None:
    """What comes later is the group's, too: that is what the setgid bit on a folder does."""
    assert run(tmp_path) == 0
    for folder in ("run", "state/intents", "state/footprints", "state/devices"):
        assert mode(tmp_path / folder) == 0o2770
        assert (tmp_path / folder).stat().st_gid == GROUP
    assert mode(tmp_path / "state") == 0o750


def test_every_folder_of_the_agent_is_among_them(tmp_path: Path) -> None:
    assert run(tmp_path) == 0
    options = parse(["--node=a", f"--state-dir={tmp_path / 'state'}"])
    for folder in (options.intents, options.footprints, options.devices):
        assert folder.is_dir()


def test_what_an_agent_that_was_root_left_is_the_groups(tmp_path: Path) -> None:
    for folder in ("footprints", "intents"):
        (tmp_path / "state" / folder).mkdir(parents=True, mode=0o700)
        (tmp_path / "state" / folder / "one").write_text("x")
        (tmp_path / "state" / folder / "one").chmod(0o600)
    assert run(tmp_path) == 0
    for folder in ("footprints", "intents"):
        assert mode(tmp_path / "state" / folder) == 0o2770
        assert mode(tmp_path / "state" / folder / "one") == 0o660


def test_links_are_not_followed(tmp_path: Path) -> None:
    """The agent could make them, to have root give it something else."""
    (tmp_path / "other").mkdir(mode=0o700)
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "state" / "intents").mkdir(parents=True)
    (tmp_path / "state" / "footprints").symlink_to(tmp_path / "other")
    (tmp_path / "state" / "intents" / "folder").symlink_to(tmp_path / "other")
    (tmp_path / "state" / "intents" / "file").symlink_to(tmp_path / "secret")
    assert run(tmp_path) == 0
    assert mode(tmp_path / "other") == 0o700
    assert mode(tmp_path / "secret") == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_what_the_agent_made_is_left_alone(tmp_path: Path) -> None:
    made = tmp_path / "state" / "footprints"
    made.mkdir(parents=True, mode=0o700)
    (made / "one").write_text("x")
    (made / "one").chmod(0o600)
    for path in (made, made / "one"):
        os.chown(path, 65532, 65532)
    assert run(tmp_path) == 0
    assert (mode(made), mode(made / "one")) == (0o700, 0o600)


def test_what_cannot_be_done_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").write_text("in the way")
    assert run(tmp_path) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"spiderpool-folders: {tmp_path / 'run'}: File exists"
