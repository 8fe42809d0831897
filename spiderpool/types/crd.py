"""CustomResourceDefinitions from the dataclasses: ``python -m spiderpool.types.crd``.

Writes ``crds/<group>_<plural>.yaml``; a test fails when a file there is not what the types say.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from spiderpool.types.metadata import ApiObject, Column, Kind
from spiderpool.types.openapi import object_schema
from spiderpool.types.registry import KINDS

DIRECTORY = Path(__file__).parent.parent.parent / "crds"


def definition(cls: type[ApiObject]) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind (apiextensions.k8s.io/v1)."""
    kind = cls.KIND
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {
            "group": kind.group,
            "names": _names(kind),
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [_version(cls)],
        },
    }


def _names(kind: Kind) -> dict[str, Any]:
    names = {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "singular": kind.kind.lower() if not kind.plural.count("-") else kind.plural[:-1],
        "shortNames": [kind.short],
    }
    return names | ({"categories": list(kind.categories)} if kind.categories else {})


def _version(cls: type[ApiObject]) -> dict[str, Any]:
    kind = cls.KIND
    version: dict[str, Any] = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root_schema(cls)},
    }
    if kind.columns:
        version["additionalPrinterColumns"] = [_column(column) for column in kind.columns]
    if kind.status_subresource:
        version["subresources"] = {"status": {}}
    return version


def _root_schema(cls: type[ApiObject]) -> dict[str, Any]:
    schema = object_schema(cls)
    fields = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
    required = [key for key in schema.get("required", []) if key != "metadata"]
    whole = schema | {"properties": fields | schema["properties"], "required": required}
    return whole if required else {k: v for k, v in whole.items() if k != "required"}


def _column(column: Column) -> dict[str, Any]:
    said: dict[str, Any] = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return said | ({"priority": column.priority} if column.priority else {})


def files() -> dict[str, str]:
    """File name -> YAML text of every CRD."""
    import yaml  # noqa: PLC0415  # only the generator needs it

    return {
        f"{cls.KIND.group}_{cls.KIND.plural}.yaml": yaml.safe_dump(
            definition(cls), sort_keys=False, width=100
        )
        for cls in KINDS
    }


def main() -> int:
    """Write all files, and remove those of kinds that are gone."""
    texts = files()
    DIRECTORY.mkdir(exist_ok=True)
    for stale in set(DIRECTORY.glob("*.yaml")) - {DIRECTORY / name for name in texts}:
        stale.unlink()
    for name, text in texts.items():
        (DIRECTORY / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
