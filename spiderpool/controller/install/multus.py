"""Multus leaves its nodes with the release: its account goes, and by a configuration that names
an account which is gone no pod starts.

Multus' own program takes the configuration off the node at its end, where its arguments say so.
They say so only now: at every other restart pods that start meanwhile would lack their NICs.
"""

from __future__ import annotations

import logging
from functools import partial

from spiderpool.controller.install.patience import NotYet, patiently
from spiderpool.errors import BadInput, NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import DAEMONSET

log = logging.getLogger(__name__)

KEEPS, REMOVES = "--cleanup-config-on-exit=false", "--cleanup-config-on-exit=true"
AT_ONCE = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 0}}
"""Pods start as before while Multus' pods are replaced: its configuration stays until the end."""


async def withdraw(client: Client, name: str, namespace: str, seconds: float) -> None:
    """Have every pod of the DaemonSet replaced by one that tidies up when it ends.

    A node that is away does not hold an uninstallation up: its name is in the log.

    Raises:
        KubeError: the API refuses.
    """
    try:
        found = await client.get(DAEMONSET, name, namespace)
    except NotFound:
        return
    if not found.get("status", {}).get("desiredNumberScheduled"):
        return
    await client.patch(DAEMONSET, name, {"spec": departing(found["spec"])}, namespace)
    try:
        look = partial(_look, client, name, namespace)
        await patiently(look, seconds, f"DaemonSet {namespace}/{name}")
    except BadInput as late:
        log.warning("%s; delete Multus' configuration on those nodes, or no pod starts", late)


def departing(spec: Object) -> Object:
    """What of the DaemonSet's ``spec`` changes, as a merge patch."""
    containers = [
        container | {"args": [REMOVES if one == KEEPS else one for one in container["args"]]}
        for container in spec["template"]["spec"]["containers"]
    ]
    return {"updateStrategy": AT_ONCE, "template": {"spec": {"containers": containers}}}


async def _look(client: Client, name: str, namespace: str) -> None:
    """NotYet as long as a node has a pod of before, or none."""
    obj = await client.get(DAEMONSET, name, namespace)
    status = obj["status"]
    if status.get("observedGeneration", 0) < obj["metadata"]["generation"]:
        raise NotYet("nobody has looked at it yet")
    wanted = status["desiredNumberScheduled"]
    there = min(status.get("updatedNumberScheduled", 0), status.get("numberReady", 0))
    if there < wanted:
        raise NotYet(f"{wanted - there} of {wanted} nodes have no new pod of it")
