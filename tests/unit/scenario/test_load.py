"""Scenario files: what they may say, and how they are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.scenario.expectations import (
    Blocked,
    NetworkHas,
    NicsHave,
    Outcome,
    Protocol,
    Reaches,
    Table,
)
from harness.scenario.load import load
from harness.scenario.model import Expect, Install, Manifests, PodName, ServiceName, Wait
from harness.scenario.reference import Place, Reference
from spiderpool.errors import BadInput

HEAD = """\
scenario: example
summary: An example
topology: two-nodes
names:
  web: {pod: app=nginx, on: worker01}
  other: {pod: app=nginx}
  dns: {service: coredns, namespace: kube-system}
steps:
"""

RULES = """\
  - expect:
      - id: rules
        on: web
        ip rule: "0: from all lookup local"
"""


def scenario(tmp_path: Path, steps: str, head: str = HEAD) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(head + steps)
    return path


def expecting(tmp_path: Path, *expectations: str) -> Path:
    lines = "".join(f"      - {text}\n" for text in expectations)
    return scenario(tmp_path, "  - expect:\n" + lines)


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        load(path)
    return str(caught.value)


def test_steps_keep_their_order_and_lines(tmp_path: Path) -> None:
    (tmp_path / "nginx.yaml").write_text("kind: Deployment\n")
    loaded = load(
        scenario(
            tmp_path,
            """\
  - install: spiderpool
  - apply: nginx.yaml
  - wait: deployment/nginx
    for: condition=Available
  - expect:
      - {id: a, on: web, ip rule: "0: from all lookup local"}
