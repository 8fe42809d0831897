"""Networks that the webhook has put into pods."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest
from controller_process import controller, run

from spiderpool.errors import Invalid
from spiderpool.kube.resources import MUTATINGWEBHOOK, NAMESPACE, POD, SPIDERMULTUSCONFIG

KEY = "cni.spidernet.io/network-resource-inject"


def test_a_pod_gets_the_networks_of_its_annotation_or_is_refused(kubeconfig: Path) -> None:
    namespace = f"inject-{uuid.uuid4().hex[:6]}"

    def pod(name: str, value: str) -> dict[str, object]:
        metadata = {"name": name, "namespace": namespace, "annotations": {KEY: value}}
        return {"metadata": metadata, "spec": {"containers": [{"name": "c", "image": "i"}]}}

    async def scene() -> None:
        options = ("--webhook-listen=127.0.0.1:0", "--inject-networks")
        async with controller(kubeconfig, *options) as world:
            client = world.client
            await client.create(NAMESPACE, {"metadata": {"name": namespace}})
            network = {
                "metadata": {"name": "n", "namespace": namespace, "annotations": {KEY: "x"}},
                "spec": {"cniType": "macvlan", "macvlan": {"master": ["ens192"]}},
            }
            await client.create(SPIDERMULTUSCONFIG, network)
            await world.until(
                MUTATINGWEBHOOK, "spiderpool-controller", lambda o: len(o["webhooks"]) == 2
            )
            for attempt in range(100):
                made = await client.create(POD, pod(f"p{attempt}", "x"))
                networks = made["metadata"]["annotations"].get("k8s.v1.cni.cncf.io/networks")
                if networks:
                    break
                await asyncio.sleep(0.05)  # the server learns of its webhooks a moment later
            assert networks == f"{namespace}/n"
            with pytest.raises(Invalid, match="no SpiderMultusConfig has the annotation"):
                await client.create(POD, pod("refused", "typo"))
            await client.delete(MUTATINGWEBHOOK, "spiderpool-controller")

    run(scene)
