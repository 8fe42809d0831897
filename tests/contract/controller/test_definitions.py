"""The definitions on a server: accepted, and as strict as they say."""

from __future__ import annotations

import asyncio
from pathlib import Path

from spiderpool.kube.client import connect
from spiderpool.kube.resources import CRD
from spiderpool.types.registry import KINDS


def test_every_definition_is_accepted_without_complaint(kubeconfig: Path) -> None:
    async def scene() -> None:
        client = connect(str(kubeconfig))
        for cls in KINDS:
            crd = await client.get(CRD, f"{cls.KIND.plural}.{cls.KIND.group}")
            conditions = {c["type"]: c for c in crd["status"]["conditions"]}
            assert conditions["NamesAccepted"]["status"] == "True"
            assert "NonStructuralSchema" not in conditions, conditions["NonStructuralSchema"]
        await client.close()

    asyncio.run(scene())
