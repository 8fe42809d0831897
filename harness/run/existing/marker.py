"""A Service of our own, by which a service proxy shows that it has done what came before it.

A proxy learns of Services and of EndpointSlices in the order in which they were written, and
puts all it has learned into effect at once. So when the node leads connections for a Service
written just now to its endpoint, it does so for every Service written before.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from harness.probes.clients import ask
from harness.probes.identity import new_identity
from harness.probes.servers import ECHO_PORTS, Transport
from harness.probes.sockets import Origin
from harness.scenario.expectations import Outcome, Protocol
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import ENDPOINTSLICE, SERVICE
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import Address, family_of

NAMESPACE = "default"
_PORT = next(port.number for port in ECHO_PORTS if port.transport is Transport.TCP)
_PATIENCE_SECONDS = 1.0
_ASK_SECONDS = 0.05


async def proxies_have_followed(
    client: Client, nodes: Mapping[str, Namespace], answers_at: Address
) -> None:
    """Return once every node does; ``answers_at`` is an address with an echo server."""
    async with _marker(client, answers_at) as address:
        for namespace in nodes.values():
            await _until_led(namespace, address)


async def _until_led(namespace: Namespace, address: Address) -> None:
    origin, target = Origin(namespace), (address, _PORT)
    while True:
        answer = await ask(Protocol.TCP, origin, target, new_identity(), _PATIENCE_SECONDS)
        if answer.outcome is Outcome.REPLIED:
            return
        await asyncio.sleep(_ASK_SECONDS)


@asynccontextmanager
async def _marker(client: Client, answers_at: Address) -> AsyncIterator[Address]:
    """Its address, while it is there."""
    service, endpoints = _objects(f"harness-marker-{secrets.token_hex(4)}", answers_at)
    name = service["metadata"]["name"]
    made = await client.create(SERVICE, service)
    try:
        await client.create(ENDPOINTSLICE, endpoints)
        try:
            yield Address(made["spec"]["clusterIP"])
        finally:
            await client.delete(ENDPOINTSLICE, name, NAMESPACE)
    finally:
        await client.delete(SERVICE, name, NAMESPACE)


def _objects(name: str, answers_at: Address) -> tuple[Object, Object]:
    """A Service without a selector, and what it leads to."""
    metadata = {"name": name, "namespace": NAMESPACE}
    port = {"port": _PORT, "protocol": "TCP"}
    family = f"IPv{family_of(answers_at).number}"
    service = {"metadata": metadata, "spec": {"ports": [port], "ipFamilies": [family]}}
    endpoint = {"addresses": [answers_at], "conditions": {"ready": True}}
    return service, {
        "metadata": metadata | {"labels": {"kubernetes.io/service-name": name}},
        "addressType": family,
        "endpoints": [endpoint],
        "ports": [port],
    }
