"""What probes carry, as bytes."""

from __future__ import annotations

from harness.probes import icmp
from harness.probes.identity import (
    Identity,
    Witness,
    carries,
    identity_of,
    is_reply,
    new_identity,
    reply,
    request,
    witness_of,
)
from harness.scenario.expectations import Outcome
from spiderpool.types.address import Address, Family

SEEN = Witness(Address("10.6.212.145"), 40000, "kube-system/coredns 1")


def test_a_request_is_read_back() -> None:
    identity = new_identity()
    assert identity_of(request(identity)) == identity
    assert identity_of(request(identity)[:-1]) is None
    assert identity_of(b"GET / HTTP/1.1\r\n\r\n") is None


def test_a_reply_is_read_back_by_its_asker_only() -> None:
    identity = new_identity()
    data = reply(identity, SEEN)
    assert witness_of(identity, data) == SEEN
    assert witness_of(identity, data[:-1]) is None
    assert witness_of(new_identity(), data) is None
    assert witness_of(identity, request(identity)) is None


def test_packets_tell_their_direction() -> None:
    identity = new_identity()
    assert carries(identity, b"header" + request(identity))
    assert not carries(new_identity(), b"header" + request(identity))
    assert is_reply(identity, b"header" + reply(identity, SEEN))
    assert not is_reply(identity, b"header" + request(identity))


def test_an_echo_request_has_the_internet_checksum() -> None:
    data = icmp.echo_request(Family.V4, 0x1234, 1, request(Identity(b"a" * 16)) + b"!")
    assert icmp.checksum(data) == 0
    assert data[0] == 8


def test_errors_are_told_apart() -> None:
    assert icmp.failure(Family.V4, 3, 3) == (Outcome.REFUSED, "port unreachable")
    assert icmp.failure(Family.V4, 3, 1) == (Outcome.UNREACHABLE, "host unreachable")
    assert icmp.failure(Family.V4, 3, 13)[0] is Outcome.PROHIBITED
    assert icmp.failure(Family.V6, 1, 4)[0] is Outcome.REFUSED
    assert icmp.failure(Family.V6, 3, 0) == (Outcome.UNREACHABLE, "time to live exceeded")
    assert icmp.failure(Family.V4, 12, 1) == (Outcome.UNREACHABLE, "ICMP type 12, code 1")
