"""The webhook: registered, with a certificate that holds, and reached by the API server."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from spiderpool.ctl.finding import Finding, problem, warning
from spiderpool.ctl.installation.facts import WEBHOOK_NAME, Facts
from spiderpool.ctl.installation.probe import Answer
from spiderpool.ctl.installation.section import Rows, Section
from spiderpool.kube.resources import MUTATINGWEBHOOK, VALIDATINGWEBHOOK

SOON = timedelta(days=30)
"""The controller renews long before; what is this near its end, it does not renew."""
KINDS = (MUTATINGWEBHOOK, VALIDATINGWEBHOOK)
REACHED = {Answer.REFUSED: True, Answer.TAKEN: False}
LOOK = "the controller renews and registers it every 30 s: see its log"


def judge(facts: Facts) -> Section:
    """One row a webhook of both configurations."""
    now = datetime.fromtimestamp(facts.now, UTC)
    rows: Rows = []
    findings = list(_unregistered(facts))
    found = [w for kind in KINDS for c in facts.of(kind) for w in c.get("webhooks") or ()]
    for webhook in found:
        where = f"webhook {webhook['name']}"
        trusted = _authorities(webhook)
        rows.append(
            {
                "WEBHOOK": webhook["name"],
                "AT": _place(webhook["clientConfig"]),
                "TRUSTS-UNTIL": _date(trusted),
                "CERTIFICATE-UNTIL": _date(_loaded(facts.certificate)),
                "REACHED": REACHED.get(facts.reached.answer),
            }
        )
        findings += _of_certificates(where, trusted, _loaded(facts.certificate), now)
    if facts.of(VALIDATINGWEBHOOK):
        findings += _of_reach(found, facts)
    return Section("webhook", rows, list(dict.fromkeys(findings)))


def _unregistered(facts: Facts) -> Iterator[Finding]:
    for kind in KINDS:
        if not facts.of(kind) and kind not in facts.unread:
            text = "does not exist, so objects are not checked or completed when they are written"
            yield problem(f"{kind.kind} {WEBHOOK_NAME}", text, LOOK)


def _of_reach(webhooks: list[dict[str, Any]], facts: Facts) -> Iterator[Finding]:
    where, detail = f"webhook {WEBHOOK_NAME}", facts.reached.detail
    if facts.reached.answer is Answer.TAKEN:
        text = "the API server does not reach it, and takes what it would refuse"
        why = f": {detail}" if detail else ""
        remedy = "see that the controller runs, and that the API server may connect to its port"
        yield problem(where, text + why, remedy)
        for webhook in webhooks:
            if webhook.get("failurePolicy") == "Fail":
                text = "its failurePolicy is Fail, so what it is asked about cannot be written"
                yield problem(f"webhook {webhook['name']}", text, remedy)
    elif facts.reached.answer is Answer.UNCLEAR:
        remedy = "run this as somebody who may create SpiderIPPools; nothing is stored"
        yield warning(where, f"it cannot be tried whether it is reached: {detail}", remedy)


def _of_certificates(
    where: str, trusted: list[x509.Certificate], shown: list[x509.Certificate], now: datetime
) -> Iterator[Finding]:
    if not trusted:
        yield problem(where, "its caBundle holds no certificate", LOOK)
    where = f"webhook {WEBHOOK_NAME}"
    for word, certificates in (("authority", trusted), ("certificate", shown)):
        if not certificates:
            continue
        end = max(one.not_valid_after_utc for one in certificates)
        if end <= now:
            yield problem(where, f"its {word} ended on {end:%Y-%m-%d}", LOOK)
        elif end - now < SOON:
            yield warning(where, f"its {word} ends on {end:%Y-%m-%d}", LOOK)
    if trusted and shown and not any(_verifies(one, shown[0]) for one in trusted):
        yield problem(where, "its certificate is not by the authority that is registered", LOOK)


def _verifies(authority: x509.Certificate, server: x509.Certificate) -> bool:
    try:
        server.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _authorities(webhook: dict[str, Any]) -> list[x509.Certificate]:
    try:
        return _loaded(base64.b64decode(webhook["clientConfig"].get("caBundle", ""), validate=True))
    except binascii.Error:
        return []


def _loaded(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem) if pem else []
    except ValueError:
        return []


def _date(certificates: list[x509.Certificate]) -> str | None:
    if not certificates:
        return None
    return f"{max(one.not_valid_after_utc for one in certificates):%Y-%m-%d}"


def _place(config: dict[str, Any]) -> str:
    service = config.get("service")
    if not service:
        return str(config.get("url", ""))
    return f"{service['namespace']}/{service['name']}:{service.get('port') or 443}"
