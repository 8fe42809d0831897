"""What is hidden in texts, and what is not."""

from __future__ import annotations

import json

import pytest

from spiderpool.ctl.dump.redaction import HIDDEN, scrubbed


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("password=hunter2 next", f"password={HIDDEN} next"),
        ("DB_PASSWORD: hunter2\nnext", f"DB_PASSWORD: {HIDDEN}\nnext"),
        ("--api-key=hunter2", f"--api-key={HIDDEN}"),
        ("Authorization: Bearer hunter2hunter2", f"Authorization: {HIDDEN} {HIDDEN}"),
        ("sent Bearer hunter2hunter2", f"sent Bearer {HIDDEN}"),
        ('{"token": "hunter2", "a": 1}', f'{{"token": "{HIDDEN}", "a": 1}}'),
        ('{"a/clientSecret":"hunter2"}', f'{{"a/clientSecret":"{HIDDEN}"}}'),
        (json.dumps({"config": json.dumps({"password": "hunter2"})}), HIDDEN),
        ("x\n-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----\ny",
         f"x\n{HIDDEN}\ny"),
        ("cut off: -----BEGIN PRIVATE KEY-----\nhunter2", f"cut off: {HIDDEN}"),
    ],
)  # fmt: skip
def test_hidden(text: str, kept: str) -> None:
    found = scrubbed(text)
    assert "hunter2" not in found
    assert kept in found


@pytest.mark.parametrize(
    "text",
    [
        '{"automountServiceAccountToken": false}',
        '{"serviceAccountToken": {"path": "token"}}',
        "spiderpool ADD net1 of pod web/nginx done in 3.1 ms",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        '{"address": "10.6.0.1", "pod": "web/nginx"}',
    ],
)
def test_not_hidden(text: str) -> None:
    assert scrubbed(text) == text


@pytest.mark.parametrize("piece", ["a.", "token.", "eyJ-", "eyJa.", '\\"', "-----BEGIN "])
def test_a_hostile_log_does_not_hold_it_up(piece: str) -> None:
    """With a pattern that looks at everything from everywhere, this does not end today."""
    text = piece * (2_000_000 // len(piece))
    assert scrubbed(text) == text
