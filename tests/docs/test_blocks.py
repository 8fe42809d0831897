"""Every block of YAML or JSON on the site would be taken by whom it is for."""

from __future__ import annotations

import json
import logging
import shutil
import textwrap
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from deploy_chart import CHART, run
from doc_blocks import DIRECTIVES, LANGUAGES, PAGES, ROOT, Block, Unclear, What, blocks, what_is

from harness.kubeapi.launch import embedded_server
from harness.nodes.multus import read_network
from harness.run.existing.inventory import read_inventory
from harness.scenario.load import load
from spiderpool import logs
from spiderpool.cni.versions import SUPPORTED
from spiderpool.controller.admission.findings import Cluster, Request
from spiderpool.controller.admission.review import RULES, judge, text
from spiderpool.errors import BadInput
from spiderpool.ipam.netconf import read_conf
from spiderpool.multus.attachment import attachment
from spiderpool.types.metadata import read
from spiderpool.types.multusconfig import SpiderMultusConfig
from spiderpool.types.registry import KINDS

ALL = [block for page in PAGES for block in blocks(page)]
JUDGED = [block for block in ALL if block.language in ("yaml", "json")]
OURS = {(cls.KIND.api_version, cls.KIND.kind): cls for cls in KINDS}


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a server that knows our kinds."""
    with embedded_server(tmp_path_factory.mktemp("docs")) as config:
        _kubectl(config, "apply", f"--filename={ROOT / 'crds'}")
        _kubectl(config, "wait", "--for=condition=Established", "crd", "--all", "--timeout=20s")
        yield config


def _kubectl(config: Path, *words: str, stdin: str = "") -> None:
    done = run("kubectl", f"--kubeconfig={config}", *words, stdin=stdin)
    if done.returncode:
        raise BadInput("kubectl", done.stderr.strip())


def judge_objects(block: Block, config: Path) -> None:
    """A dry run with strict validation; codec and admission rules for our kinds."""
    for obj in block.documents():
        if cls := OURS.get((obj["apiVersion"], obj["kind"])):
            read(cls, obj)
            if cls.KIND.plural in RULES:
                found = judge(cls.KIND.plural, Request(None, obj), Cluster())
                if found.problems:
                    raise BadInput(cls.KIND.where(obj), text(found.problems))
    words = ("create", "--dry-run=server", "--validate=strict", "--filename=-")
    _kubectl(config, *words, stdin=block.text)


def judge_values(block: Block) -> None:
    done = run("helm", "template", "x", str(CHART), "--values=-", stdin=block.text)
    if done.returncode:
        raise BadInput("helm", done.stderr.strip())


def judge_scenario(block: Block, folder: Path) -> None:
    """Beside the real ones, with the quick start's manifests at hand."""
    for name in ("_topologies", "_manifests", "quickstart"):
        shutil.copytree(ROOT / "scenarios" / name, folder / name)
    place = shutil.copytree(folder / "quickstart", folder / "block")
    (place / "scenario.yaml").write_text(block.text)
    load(place)


def judge_expectations(block: Block, folder: Path) -> None:
    whole = (ROOT / "scenarios/quickstart/scenario.yaml").read_text()
    items = textwrap.indent(textwrap.dedent(block.text), " " * 6)
    scenario = f"{whole}\n  - expect:\n{items}"
    judge_scenario(Block(block.page, block.line, "yaml", scenario), folder)


def judge_network(block: Block) -> None:
    (config,) = block.documents()
    if config["cniVersion"] not in SUPPORTED:
        raise BadInput("cniVersion", f"{config['cniVersion']} is not supported")
    read_network(json.dumps(config), "the configuration")
    for plugin in config.get("plugins", [config]):
        if (plugin.get("ipam") or {}).get("type") == "spiderpool":
            read_conf(plugin)


def judge_plugin(block: Block) -> None:
    """In a chain, as the controller makes it."""
    spec = {"cniType": "macvlan", "macvlan": {"master": ["ens192"]}}
    obj = {"metadata": {"name": "a"}, "spec": spec | {"chainCNIJsonData": [block.text]}}
    found = judge("spidermultusconfigs", Request(None, obj), Cluster())
    if found.problems:
        raise BadInput("chainCNIJsonData", text(found.problems))
    made = attachment(read(SpiderMultusConfig, obj), None)["spec"]["config"]
    read_network(made, "the configuration")
    assert block.documents()[0] in json.loads(made)["plugins"]


def judge_inventory(block: Block, folder: Path) -> None:
    (folder / "cluster.json").write_text(block.text)
    read_inventory(folder / "cluster.json")


def judge_log(block: Block) -> None:
    """The same line comes out when the same is logged."""
    (line,) = block.documents()
    names = ("time", "level", "component", "logger", "message")
    time, level, component, logger, message = (line[name] for name in names)
    record = logging.LogRecord(logger, logs.LEVELS[level], "", 0, message, None, None)
    record.created = datetime.fromisoformat(time).timestamp()
    with logs.fields(**{name: line[name] for name in line if name not in names}):
        said = logs.JsonFormatter(component).format(record)
    if json.loads(said) != line:
        raise BadInput("the line", f"would be {said}")


