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
from spiderpool.kube.resources import VALIDATINGWEBHOOK

SOON = timedelta(days=30)
"""The controller renews long before; what is this near its end, it does not renew."""
LOOK = "the controller renews and registers it every 30 s: see its log"


def judge(facts: Facts) -> Section:
    """One row a webhook of the validating configuration."""
    if VALIDATINGWEBHOOK in facts.unread:
        return Section("webhook", [], [])
    found = [w for c in facts.of(VALIDATINGWEBHOOK) for w in c.get("webhooks") or ()]
    now = datetime.fromtimestamp(facts.now, UTC)
    if not found:
        text = "is not registered, so wrong objects are not refused when they are written"
        return Section("webhook", [], [problem(f"webhook {WEBHOOK_NAME}", text, LOOK)])
    rows: Rows = []
    findings: list[Finding] = []
    for webhook in found:
        where = f"webhook {webhook['name']}"
        trusted = _authorities(webhook)
        rows.append(
            {
                "WEBHOOK": webhook["name"],
                "AT": _place(webhook["clientConfig"]),
                "TRUSTS-UNTIL": _date(trusted),
                "CERTIFICATE-UNTIL": _date(_loaded(facts.certificate)),
                "REACHED": facts.reached.answer is Answer.REFUSED,
            }
        )
        findings += _of_certificates(where, trusted, _loaded(facts.certificate), now)
        findings += _of_reach(where, facts)
    return Section("webhook", rows, findings)


def _of_reach(where: str, facts: Facts) -> Iterator[Finding]:
    detail = facts.reached.detail
    if facts.reached.answer is Answer.TAKEN:
        text = "the API server does not reach it, and takes what it would refuse"
        why = f": {detail}" if detail else ""
        remedy = "see that the controller runs, and that the API server may connect to its port"
        yield problem(where, text + why, remedy)
    elif facts.reached.answer is Answer.UNCLEAR:
        remedy = "run this as somebody who may create SpiderIPPools; nothing is stored"
        yield warning(where, f"it cannot be tried whether it is reached: {detail}", remedy)


def _of_certificates(
    where: str, trusted: list[x509.Certificate], shown: list[x509.Certificate], now: datetime
) -> Iterator[Finding]:
    if not trusted:
        yield problem(where, "its caBundle holds no certificate", LOOK)
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
