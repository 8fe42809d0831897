"""The controller as a process, on a server over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import uuid
from pathlib import Path

from controller_process import controller, created, run

from spiderpool.kube.client import connect
from spiderpool.kube.resources import (
    CONFIGMAP,
    LEASE,
    MUTATINGWEBHOOK,
    NAMESPACE,
    NETWORKATTACHMENT,
    SPIDERCOORDINATOR,
    SPIDERIPPOOL,
    SPIDERMULTUSCONFIG,
    VALIDATINGWEBHOOK,
)

NETWORK_SPEC = {"cniType": "macvlan", "macvlan": {"master": ["ens192"], "vlanID": 0}}
KUBEADM = {
    "metadata": {"name": "kubeadm-config", "namespace": "kube-system"},
    "data": {
        "ClusterConfiguration": "networking:\n"
        "  podSubnet: 10.233.64.0/18\n  serviceSubnet: 10.233.0.0/18\n"
    },
}
LEASE_NAME = "spiderpool-controller-leases"


def test_the_page_from_its_objects_to_their_end(kubeconfig: Path) -> None:
    name = f"net-{uuid.uuid4().hex[:6]}"
    pool_name = f"pool-{uuid.uuid4().hex[:6]}"

    async def scene() -> None:
        async with controller(kubeconfig) as world:
            client = world.client
            await created(client, CONFIGMAP, KUBEADM)
            spec = {"mode": "overlay", "podCIDRType": "cluster"}
            await created(
                client, SPIDERCOORDINATOR, {"metadata": {"name": "default"}, "spec": spec}
            )
            pool = {"subnet": "10.6.0.0/16", "ips": ["10.6.212.100-10.6.212.200"]}
            await created(client, SPIDERIPPOOL, {"metadata": {"name": pool_name}, "spec": pool})
            network = {"metadata": {"name": name, "namespace": "default"}, "spec": NETWORK_SPEC}
            await created(client, SPIDERMULTUSCONFIG, network)

            status = (
                await world.until(
                    SPIDERCOORDINATOR,
                    "default",
                    lambda o: (o.get("status") or {}).get("phase") == "Synced",
                )
            )["status"]
            assert status["overlayPodCIDR"] == ["10.233.64.0/18"]
            assert status["serviceCIDR"] == ["10.233.0.0/18"]
            await world.until(
                SPIDERIPPOOL,
                pool_name,
                lambda o: (o.get("status") or {}).get("totalIPCount") == 101,
            )
            nad = await world.until(
                NETWORKATTACHMENT, name, lambda o: "overlay" in o["spec"]["config"], "default"
            )
            assert nad["metadata"]["ownerReferences"][0]["controller"]
            plugins = json.loads(nad["spec"]["config"])["plugins"]
            assert [plugin["type"] for plugin in plugins] == ["macvlan", "coordinator"]

            await client.delete(SPIDERCOORDINATOR, "default")
            await client.delete(SPIDERIPPOOL, pool_name)
            await world.until_gone(SPIDERCOORDINATOR, "default")
            await world.until_gone(SPIDERIPPOOL, pool_name)
            await client.delete(SPIDERMULTUSCONFIG, name, "default")

            world.process.send_signal(signal.SIGTERM)
            assert await world.process.wait() == 0
            lease = await client.get(LEASE, LEASE_NAME, "kube-system")
            assert lease["spec"]["holderIdentity"] == ""

    run(scene)


def test_of_two_controllers_one_leads_and_the_other_takes_over(kubeconfig: Path) -> None:
    namespace = f"two-{uuid.uuid4().hex[:6]}"

    async def scene() -> None:
        first = controller(kubeconfig, "--identity=first", namespace=namespace)
        second = controller(kubeconfig, "--identity=second", namespace=namespace)
        client = connect(str(kubeconfig))
        await client.create(NAMESPACE, {"metadata": {"name": namespace}})
        await client.close()
        async with first as one:
            await one.until(
                LEASE, LEASE_NAME, lambda o: o["spec"]["holderIdentity"] == "first", namespace
            )
            async with second as other:
                one.process.send_signal(signal.SIGTERM)
                assert await one.process.wait() == 0
                await other.until(
                    LEASE, LEASE_NAME, lambda o: o["spec"]["holderIdentity"] == "second", namespace
                )
                other.process.send_signal(signal.SIGTERM)
                assert await other.process.wait() == 0
                await other.client.delete(LEASE, LEASE_NAME, namespace)  # others share the server

    run(scene)


def test_a_kubeconfig_that_is_none_is_one_line(tmp_path: Path) -> None:
    async def scene() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "spiderpool.controller", f"--kubeconfig={tmp_path}/none",
            stderr=asyncio.subprocess.PIPE, env={**os.environ},
        )  # fmt: skip
        _, errors = await process.communicate()
        assert process.returncode == 2
        lines = errors.decode().splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("spiderpool-controller: ")
        assert f"{tmp_path}/none" in lines[0]

    run(scene)


def test_the_webhook_is_registered_with_its_authority(kubeconfig: Path) -> None:
    async def scene() -> None:
        async with controller(kubeconfig, "--webhook-listen=127.0.0.1:0") as world:
            for resource in (MUTATINGWEBHOOK, VALIDATINGWEBHOOK):
                config = await world.until(resource, "spiderpool-controller", lambda o: True)
                client_config = config["webhooks"][0]["clientConfig"]
                assert client_config["url"].startswith("https://127.0.0.1:")
                assert client_config["caBundle"]
                await world.client.delete(resource, "spiderpool-controller")

    run(scene)
