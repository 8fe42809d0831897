"""Whether the API server reaches the webhook: by a write that only the webhook refuses."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from spiderpool.errors import KubeError, Unreachable
from spiderpool.kube.api import Client, Object
from spiderpool.kube.paths import proxy_path
from spiderpool.kube.resources import SPIDERIPPOOL

HEALTH = "/webhook-health-check"
REFUSED_BY_WEBHOOK = "admission webhook"
"""How the API server begins what a webhook refuses (``pkg/admission/plugin/webhook/errors``)."""
SELECTS_BY_NOTHING = {"matchExpressions": [{"key": "a", "operator": "In", "values": []}]}
WRONG: Object = {
    "apiVersion": SPIDERIPPOOL.api_version,
    "kind": SPIDERIPPOOL.kind,
    "metadata": {"generateName": "spiderpoolctl-status-"},
    "spec": {"subnet": "192.0.2.0/24", "ips": ["192.0.2.1"], "nodeAffinity": SELECTS_BY_NOTHING},
}
"""The definition's schema takes it, the webhook's rules do not: ``In`` needs values."""


class Answer(enum.Enum):
    """What became of :data:`WRONG`."""

    REFUSED = "the webhook refused it"
    TAKEN = "nobody refused it"
    UNCLEAR = "something else refused it"


@dataclass(frozen=True, slots=True)
class Reached:
    """``detail`` says why the webhook was not asked, as far as that can be found out."""

    answer: Answer
    detail: str = ""


async def ask_webhook(client: Client, webhook: Object | None) -> Reached:
    """Try the write, dry. ``webhook`` is the first one of the validating configuration.

    Raises:
        Unreachable: the API server does not answer at all.
    """
    try:
        await client.create(SPIDERIPPOOL, WRONG, dry_run=True)
    except Unreachable:
        raise
    except KubeError as refusal:
        if str(refusal).startswith(REFUSED_BY_WEBHOOK):
            return Reached(Answer.REFUSED)
        return Reached(Answer.UNCLEAR, str(refusal))
    return Reached(Answer.TAKEN, await _why(client, webhook))


async def _why(client: Client, webhook: Object | None) -> str:
    """The API server's own words when it is sent to the webhook's Service."""
    service = ((webhook or {}).get("clientConfig") or {}).get("service")
    if not service:
        return ""
    name = f"https:{service['name']}:{service.get('port') or 443}"
    try:
        await client.page(proxy_path("services", service["namespace"], name, HEALTH))
    except KubeError as problem:
        return str(problem)
    return "its health page answers, so the certificate is not trusted or the path is wrong"