""",
        )
    )
    install, manifests, wait, expect, _ = loaded.steps
    assert isinstance(install, Install) and install.where.line == 9
    assert isinstance(manifests, Manifests)
    assert manifests.files == ((tmp_path / "nginx.yaml").resolve(),)
    assert isinstance(wait, Wait) and wait.condition == "condition=Available"
    assert isinstance(expect, Expect) and expect.expectations[0].where.line == 14
    assert str(wait) == "wait for deployment/nginx to be condition=Available"


def test_manifests_may_be_shared(tmp_path: Path) -> None:
    shared, own = tmp_path / "_manifests", tmp_path / "group" / "one"
    shared.mkdir()
    own.mkdir(parents=True)
    for path in (shared / "pools.yaml", shared / "pods.yaml", own / "pods.yaml"):
        path.write_text("kind: Pod\n")
    step, _ = load(scenario(own, "  - apply: [pools.yaml, pods.yaml]\n" + RULES)).steps
    assert isinstance(step, Manifests)
    assert step.files == (shared / "pools.yaml", own / "pods.yaml")


def test_names_are_pods_or_services(tmp_path: Path) -> None:
    loaded = load(expecting(tmp_path, '{id: a, on: web, ip rule: "1: from all lookup 1"}'))
    assert loaded.names == {
        "web": PodName("app=nginx", "default", "worker01"),
        "other": PodName("app=nginx", "default", None),
        "dns": ServiceName("coredns", "kube-system"),
    }


def test_a_probe_is_a_sentence(tmp_path: Path) -> None:
    loaded = load(
        expecting(
            tmp_path,
            "{id: a, udp: {from: web.net1, to: dns, port: 53},"
            " path: [web.net1, web.node.ens192], source: web.node.ens192}",
        )
    )
    (probe,) = loaded.expectations()
    assert isinstance(probe, Reaches)
    assert str(probe.probe) == "udp web.net1 -> dns port 53"
    assert probe.path == (
        Reference(Place("web"), "net1"),
        Reference(Place("web", node=True), "ens192"),
    )
    assert probe.source == Reference(Place("web", node=True), "ens192")


def test_an_ipv6_address_as_target_sets_the_family(tmp_path: Path) -> None:
    loaded = load(
        expecting(tmp_path, '{id: a, ping: {from: web, to: "FD00::1"}, leaves: web.eth0}')
    )
    (probe,) = loaded.expectations()
    assert isinstance(probe, Reaches)
    assert (probe.probe.target, probe.probe.family) == ("fd00::1", 6)


def test_each_makes_one_expectation_a_name(tmp_path: Path) -> None:
    loaded = load(
        expecting(
            tmp_path,
            '{id: rules, each: [web, other], on: it, ip rule: "9: from {it.net1} lookup 100"}',
            "{id: out, each: [web, other], ping: {from: it, to: 10.7.0.1}, leaves: it.eth0}",
        )
    )
    found = list(loaded.expectations())
    assert [each.id for each in found] == ["rules[web]", "rules[other]", "out[web]", "out[other]"]
    assert isinstance(found[1], NetworkHas)
    assert found[1].place == Place("other") and found[1].bound == "other"
    assert isinstance(found[3], Reaches)
    assert found[3].leaves == Reference(Place("other"), "eth0")


@pytest.mark.parametrize(
    ("key", "table", "number", "family"),
    [
        ("ip rule", Table.RULES, 0, 4),
        ("ip route", Table.ROUTES, 254, 4),
        ("ip route show table 100", Table.ROUTES, 100, 4),
        ("ip -6 route show table 101", Table.ROUTES, 101, 6),
        ("ip -6 rule", Table.RULES, 0, 6),
        ("ip neigh", Table.NEIGHBOURS, 0, 4),
    ],
)
def test_tables_are_named_by_their_command(
    tmp_path: Path, key: str, table: Table, number: int, family: int
) -> None:
    loaded = load(expecting(tmp_path, f'{{id: a, on: web, {key}: "default dev eth0"}}'))
    (found,) = loaded.expectations()
    assert isinstance(found, NetworkHas)
    assert (found.table, found.number, found.family) == (table, number, family)


@pytest.mark.parametrize("what", ["ip rule: '1: x'", "nics: {net1: {up: true}}"])
def test_what_a_place_holds_is_there_at_once_unless_it_may_take_time(
    tmp_path: Path, what: str
) -> None:
    for within, seconds in (("", 0), (", within: 5", 5)):
        (found,) = load(expecting(tmp_path, f"{{id: a, on: web, {what}{within}}}")).expectations()
        assert isinstance(found, NetworkHas | NicsHave)
        assert found.within == seconds


@pytest.mark.parametrize(
    "what",
    [
        "ping: {from: client, to: web.net1}, leaves: client.eth0",
        "ping: {from: client, to: web.net1}, blocked: timeout, control: yes",
        "check: web.net1",
        "refused: wrong.yaml",
    ],
)
def test_what_is_asked_once_is_not_given_time(tmp_path: Path, what: str) -> None:
    with pytest.raises(BadInput, match="within"):
        load(expecting(tmp_path, f"{{id: a, {what}, within: 5}}"))


def test_a_negative_names_its_outcomes_and_its_control(tmp_path: Path) -> None:
    loaded = load(
        expecting(
            tmp_path,
            "{id: yes, ping: {from: client, to: web.net1}, leaves: client.eth0}",
            "{id: no, ping: {from: client, to: web.eth0}, blocked: [timeout, unreachable],"
            " control: yes}",
        )
    )
    blocked = list(loaded.expectations())[1]
    assert isinstance(blocked, Blocked)
    assert blocked.outcomes == (Outcome.TIMEOUT, Outcome.UNREACHABLE)
    assert blocked.probe.protocol is Protocol.ICMP


@pytest.mark.parametrize(
    ("steps", "line", "words"),
    [
        ("  - instal: spiderpool\n" + RULES, 9, ["'instal' is no step", "install"]),
        ("  - install: cilium\n" + RULES, 9, ["'cilium'", "use spiderpool"]),
        ("  - apply: ../../etc/passwd\n" + RULES, 9, ["lies outside of"]),
        ("  - apply: missing.yaml\n" + RULES, 9, ["does not exist"]),
        (f"  - apply: {'x' * 5000}\n" + RULES, 9, ["does not exist"]),
        ('  - apply: "a\\0b"\n' + RULES, 9, ["holds a NUL"]),
        ("  - wait: pods\n    for: whatever\n" + RULES, 10, ["'whatever' is no condition"]),
        ("  - wait: --kubeconfig=/x\n    for: delete\n" + RULES, 9, ["is no object"]),
        ("  - scale: deployment/a\n" + RULES, 9, ["no 'to'"]),
        (
            "  - expect:\n      - id: a\n",
            10,
            ["says nothing", "object, event, refused, table, on, check, ping"],
        ),
        ("  - expect:\n      - on: web\n        ip rule: x\n", 10, ["no 'id'"]),
        ("  - expect:\n      - {id: a, on: web, ip addr: x}\n", 10, ["'ip addr' prints nothing"]),
        (RULES + RULES, 14, ["'rules' is used at", "scenario.yaml:10"]),
        ("  - install: spiderpool\n", 1, ["expects nothing"]),
        (RULES.replace("from all", "from {nowhere net1}"), 12, ["names no place"]),
        (RULES.replace("from all", "from {it.net1}"), 12, ["stands for nothing", "each"]),
        (RULES.replace("from all", "from {web.net1.colour}"), 12, ["'colour'", "mac"]),
    ],
)
def test_mistakes_are_named_with_their_line(
    tmp_path: Path, steps: str, line: int, words: list[str]
) -> None:
    message = refusal(scenario(tmp_path, steps))
    assert message.startswith(f"{tmp_path}/scenario.yaml:{line}: ")
    assert all(word in message for word in words)


@pytest.mark.parametrize(
    ("expectations", "words"),
    [
        (["{id: a, ping: {from: web, to: 10.7.0.1}}"], ["way of the request is not said"]),
        (["{id: a, ping: {from: web, to: 10.7.0.1, port: 5}, leaves: web.eth0}"], ["port"]),
        (["{id: a, udp: {from: web, to: 10.7.0.1}, leaves: web.eth0}"], ["port"]),
        (["{id: a, udp: {from: web, to: 10.7.0.1, port: 99999}, leaves: web.eth0}"], ["no port"]),
        (["{id: a, ping: {from: dns, to: 10.7.0.1}, leaves: web.eth0}"], ["'dns' is a service"]),
        (["{id: a, ping: {from: web, to: 10.7.0.1}, path: [web]}"], ["'web' names no NIC"]),
        (["{id: a, ping: {from: web, to: 10.7.0.1}, blocked: timeout}"], ["control"]),
        (
            ["{id: a, ping: {from: web, to: 10.7.0.1}, blocked: timeout, control: b}"],
            ["control 'b' is no expectation of an answered probe"],
        ),
        (
            [
                "{id: b, ping: {from: other, to: 10.7.0.2}, leaves: other.eth0}",
                "{id: a, ping: {from: web, to: 10.7.0.1}, blocked: timeout, control: b}",
            ],
            ["neither the same sender nor the same target"],
        ),
        (
            [
                "{id: b, udp: {from: web, to: 10.7.0.1, port: 1}, leaves: web.eth0}",
                "{id: a, ping: {from: web, to: 10.7.0.1}, blocked: timeout, control: b}",
            ],
            ["is a udp", "same protocol"],
        ),
        (["{id: a/b, object: pod/x, absent: true}"], ["id 'a/b' has characters"]),
        (["{id: a, each: [../b], object: pod/x, absent: true}"], ["each '../b' has characters"]),
        (["{id: a, object: pod/x}"], ["has: ..."]),
        (["{id: a, event: pod, reason: Failed, says: x}"], ["'pod' names no object"]),
        (["{id: a, event: pod/x, says: x}"], ["no 'reason'"]),
        (["{id: a, refused: missing.yaml, says: x}"], ["does not exist"]),
        (["{id: a, refused: scenario.yaml}"], ["no 'says'"]),
        (["{id: a, table: kubectl delete se, rows: [{NAME: x}]}"], ["prints no table"]),
        (["{id: a, table: kubectl get se --raw=/x, rows: [{NAME: x}]}"], ["prints no table"]),
        (["{id: a, check: web}"], ["'web' names no NIC"]),
        (["{id: a, check: web.net1, says: []}"], ["no words are expected"]),
        (["{id: a, table: kubectl get se}"], ["nothing is expected of the table"]),
        (["{id: a, on: web, nics: {net1: {colour: red}}}"], ["'colour' is not known in net1"]),
    ],
)
def test_expectations_that_cannot_be_judged_are_refused(
    tmp_path: Path, expectations: list[str], words: list[str]
) -> None:
    message = refusal(expecting(tmp_path, *expectations))
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["is empty"]),
        ("- a\n- b\n", ["must be a mapping"]),
        ("scenario: [a\n", ["is not YAML"]),
        ("scenario: a\nscenario: b\n", [":2: ", "given twice"]),
        ("a: &x 1\nb: *x\n", [":2: ", "aliases are not allowed"]),
        ("scenario: Bad Name\nsummary: s\ntopology: t\nsteps: []\n", [":1: ", "is no name"]),
        ("colour: red\n", ["'colour' is not known in scenario.yaml"]),
        ("[" * 5000, [":1: ", "is nested too deeply"]),
        ("scenario: a\nsummary: b\0\n", [":2: ", "is not YAML"]),
    ],
)
def test_files_that_are_no_scenarios_are_refused(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    message = refusal(path)
    assert message.startswith(str(path))
    assert all(word in message for word in words), message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(tmp_path / "scenario.yaml")
