"""Which pods end by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from harness.nodes.podstatus import exit_codes

TRUE: dict[str, Any] = {"name": "t", "command": ["true"]}
FALSE: dict[str, Any] = {"name": "f", "command": ["false"]}
SERVER: dict[str, Any] = {"name": "s"}


@pytest.mark.parametrize(
    ("policy", "containers", "codes"),
    [
        ("Never", [TRUE], (0,)),
        ("Never", [TRUE, FALSE], (0, 1)),
        ("OnFailure", [TRUE, TRUE], (0, 0)),
        ("OnFailure", [TRUE, FALSE], None),
        ("Always", [TRUE], None),
        ("Never", [TRUE, SERVER], None),
        ("Never", [{"name": "x", "command": ["true", "-x"]}], None),
    ],
)
def test_exit_codes(
    policy: str, containers: list[dict[str, Any]], codes: tuple[int, ...] | None
) -> None:
    assert exit_codes({"spec": {"restartPolicy": policy, "containers": containers}}) == codes


def test_pods_are_restarted_unless_they_say_otherwise() -> None:
    assert exit_codes({"spec": {"containers": [TRUE]}}) is None
