"""Errors travel between processes whole."""

from __future__ import annotations

import errno
import pickle

from spiderpool.errors import BadInput, OperationFailed


def test_bad_input_keeps_its_parts() -> None:
    told = BadInput("scenario.yaml:3", "is no name", "write a word")
    found = pickle.loads(pickle.dumps(told))
    assert (found.where, found.problem, found.remedy) == (told.where, told.problem, told.remedy)
    assert str(found) == str(told)


def test_a_failed_operation_keeps_its_place() -> None:
    told = OperationFailed("ip link add", errno.EEXIST, "name taken", index=2, applied=(0, 1))
    found = pickle.loads(pickle.dumps(told))
    assert (found.operation, found.errno, found.detail) == (
        "ip link add",
        errno.EEXIST,
        "name taken",
    )
    assert (found.index, found.applied) == (2, (0, 1))
    assert str(found) == str(told)
