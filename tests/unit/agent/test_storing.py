"""Files of the agent's state where the disk takes none, or does not let them go."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from spiderpool.agent.storing import drop, store
from spiderpool.errors import CniCode, CniError


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    for content in (b"long", b"new"):
        store(path, content, durable=True)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_written_is_no_fault_of_the_agent(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CniError) as refused:
        store(tmp_path / "file" / "b.json", b"new", durable=True)
    assert refused.value.code is CniCode.TRY_AGAIN_LATER
    assert str(refused.value).startswith(f"{tmp_path / 'file'} cannot be written to: ")


def test_a_failure_leaves_what_was_there_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.mkdir()  # rename(2) puts no file in a folder's place
    with pytest.raises(CniError, match="cannot be written to: Is a directory"):
        store(path, b"new", durable=False)
    assert list(tmp_path.iterdir()) == [path]


def test_what_stays_holds_nothing_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "b.json"
    path.mkdir()
    with caplog.at_level(logging.WARNING):
        drop(path, durable=True)
        drop(tmp_path / "never" / "there", durable=True)
    assert [record.getMessage() for record in caplog.records] == [f"{path} stays: Is a directory"]
