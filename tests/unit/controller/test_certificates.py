"""The webhook's certificates and their renewal."""

import base64
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from warped_time import run_warped

from spiderpool.controller.webhook.certificates import (
    AUTHORITY_LIFE,
    SERVER_LIFE,
    Bundle,
    is_sound,
    renewed,
)
from spiderpool.controller.webhook.secret import NAME, bundle_of, shared_bundle
from spiderpool.kube.resources import SECRET
from spiderpool.testing.kube import FakeClient
from spiderpool.testing.kubefaults import Fault, FaultyClient

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("spiderpool-controller.kube-system.svc", "127.0.0.1", "::1")


def made(now: datetime = NOW, names: tuple[str, ...] = NAMES) -> Bundle:
    return renewed(None, names, now)


def authorities(bundle: Bundle) -> int:
    return len(x509.load_pem_x509_certificates(bundle.trusted))


def test_nothing_is_renewed_before_its_time() -> None:
    bundle = made()
    assert renewed(bundle, NAMES, NOW + SERVER_LIFE / 2) is bundle


def test_the_server_is_renewed_by_the_same_authority() -> None:
    bundle = made()
    later = renewed(bundle, NAMES, NOW + SERVER_LIFE * 0.7)
    assert later.server != bundle.server
    assert (later.authority, later.trusted) == (bundle.authority, bundle.trusted)


def test_the_old_authority_is_trusted_until_it_ends() -> None:
    bundle = made()
    later = renewed(bundle, NAMES, NOW + AUTHORITY_LIFE * 0.7)
    assert later.authority != bundle.authority
    assert authorities(later) == 2
    assert is_sound(later)
    much_later = renewed(later, NAMES, NOW + AUTHORITY_LIFE * 1.5)
    assert authorities(much_later) == 2
    assert bundle.authority.certificate not in much_later.trusted


def test_other_names_need_another_certificate() -> None:
    bundle = made()
    assert renewed(bundle, NAMES[::-1], NOW) is bundle
    assert renewed(bundle, ("other.svc",), NOW).server != bundle.server


def test_what_was_spoilt_is_not_sound() -> None:
    bundle, other = made(), made()
    assert is_sound(bundle)
    assert not is_sound(replace(bundle, server=other.server))
    assert not is_sound(replace(bundle, trusted=other.trusted))
    assert not is_sound(replace(bundle, server=replace(bundle.server, key=other.server.key)))
    assert not is_sound(replace(bundle, server=replace(bundle.server, key=b"x")))
    assert not is_sound(replace(bundle, trusted=b""))


def test_openssl_accepts_the_chain(tmp_path: Path) -> None:
    bundle = made(datetime.now(UTC))
    (tmp_path / "tls.pem").write_bytes(bundle.server.certificate + bundle.server.key)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "tls.pem")
    client = ssl.create_default_context(cadata=bundle.trusted.decode())
    assert client.cert_store_stats()["x509_ca"] == 1


def test_replicas_share_one_bundle() -> None:
    async def scene() -> None:
        api = FakeClient()
        first = await shared_bundle(api, "kube-system", NAMES)
        assert await shared_bundle(api, "kube-system", NAMES) == first
        secret = await api.get(SECRET, NAME, "kube-system")
        assert bundle_of(secret) == first

    run_warped(scene)


def test_the_replica_that_comes_second_takes_what_the_first_wrote() -> None:
    async def scene() -> None:
        api = FakeClient()
        faulty = FaultyClient(api)
        faulty.inject(Fault.CONFLICT)
        bundle = await shared_bundle(faulty, "kube-system", NAMES)
        assert await shared_bundle(api, "kube-system", NAMES) == bundle

    run_warped(scene)


@pytest.mark.parametrize("key", ["tls.crt", "tls.key", "authority.key", "ca.crt"])
@pytest.mark.parametrize("value", [base64.b64encode(b"nonsense").decode(), "%", None])
def test_a_secret_that_was_spoilt_is_made_again(key: str, value: str | None) -> None:
    async def scene() -> None:
        api = FakeClient()
        first = await shared_bundle(api, "kube-system", NAMES)
        await api.patch(SECRET, NAME, {"data": {key: value}}, "kube-system")
        second = await shared_bundle(api, "kube-system", NAMES)
        assert second != first
        assert is_sound(second)

    run_warped(scene)


def test_a_certificate_holds_at_once_on_a_clock_that_is_behind() -> None:
    certificate = x509.load_pem_x509_certificate(made().server.certificate)
    assert certificate.not_valid_before_utc <= NOW - timedelta(minutes=1)


def test_one_from_the_future_is_made_again() -> None:
    """By a clock that was years ahead for a while: until then nobody would take it."""
    ahead = made(NOW + timedelta(days=7000))
    now = renewed(ahead, NAMES, NOW)
    assert now.authority != ahead.authority
    assert is_sound(now)
    assert renewed(now, NAMES, NOW) is now


def test_clocks_of_replicas_may_differ() -> None:
    bundle = made(NOW)
    for apart in (timedelta(minutes=-50), timedelta(minutes=50)):
        assert renewed(bundle, NAMES, NOW + apart) is bundle
