"""Commands of ours on the site are understood by the programs that they name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from unittest import mock

import pytest
from deploy_chart import CHART, run
from doc_blocks import PAGES, ROOT

from harness.cli import main as harness
from spiderpool.ctl import main as ctl

PROGRAMS: dict[str, tuple[Callable[[list[str]], int], str, dict[str, str]]] = {
    "spiderpoolctl": (ctl.main, "spiderpool.ctl", ctl.COMMANDS),
    "harness": (harness.main, "harness.cli", harness.COMMANDS),
}
FOUND = re.compile(
    r"(?:^(?:\$ )?(?:\.venv/bin/)?|`)((?:spiderpoolctl|harness) [^`\n#]+)", re.MULTILINE
)
HELM = re.compile(r"^(?:\$ )?(helm (?:install|upgrade) .+)$", re.MULTILINE)


def commands(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """(page, line and column, command) of each; one in a sentence may leave its end out."""
    for page in PAGES:
        text = page.read_text()
        for match in pattern.finditer(text):
            before = text[: match.start(1)]
            command = match[1].strip() + (" ..." if before.endswith("`") else "")
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            yield f"{page.relative_to(ROOT)}:{line}:{column}", command


OURS = dict(commands(FOUND))


def understood(text: str) -> bool:
    """Whether the program takes these words, and for ``...`` perhaps one more; nothing is done."""
    whole = text.removesuffix(" ...").replace(" ...", " x")
    name, *words = shlex.split(whole)
    _, package, known = PROGRAMS[name]
    if not words or words[0] not in known:
        return False
    if words == [words[0]] and text.endswith(" ..."):
        return True  # the command's name, of which a sentence speaks
    __import__(f"{package}.{words[0]}")
    ends = ([], ["x"]) if text.endswith(" ...") else ([],)
    with mock.patch(f"{package}.{words[0]}.main", return_value=0):
        return any(_is_taken(PROGRAMS[name][0], [*words, *end]) for end in ends)


def _is_taken(program: Callable[[list[str]], int], words: list[str]) -> bool:
    try:
        return program(words) == 0
    except SystemExit:
        return False


@pytest.mark.parametrize("where", OURS)
def test_a_command_is_understood(where: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert understood(OURS[where]), f"{where}: {OURS[where]}: {capsys.readouterr().err}"


@pytest.mark.parametrize(
    "text", ["spiderpoolctl pi show", "spiderpoolctl gc --never", "harness run --no x", "harness"]
)
def test_a_wrong_command_is_not(text: str) -> None:
    """The control."""
    assert not understood(text)


def test_commands_are_found() -> None:
    assert len(OURS) > 25
    assert {text.split()[0] for text in OURS.values()} == set(PROGRAMS)


@pytest.mark.binary("helm")
@pytest.mark.parametrize("where", dict(commands(HELM)))
def test_helm_understands(where: str) -> None:
    _, _, name, chart, *options = shlex.split(dict(commands(HELM))[where])
    assert chart == str(CHART.relative_to(ROOT)), where
    kept = [word for word in options if word not in ("-f", "image.yaml", "--wait")]
    done = run("helm", "template", name, str(CHART), *kept)
    assert done.returncode == 0, f"{where}: {done.stderr}"
