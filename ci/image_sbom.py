"""The list of what is inside an image, as SPDX 2.3 JSON (ISO/IEC 5962). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """A package; ``kind`` is that of a package URL (``deb/debian``, ``pypi``)."""

    kind: str
    name: str
    version: str
    architecture: str = ""
    sha256: str = ""
    license: str = "NOASSERTION"

    @property
    def url(self) -> str:
        """github.com/package-url/purl-spec"""
        version = self.version.replace("+", "%2B").replace(":", "%3A")
        suffix = f"?arch={self.architecture}" if self.architecture else ""
        return f"pkg:{self.kind}/{self.name}@{version}{suffix}"

    @property
    def identifier(self) -> str:
        """Unique in the document; SPDX allows letters, digits, dots and hyphens."""
        return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", f"{self.kind}-{self.name}")


def document(name: str, architecture: str, parts: Sequence[Part], created: str) -> dict[str, Any]:
    """The document of one image; its name space is told by its contents alone."""
    root = "SPDXRef-image"
    image = {"name": name, "SPDXID": root, "versionInfo": architecture}
    nothing = {"downloadLocation": "NOASSERTION", "filesAnalyzed": False}
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{name}-{architecture}",
        "documentNamespace": f"https://spidernet.io/spdx/{name}-{architecture}",
        "creationInfo": {"created": created, "creators": ["Tool: build-image"]},
        "packages": [image | nothing, *(_package(part) | nothing for part in parts)],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", root),
            *(_relation(root, "CONTAINS", part.identifier) for part in parts),
        ],
    }


def _package(part: Part) -> dict[str, Any]:
    reference = {
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": part.url,
    }
    made: dict[str, Any] = {
        "name": part.name,
        "SPDXID": part.identifier,
        "versionInfo": part.version,
        "licenseDeclared": part.license,
        "externalRefs": [reference],
    }
    if part.sha256:
        made["checksums"] = [{"algorithm": "SHA256", "checksumValue": part.sha256}]
    return made


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
