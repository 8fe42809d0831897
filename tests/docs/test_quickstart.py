"""The quick start's page: what its transcript is, and that it is still what happens."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml
from doc_blocks import ROOT

from docs.generators.quickstart import PAGE, SCENARIO
from docs.generators.transcript import Command, commands, files, masked, with_answers

TEXT = """# Page

```yaml
# a.yaml
a: 1
```

```console
$ first
old
$ second
```

<!-- on: worker01 -->
```console
$ third
```

<!-- not carried out: no reason -->
```console
$ fourth
kept
```
"""


def test_a_page_is_files_and_commands() -> None:
    assert files(TEXT) == {"a.yaml": "# a.yaml\na: 1\n"}
    assert list(commands(TEXT)) == [
        Command("first"),
        Command("second"),
        Command("third", "worker01"),
    ]


def test_answers_take_the_place_of_old_ones() -> None:
    new = with_answers(TEXT, ["1\n", "", "3\n"])
    assert new == TEXT.replace("old\n", "1\n").replace("$ third\n", "$ third\n3\n")
    assert with_answers(new, ["1\n", "", "3\n"]) == new


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("nginx-5dtzxj9hj9-x8vfp   1/1   0   0s ", "nginx-abcdefgh-22222   1/1   0   12s "),
        ("icmp_seq=1 ttl=62 time=0.184 ms", "icmp_seq=1 ttl=62 time=12 ms"),
        ("10.6.212.101 dev calidba8e4e6726", "10.6.212.100 dev cali00000000000"),
    ],
)
def test_two_runs_may_differ_in_this(one: str, other: str) -> None:
    assert masked(one) == masked(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("default via 10.6.0.1 dev net1", "default via 10.6.0.1 dev eth0"),
        ("32760:\tfrom all lookup 100", "32761:\tfrom all lookup 100"),
        ("2 received, 0% packet loss", "1 received, 50% packet loss"),
        ("10.233.0.0/18 via 10.6.212.131 dev eth0", "10.233.0.0/18 via 10.6.212.132 dev eth0"),
    ],
)
def test_two_runs_may_not_differ_in_that(one: str, other: str) -> None:
    assert masked(one) != masked(other)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("ippool.yaml", "ippool.yaml"),
        ("multusconfig.yaml", "multusconfig.yaml"),
        ("nginx.yaml", "nginx.yaml"),
    ],
)
def test_the_objects_are_those_of_the_scenario(ours: str, theirs: str) -> None:
    """What the scenario proves is what the page shows; defaults may be written or not."""
    shown = yaml.safe_load(files(PAGE.read_text())[ours])
    proven = yaml.safe_load((SCENARIO / theirs).read_text())
    proven["spec"].pop("disable", None)
    assert shown == proven


@pytest.mark.kernel
@pytest.mark.binary("macvlan")
@pytest.mark.binary("kubectl")
@pytest.mark.binary("ping")
def test_the_page_is_what_happens() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docs.generators.quickstart", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr}\nrun python -m docs.generators.quickstart"
