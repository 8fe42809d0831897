"""The generated reference leaves nothing out."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator

import pytest
import yaml
from doc_blocks import PAGES, ROOT, VALUES

import spiderpool
from docs.generators import PARTS, fill
from docs.generators.annotation_keys import ANNOTATIONS, LABELS
from docs.generators.markdown import table
from docs.generators.metrics import MONITORING
from harness.cli.main import COMMANDS as OF_HARNESS
from spiderpool.ctl.main import COMMANDS as OF_CTL
from spiderpool.kube.reasons import Reason
from spiderpool.types.crd import definition
from spiderpool.types.registry import KINDS

KEY = re.compile(r"(?:[a-z0-9-]+\.)+(?:spidernet\.io|cncf\.io|multus-cni\.io)/[a-z0-9-]+", re.I)
NO_KEYS = {
    "k8s.cni.cncf.io/v1",
    "spiderpool.spidernet.io/v2beta1",
    "spiderpool.spidernet.io/metrics",
}
"""API versions, and a label of the chart's own Services."""


def keys_of_the_code() -> Iterator[str]:
    """Every text of a module of ours, alone or in a dictionary, that is a whole key."""
    for module in pkgutil.walk_packages(spiderpool.__path__, "spiderpool."):
        if module.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            texts = value.values() if isinstance(value, dict) else [value]
            yield from (text for text in texts if isinstance(text, str) and KEY.fullmatch(text))


def test_every_annotation_and_label_is_there() -> None:
    found = set(keys_of_the_code()) - NO_KEYS
    assert len(found) > 30
    assert found == ANNOTATIONS.keys() | LABELS.keys()


def test_every_part_is_on_a_page_and_every_page_is_filled() -> None:
    wanted = [
        name for page in PAGES for name in re.findall("<!-- generated: (.+) -->", page.read_text())
    ]
    assert sorted(wanted) == sorted(PARTS)
    with pytest.raises(KeyError):
        fill("<!-- generated: nothing -->")


def fields(schema: dict[str, object], path: str) -> Iterator[str]:
    for holder, place in ((schema, path), (schema.get("items") or {}, f"{path}[]")):
        assert isinstance(holder, dict)
        for name, member in (holder.get("properties") or {}).items():
            yield f"{place}.{name}"
            yield from fields(member, f"{place}.{name}")


def test_every_field_of_every_kind_is_there() -> None:
    sections = dict(
        zip([c.KIND.kind for c in KINDS], PARTS["definitions"]().split("\n## "), strict=True)
    )
    for cls in KINDS:
        section = sections[cls.KIND.kind]
        schema = definition(cls)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for part in ("spec", "status"):
            for field in fields(schema["properties"].get(part, {}), part):
                assert f"| `{field}` |" in section, f"{cls.KIND.kind} {field}"


def test_every_value_is_there_with_its_default() -> None:
    text = PARTS["values"]()
    defaults = yaml.safe_load((MONITORING.parent / "values.yaml").read_text())

    def leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
        if isinstance(value, dict) and value and f"| `{path}` |" not in text:
            for name, member in value.items():
                yield from leaves(member, f"{path}.{name}" if path else name)
        else:
            yield path, value

    for path, value in leaves(defaults, ""):
        assert re.search(
            rf"\| `{re.escape(path)}` \| .* \| `{re.escape(json.dumps(value))}` \|", text
        ), path
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(VALUES)


def test_every_command_is_there() -> None:
    text = PARTS["command-lines"]()
    for program, commands in (("spiderpoolctl", OF_CTL), ("harness", OF_HARNESS)):
        for command in commands:
            assert f"\n### {program} {command}\n" in text
    assert "\n#### spiderpoolctl ip release\n" in text
    assert "HOSTNAME_PID" in text


def test_every_reason_is_there() -> None:
    text = PARTS["events"]()
    assert all(f"| `{reason}` |" in text for reason in Reason)


def texts_of_the_code() -> Iterator[str]:
    """Every text of the product: Python's literals, f-strings in parts; C as it is written."""
    source = ROOT / "spiderpool"
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
    yield from (path.read_text() for path in source.rglob("*.c"))


def test_what_troubleshooting_quotes_is_said() -> None:
    """Quotes are in headings, and in the first column of tables of reasons; dots stand for more."""
    page = (ROOT / "docs/troubleshooting.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith(("### ", "| `"))]
    said = [line.split("|")[1] if line.startswith("|") else line for line in lines]
    quotes = [quote for line in said for quote in re.findall(r"`([^`]+)`", line)]
    assert len(quotes) > 12
    corpus = "\n".join(texts_of_the_code()) + "\n".join(Reason)
    for quote in quotes:
        for piece in filter(None, re.split(r" ?\.\.\. ?", quote)):
            assert piece in corpus or quote in OF_OTHERS, quote


OF_OTHERS = {
    "kubectl get spiderippool",
    "helm install",
    "x509: certificate signed by unknown authority",
}
"""Commands, and what the API server says."""


def test_a_cell_cannot_end_its_cell() -> None:
    assert table(("A",), [("a|b\nc",)]) == "| A |\n| --- |\n| a\\|b c |"


@pytest.mark.parametrize("page", ["README.md", "scenarios/README.md"])
def test_links_of_pages_outside_of_the_site_lead_somewhere(page: str) -> None:
    """Sphinx looks at those of the site."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text())
    assert links
    for link in links:
        assert (ROOT / page).parent.joinpath(link).exists(), link
