"""docs/install.md is true: its commands render, and the words that it quotes are said."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from deploy_chart import CHART, Helm

pytestmark = pytest.mark.binary("helm")

PAGE = (CHART.parents[2] / "docs" / "install.md").read_text()
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
COMMANDS = re.findall(r"^(helm (?:install|upgrade) .*)$", PAGE, re.MULTILINE)
IMAGE = re.findall(r"```yaml\n# image.yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command(helm: Helm, command: str, tmp_path: Path) -> None:
    (text,) = IMAGE
    (tmp_path / "image.yaml").write_text(text)
    words = shlex.split(command)
    options = [str(tmp_path / word) if word == "image.yaml" else word for word in words[4:]]
    options = [word for word in options if word != "--wait"]
    done = helm("template", words[2], str(CHART), *options)
    assert done.returncode == 0, done.stderr
    assert "image: registry.example.org/net/spiderpool:0.1.0" in done.stdout
    assert "image: localhost/" not in done.stdout


def test_all_commands_are_found() -> None:
    assert len(COMMANDS) == 4


@pytest.mark.parametrize(
    ("values", "index"),
    [({"coordinator": {"mode": "x"}}, 0), ({"ipam": {"enableStatefulset": True}}, 1)],
)
def test_a_refusal(helm: Helm, values: dict[str, object], index: int) -> None:
    quoted = re.findall(r"^- at .*$", PAGE, re.MULTILINE)[index]
    done = helm("template", "x", str(CHART), "-f-", stdin=json.dumps(values))
    assert quoted in done.stderr.splitlines()


def test_every_value_of_the_table_is_there_with_its_default() -> None:
    rows = re.findall(r"^\| (`[^|]+) \| `([^|]+)` \|", PAGE, re.MULTILINE)
    assert len(rows) == 11
    for names, default in rows:
        for name in re.findall(r"`([^`]+)`", names):
            value = VALUES
            for part in name.split("."):
                value = value[part]
            assert json.dumps(value).strip('"') == default, name