@pytest.fixture
def verdict(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Block], None]:
    """Raises Unclear or BadInput, with page and line, for what nobody would take."""

    def judged(block: Block) -> None:
        kind = what_is(block)
        judges: dict[What, Callable[[], Any]] = {
            What.OBJECTS: lambda: judge_objects(block, request.getfixturevalue("kubeconfig")),
            What.VALUES: lambda: judge_values(block),
            What.SCENARIO: lambda: judge_scenario(block, tmp_path),
            What.EXPECTATIONS: lambda: judge_expectations(block, tmp_path),
            What.NETWORK: lambda: judge_network(block),
            What.PLUGIN: lambda: judge_plugin(block),
            What.LOG: lambda: judge_log(block),
            What.INVENTORY: lambda: judge_inventory(block, tmp_path),
        }
        try:
            judges[kind]()
        except BadInput as error:
            raise BadInput(block.where, str(error)) from None

    return judged


@pytest.mark.parametrize("block", ALL, ids=[block.where for block in ALL])
def test_a_block_has_a_language(block: Block) -> None:
    assert block.language in (*LANGUAGES, *DIRECTIVES), block.where
    if block.language in ("bash", "text"):
        assert "apiVersion:" not in block.text, f"{block.where}: YAML is not judged in there"


@pytest.mark.binary("kubectl")
@pytest.mark.binary("helm")
@pytest.mark.parametrize("block", JUDGED, ids=[block.where for block in JUDGED])
def test_a_block_is_right(block: Block, verdict: Callable[[Block], None]) -> None:
    verdict(block)


POOL = "apiVersion: spiderpool.spidernet.io/v2beta1\nkind: SpiderIPPool\nmetadata: {name: a}\n"
WRONG = {
    "a field that the kind does not have": (
        "yaml", POOL + "spec: {subnet: 10.6.0.0/16, ipss: []}\n", "unknown field"),
    "a rule of admission": (
        "yaml", POOL + "spec: {subnet: 10.6.0.0/16, ips: [10.7.0.1]}\n", "10.7.0.1"),
    "a type": ("yaml", POOL + "spec: {subnet: 5}\n", "spec.subnet"),
    "a core kind": (
        "yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: {}}\n", "Pod"),
    "a kind that is not there": (
        "yaml", "apiVersion: v1\nkind: Pot\nmetadata: {name: a}\n", "error validating"),
    "values": ("yaml", "coordinator: {mode: overlya}\n", "/coordinator/mode"),
    "a scenario": ("yaml", "scenario: a\nsummary: b\ntopology: page\nstpes: []\n", "stpes"),
    "an expectation": ("yaml", "- id: a\n  pong: {from: web, to: dns}\n", "says nothing"),
    "a network": ("json", '{"cniVersion": "0.3.1", "name": "a", "plugins": 5}\n', "plugins"),
    "a plugin": ("json", '{"type": 5}\n', "chainCNIJsonData"),
    "an inventory": ("json", '{"nodes": {"A": {}}}\n', "cannot name a machine"),
    "a line of a log": (
        "json",
        '{"time": "2026-11-24T12:45:43+00:00", "level": "info", "component": "agent",'
        ' "logger": "a", "message": "b"}\n',
        "12:45:43.000"),
    "pools of a network": (
        "json",
        '{"cniVersion": "0.3.1", "name": "a", "plugins": [{"type": "macvlan",'
        ' "ipam": {"type": "spiderpool", "default_ipv4_ippool": "a"}}]}\n',
        "default_ipv4_ippool"),
}  # fmt: skip


@pytest.mark.binary("kubectl")
@pytest.mark.binary("helm")
@pytest.mark.parametrize(("language", "wrong", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_with_page_and_line(
    language: str, wrong: str, words: str, verdict: Callable[[Block], None]
) -> None:
    (block,) = blocks(ROOT / "docs/install.md", f"One\n\n```{language}\n{wrong}```\n")
    with pytest.raises(BadInput) as caught:
        verdict(block)
    assert str(caught.value).startswith("docs/install.md:4: ")
    assert words in str(caught.value)


def test_a_block_in_a_list_is_seen() -> None:
    page = "1. One\n\n   ```yaml\n   a: 1\n   b:\n     c: 2\n   ```\n"
    (block,) = blocks(ROOT / "docs/install.md", page)
    assert (block.line, block.text) == (4, "a: 1\nb:\n  c: 2\n")


@pytest.mark.parametrize(
    ("language", "text", "line"),
    [
        ("yaml", "metadata:\n  annotations: {}\n", 2),
        ("yaml", "- a\n", 2),
        ("yaml", "a: b\nc: [\n", 4),
        ("json", '{"a": 1}\n', 2),
        ("json", '{"a":\n', 3),
        ("yaml", "", 2),
    ],
)
def test_what_nobody_can_judge_fails(language: str, text: str, line: int) -> None:
    (block,) = blocks(ROOT / "docs/install.md", f"```{language}\n{text}```\n")
    with pytest.raises(Unclear, match=rf"^docs/install.md:{line}: "):
        what_is(block)
