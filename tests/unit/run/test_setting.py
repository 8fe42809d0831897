"""What a scenario points at is in its topology, or it is refused before anything is built."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.run.setting import setting
from harness.scenario.load import load
from spiderpool.errors import BadInput

SCENARIOS = Path(__file__).parents[3] / "scenarios"
HEAD = """\
scenario: x
summary: x
topology: page
names:
  web: {pod: app=nginx, on: worker01}
steps:
"""
CONTROL = "  - expect: [{id: control, ping: {from: web, to: client.eth0}, leaves: web.net1}]\n"


def written(folder: Path, text: str) -> Path:
    shutil.copytree(SCENARIOS / "_topologies", folder / "_topologies")
    file = folder / "scenario.yaml"
    file.write_text(text)
    return file


def refusal(file: Path) -> str:
    with pytest.raises(BadInput) as caught:
        setting(load(file))
    return str(caught.value).removeprefix(f"{file}:")


@pytest.mark.parametrize("file", sorted(SCENARIOS.glob("**/scenario.yaml")), ids=str)
def test_every_scenario_has_what_it_names(file: Path) -> None:
    assert setting(load(file)).nodes


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("expect: [{id: a, ping: {from: clint, to: web.eth0}, leaves: web.eth0}]", "place clint;"),
        ("expect: [{id: a, ping: {from: web, to: outsid.eth0}, leaves: web.eth0}]", "place outsid"),
        (
            "expect: [{id: a, ping: {from: web, to: 10.6.0.1}, path: [web.eth0, rooter.lan6]}]",
            "place rooter",
        ),
        ("expect: [{id: a, on: wep, ip rule: '0: from all lookup local'}]", "place wep"),
        ("expect: [{id: a, on: web, ip route: '{wep.net1} dev eth0'}]", "place wep"),
        (
            "expect: [{id: a, each: [web], table: kubectl get po, rows: [{IP: '{wep.eth0}'}]}]",
            "place wep",
        ),
        ("expect: [{id: a, object: pod/x, has: {spec: {a: ['{wep.eth0}']}}}]", "place wep"),
        ("{ip: route del default, on: rooter}", "place rooter"),
        ("{advertise: 'fd00:10:99::/64', on: rooter.lan6}", "place rooter"),
        ("{kill: agent, on: worker02}", "node worker02; use controller or worker01"),
    ],
)
def test_a_place_that_nobody_has_is_refused(tmp_path: Path, line: str, words: str) -> None:
    message = refusal(written(tmp_path, f"{HEAD}  - {line}\n{CONTROL}"))
    assert message.startswith("7: there is no "), message
    assert words in message


def test_a_pod_on_a_node_that_is_not_there_is_refused(tmp_path: Path) -> None:
    text = f"{HEAD}{CONTROL}".replace("on: worker01", "on: client")
    message = refusal(written(tmp_path, text))
    assert message == " names.web.on: there is no node client; use controller or worker01"


@pytest.mark.parametrize("name", ["client", "worker01", "underlay"])
def test_a_pod_is_not_called_as_a_machine_is(tmp_path: Path, name: str) -> None:
    file = written(tmp_path, HEAD.replace("steps:", f"  {name}: {{pod: app=x}}\nsteps:") + CONTROL)
    words = f" names.{name}: {name} is a machine of topology page; choose another name"
    assert refusal(file) == words


def test_another_topology_is_refused_with_those_there_are(tmp_path: Path) -> None:
    message = refusal(written(tmp_path, f"{HEAD}{CONTROL}".replace("page", "pages")))
    assert message.startswith("3: there is no topology 'pages' in any _topologies above it; use ")
    assert "one-node, page, " in message


def test_a_wrong_topology_is_refused_by_its_own_line(tmp_path: Path) -> None:
    file = written(tmp_path, f"{HEAD}{CONTROL}")
    topology = tmp_path / "_topologies/page.yaml"
    topology.write_text(topology.read_text().replace("10.6.0.1/16", "10.6.0.1/33"))
    with pytest.raises(BadInput, match=rf"^{topology}:\d+: "):
        setting(load(file))
