"""The CRDs that are shipped are what the types say, and what kubectl's users know."""

from typing import Any

import pytest
import yaml

from spiderpool.types.crd import DIRECTORY, definition, files
from spiderpool.types.registry import KINDS

BY_KIND = {cls.KIND.kind: definition(cls) for cls in KINDS}


def schema(kind: str) -> dict[str, Any]:
    version: dict[str, Any] = BY_KIND[kind]["spec"]["versions"][0]
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]
    return found


def columns(kind: str) -> list[str]:
    return [c["name"] for c in BY_KIND[kind]["spec"]["versions"][0]["additionalPrinterColumns"]]


def test_no_file_drifts_from_the_types() -> None:
    shipped = {path.name: path.read_text() for path in DIRECTORY.glob("*.yaml")}
    assert shipped == files(), "run: python -m spiderpool.types.crd"


@pytest.mark.parametrize(
    ("kind", "short", "scope", "subresource"),
    [
        ("SpiderIPPool", "sp", "Cluster", True),
        ("SpiderSubnet", "ss", "Cluster", True),
        ("SpiderEndpoint", "se", "Namespaced", False),
        ("SpiderReservedIP", "sr", "Cluster", False),
        ("SpiderMultusConfig", "smc", "Namespaced", False),
        ("SpiderCoordinator", "scc", "Cluster", True),
    ],
)
def test_names_and_scope(kind: str, short: str, scope: str, subresource: bool) -> None:
    spec = BY_KIND[kind]["spec"]
    assert spec["names"]["shortNames"] == [short]
    assert spec["names"]["categories"] == ["spiderpool"]
    assert spec["scope"] == scope
    assert ("subresources" in spec["versions"][0]) is subresource
    assert BY_KIND[kind]["metadata"]["name"] == f"{spec['names']['plural']}.{spec['group']}"


def test_printer_columns_are_those_of_the_page() -> None:
    assert columns("SpiderEndpoint") == [
        "INTERFACE", "IPV4POOL", "IPV4", "IPV6POOL", "IPV6", "NODE",
    ]  # fmt: skip
    assert columns("SpiderIPPool")[:5] == [
        "VERSION", "SUBNET", "ALLOCATED-IP-COUNT", "TOTAL-IP-COUNT", "DEFAULT",
    ]  # fmt: skip


def test_defaults() -> None:
    spec = schema("SpiderCoordinator")["spec"]["properties"]
    assert {k: v["default"] for k, v in spec.items() if "default" in v} == {
        "mode": "auto",
        "tunePodRoutes": True,
        "hostRuleTable": 500,
        "podRPFilter": 0,
        "hostRPFilter": 0,
        "txQueueLen": 0,
        "vethMTU": 1500,
        "detectGateway": False,
        "detectIPConflict": False,
    }


def test_a_networks_coordinator_block_has_no_defaults_so_that_it_can_inherit() -> None:
    block = schema("SpiderMultusConfig")["spec"]["properties"]["coordinator"]["properties"]
    assert not [key for key, value in block.items() if "default" in value]
    assert "tuneMode" in block


def test_older_names_are_in_the_schema_so_that_they_are_not_pruned() -> None:
    spec = schema("SpiderMultusConfig")["spec"]["properties"]
    old = spec["macvlan"]["properties"]["spiderpoolConfigPools"]["properties"]
    assert set(old) == {"IPv4IPPool", "IPv6IPPool"}
    coordinator = schema("SpiderCoordinator")["spec"]["properties"]
    assert {"detectGateway", "detectIPConflict", "hostRPFilter"} <= set(coordinator)


@pytest.mark.parametrize("kind", BY_KIND)
def test_schemas_are_structural(kind: str) -> None:
    """Every node has a type, no node has both properties and additionalProperties."""
    root = BY_KIND[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]

    def check(node: dict[str, Any], path: str) -> None:
        assert "type" in node, path
        assert not {"properties", "additionalProperties"} <= set(node), path
        assert set(node.get("required", [])) <= set(node.get("properties", {})), path
        for key, child in node.get("properties", {}).items():
            check(child, f"{path}.{key}")
        for key in ("items", "additionalProperties"):
            if key in node:
                check(node[key], f"{path}.{key}")

    check(root, kind)


def test_yaml_reads_back_as_the_definition() -> None:
    for text in files().values():
        document = yaml.safe_load(text)
        assert document == BY_KIND[document["spec"]["names"]["kind"]]
