"""Recorded refusals: by the rules of the definitions alone, and with the webhook."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

from controller_process import controller, created, run
from golden_files import golden

from harness.golden import invalid
from harness.golden.compare import Verdict
from spiderpool.errors import AlreadyExists, KubeError
from spiderpool.ipam.blocks import Change, key_of, new_object
from spiderpool.kube import resources
from spiderpool.kube.api import Client, Object
from spiderpool.kube.client import connect
from spiderpool.types.address import Address
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import IfName, PodUID, PoolName

DIRECTORY = golden("invalid")
KINDS = {
    kind.plural: kind
    for kind in (
        resources.SPIDERCOORDINATOR,
        resources.SPIDERIPPOOL,
        resources.SPIDERMULTUSCONFIG,
        resources.SPIDERRESERVEDIP,
        resources.SPIDERSUBNET,
    )
}
BEYOND_CEL = {
    "ippool-gw-inips",
    "ippool-ips-overlap",
    "ippool-upd-remove-inuse",
    "smc-anno-crname-bad",
    "smc-anno-crname-dup",
    "smc-ovs-rdma",
    "smc-rdma-nopools",
    "smc-upd-crname",
    "subnet-orphan-overlap",
}
"""What only the webhook can refuse: order of addresses, annotations, other objects."""

OTHER_CLUSTER = {case for case in invalid.cases(DIRECTORY) if case.startswith("v6off")}
"""Recorded with a family switched off."""


async def prepared(client: Client) -> None:
    """The cluster in which the cases were recorded."""
    for namespace in ("nad", "bench"):
        with contextlib.suppress(AlreadyExists):
            await client.create(resources.NAMESPACE, {"metadata": {"name": namespace}})
    for network in invalid.networks(DIRECTORY.parent / "nad"):
        await created(client, resources.SPIDERMULTUSCONFIG, network)
    await created(client, resources.SPIDERIPPOOL, invalid.BENCH)
    pod = {
        "metadata": {"name": "inuse", "namespace": "bench"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    await created(client, resources.POD, pod)
    owner = await client.get(resources.POD, "inuse", "bench")
    slot = Slot(
        generation=1,
        state=SlotState.HELD,
        pool=PoolName("bench"),
        pod="bench/inuse",
        pod_uid=PodUID(owner["metadata"]["uid"]),
        nic=IfName("net1"),
    )
    block = new_object(key_of("10.6.212.0"), [Change(Address("10.6.212.0"), Slot(), slot)])
    await created(client, resources.SPIDERIPBLOCK, block)


async def is_refused(client: Client, recorded: Object) -> bool:
    resource, obj = KINDS[recorded["resource"]], recorded["object"]
    namespace = obj["metadata"].get("namespace")
    try:
        if recorded["operation"] == "CREATE":
            await client.create(resource, obj)
            await client.delete(resource, obj["metadata"]["name"], namespace)
        else:
            patch: dict[str, Any] = {"spec": obj["spec"], "metadata": {}}
            patch["metadata"]["annotations"] = obj["metadata"].get("annotations") or {}
            name = recorded["operation"].rpartition(" ")[2]
            await client.patch(resource, name, patch, namespace)
    except KubeError as exc:
        assert exc.status in (409, 422), exc
        return True
    return False


async def verdicts(client: Client) -> dict[str, bool]:
    """Case -> whether it was refused.

    A case that ought to pass is tried for a while: the one before it may not be gone yet,
    for its finalizer, or in the webhook's cache.
    """
    found = {}
    for case, refused in wanted().items():
        recorded = json.loads((DIRECTORY / f"{case}.json").read_text())
        for _ in range(1 if refused else 100):
            found[case] = await is_refused(client, recorded)
            if found[case] is refused:
                break
            await asyncio.sleep(0.05)
    return found


def wanted() -> dict[str, bool]:
    """What upstream refuses, and what it should."""
    return {
        case: invalid.judge(DIRECTORY, case).verdict is Verdict.EXPLAINED
        or not json.loads((DIRECTORY / f"{case}.json").read_text())["accepted"]
        for case in set(invalid.cases(DIRECTORY)) - OTHER_CLUSTER
    }


def test_the_definitions_alone_refuse_most(kubeconfig: Path) -> None:
    async def scene() -> None:
        client = connect(str(kubeconfig))
        await prepared(client)
        found = await verdicts(client)
        await client.close()
        assert found == {case: no and case not in BEYOND_CEL for case, no in wanted().items()}

    run(scene)


def test_with_the_webhook_everything_is_refused_that_should_be(kubeconfig: Path) -> None:
    async def scene() -> None:
        async with controller(kubeconfig, "--webhook-listen=127.0.0.1:0") as world:
            await prepared(world.client)
            await world.until(resources.VALIDATINGWEBHOOK, "spiderpool-controller", lambda o: True)
            await _asked(world.client)
            found = await verdicts(world.client)
            await world.client.delete(resources.VALIDATINGWEBHOOK, "spiderpool-controller")
            await world.client.delete(resources.MUTATINGWEBHOOK, "spiderpool-controller")
            assert found == wanted()

    run(scene)


async def _asked(client: Client) -> None:
    """Return once the API server asks the webhook: it learns of it a moment later."""
    probe = json.loads((DIRECTORY / "ippool-gw-inips.json").read_text())
    for _ in range(300):
        if await is_refused(client, probe):
            return
    raise AssertionError("the API server never asked the webhook")
