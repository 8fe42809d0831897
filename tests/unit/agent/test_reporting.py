"""Events for pods whose NIC was refused."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from spiderpool.agent.reporting import reported
from spiderpool.agent.server import Plugin
from spiderpool.cni.request import CniRequest, parse_request
from spiderpool.errors import BadInput, CniCode, CniError, SpiderpoolError
from spiderpool.kube.events import EventRecorder
from spiderpool.kube.informer import Informers
from spiderpool.kube.resources import EVENT, POD
from spiderpool.netlink.namespace import Namespace
from spiderpool.testing.kube import FakeClient

CONFLICT = CniError(CniCode.ADDRESS_CONFLICT, "10.6.0.1 is in use by 02:00:00:00:00:01")
GATEWAY = CniError(CniCode.GATEWAY_UNREACHABLE, "no answer on net1 from gateway 10.6.0.1")
BUSY = CniError(CniCode.TRY_AGAIN_LATER, "not now")


class Refusing:
    def __init__(self, error: SpiderpoolError) -> None:
        self.error = error

    async def handle(self, request: CniRequest, own: object, pod: object) -> dict[str, Any]:
        raise self.error


def asked(command: str, uid: str) -> CniRequest:
    env = {
        "CNI_COMMAND": command,
        "CNI_CONTAINERID": "c1",
        "CNI_NETNS": "/n",
        "CNI_IFNAME": "net1",
        "CNI_ARGS": f"K8S_POD_NAMESPACE=web;K8S_POD_NAME=nginx;K8S_POD_UID={uid}",
    }
    return parse_request(env, json.dumps({"cniVersion": "1.0.0", "name": "n"}).encode())


def events_of(error: SpiderpoolError, command: str = "ADD", uid: str = "") -> list[dict[str, Any]]:
    """What is told of a pod that is in the cache, with what it is told about."""

    async def scene() -> list[dict[str, Any]]:
        api = FakeClient([(POD, {"metadata": {"namespace": "web", "name": "nginx"}})])
        known = (await api.get(POD, "nginx", "web"))["metadata"]["uid"]
        informers = Informers(api)
        pods = informers.of(POD)
        await informers.synced()
        recorder = EventRecorder(api, "spiderpool-agent")
        plugin = reported(Plugin(cast(Any, Refusing(error)), frozenset()), recorder, pods)
        nowhere = cast(Namespace, None)
        with pytest.raises(SpiderpoolError):
            await plugin.handler.handle(asked(command, uid), nowhere, nowhere)
        await recorder.flush()
        await informers.close()
        found: list[dict[str, Any]] = (await api.list(EVENT))["items"]
        assert all(event["involvedObject"]["uid"] == (uid or known) for event in found)
        return found

    return asyncio.run(scene())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CONFLICT, "AddressConflict"),
        (GATEWAY, "GatewayUnreachable"),
        (BadInput("Pod web/nginx", "is wrong"), "BadInput"),
    ],
)
@pytest.mark.parametrize("uid", ["", "u1"])
def test_a_refusal_is_told_to_the_pod(error: SpiderpoolError, reason: str, uid: str) -> None:
    (event,) = events_of(error, uid=uid)
    assert (event["type"], event["reason"]) == ("Warning", reason)
    assert event["message"] == f"net1: {error}"


@pytest.mark.parametrize(("error", "command"), [(BUSY, "ADD"), (CONFLICT, "DEL")])
def test_what_is_tried_again_or_ends_is_not_told(error: SpiderpoolError, command: str) -> None:
    assert events_of(error, command) == []
