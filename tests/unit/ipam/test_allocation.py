"""Which address is given, and what a release changes: the core without any API."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from spiderpool.ipam.allocation import (
    Again,
    Ask,
    Claim,
    Desk,
    Release,
    SetAside,
    Settled,
    Verdict,
    undoing,
)
from spiderpool.ipam.blocks import (
    SIZE,
    BlockKey,
    Change,
    by_block,
    key_of,
    new_object,
    timestamp,
)
from spiderpool.ipam.filters import Skipped
from spiderpool.ipam.invariants import LARGEST_BLOCK
from spiderpool.ipam.ledger import Ledger, Owner
from spiderpool.ipam.ranges import parse
from spiderpool.testing.patches import apply_operations
from spiderpool.types.address import Address, Family, family_of
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import ContainerID, IfName, NodeName, PodUID, PoolName

NOW = 1_800_000_000.0


class Book:
    """A pool and its blocks; every verdict's changes are written at once, by their patches."""

    def __init__(self, *ips: str, pool: str = "a") -> None:
        family = family_of(ips[0])
        self.ground, self.pool = parse(ips, family, "ips"), PoolName(pool)
        self.ledger, self.now = Ledger(), NOW
        self.objects: dict[BlockKey, Any] = {}

    def decide(self, *asks: Ask) -> list[Verdict]:
        return Desk(self.ledger, self.pool, self.ground, self.now).decide(asks)

    def ask(self, *asks: Ask) -> list[Verdict]:
        verdicts = self.decide(*asks)
        self.write(v for v in verdicts if isinstance(v, Change))
        return verdicts

    def write(self, changes: Any) -> None:
        for key, group in by_block(changes).items():
            before = self.objects.get(key)
            if before is None:
                after = new_object(key, group)
                after["metadata"]["uid"] = "b1"
            else:
                (patch,) = self.ledger.patches(group)
                after = apply_operations(orjson.loads(orjson.dumps(before)), patch.body)
            self.objects[key] = after
            self.ledger.apply(before, after)

    def claim(self, pod: str, nic: str = "net1", container: str = "c1") -> str:
        (verdict,) = self.ask(claim(pod, nic, container))
        assert isinstance(verdict, Change), verdict
        return verdict.address

    def state(self, address: str) -> str | None:
        slot = self.ledger.slot(Address(address))
        return slot.state if slot else None


def claim(pod: str, nic: str = "net1", container: str = "c1") -> Claim:
    return Claim(
        Slot(
            state=SlotState.HELD,
            pod=f"default/{pod}",
            pod_uid=PodUID(pod),
            nic=IfName(nic),
            container_id=ContainerID(container),
        )
    )


def owner(pod: str, nic: str = "net1") -> Owner:
    return Owner(PodUID(pod), IfName(nic))


def release(
    pod: str, address: str, nic: str = "net1", generation: int = 1, **kwargs: Any
) -> Release:
    return Release(Address(address), owner(pod, nic), generation, **kwargs)


def test_the_lowest_free_address_first_over_ranges_and_blocks() -> None:
    book = Book("10.6.0.30-10.6.0.33", "10.6.0.100", "10.6.1.0")
    found = [book.claim(f"p{n}") for n in range(6)]
    lowest = ["10.6.0.30", "10.6.0.31", "10.6.0.32", "10.6.0.33", "10.6.0.100", "10.6.1.0"]
    assert found == lowest
    (verdict,) = book.ask(claim("late"))
    assert verdict == Skipped(PoolName("a"), verdict.reason, "all IP addresses used out: 6/6")  # type: ignore[union-attr]


def test_asks_of_one_round_get_different_addresses_in_their_order() -> None:
    book = Book("10.6.0.30-10.6.0.40")
    verdicts = book.ask(*(claim(f"p{n}") for n in range(5)))
    assert [v.address for v in verdicts if isinstance(v, Change)] == [
        f"10.6.0.{n}" for n in range(30, 35)
    ]


def test_one_owner_twice_in_a_round_waits_for_the_first() -> None:
    book = Book("10.6.0.1-10.6.0.9")
    first, second = book.ask(claim("p"), claim("p", container="c2"))
    assert isinstance(first, Change)
    assert second == Again()
    assert book.claim("p", container="c2") == first.address


@pytest.mark.parametrize("container", ["c1", "c2"])
def test_who_asks_again_is_written_with_a_new_generation(container: str) -> None:
    """In a new sandbox or in the same: what was decided before must not undo the answer."""
    book = Book("10.6.0.1-10.6.0.9")
    address = book.claim("p")
    stale = book.decide(release("p", address))
    (again,) = book.ask(claim("p", container=container))
    assert isinstance(again, Change)
    assert (again.address, again.before.generation, again.slot.generation) == (address, 1, 2)
    assert again.slot.container_id == container
    with pytest.raises(Exception, match="cannot be done"):
        book.write(stale)
    assert book.ask(release("p", address)) == [Settled(Address(address))]


def test_what_nobody_was_told_of_is_as_it_was_before() -> None:
    book = Book("10.6.0.1-10.6.0.2")
    (fresh,) = book.ask(claim("p"))
    assert isinstance(fresh, Change)
    (back,) = book.ask(undoing(fresh, book.now))  # type: ignore[arg-type]
    assert isinstance(back, Change) and back.slot == Slot(generation=2)
    book.claim("p")
    (renewed,) = book.ask(claim("p", container="c2"))
    assert isinstance(renewed, Change) and undoing(renewed, book.now) is None
    book.ask(release("p", "10.6.0.1", generation=4))
    book.claim("q")
    book.now += 10
    (early,) = book.ask(claim("r"))
    assert isinstance(early, Change) and early.address == "10.6.0.1"
    (back,) = book.ask(undoing(early, book.now))  # type: ignore[arg-type]
    assert isinstance(back, Change)
    assert (back.slot.state, back.slot.until) == (SlotState.COOLING, timestamp(NOW + 30))


def test_two_nics_of_a_pod_never_share() -> None:
    book = Book("10.6.0.1-10.6.0.9")
    assert book.claim("p", "net1") != book.claim("p", "net2")


def test_a_released_address_cools_down_while_others_are_free() -> None:
    book = Book("10.6.0.1-10.6.0.3")
    book.claim("p")
    book.ask(release("p", "10.6.0.1"))
    assert book.state("10.6.0.1") == "cooling"
    assert book.claim("q") == "10.6.0.2"
    book.now += 30.5
    assert book.claim("r") == "10.6.0.1"


def test_without_another_the_longest_idle_one_is_given() -> None:
    book = Book("10.6.0.1-10.6.0.2")
    for pod in ("p", "q"):
        book.claim(pod)
    book.ask(release("q", "10.6.0.2"))
    book.now += 1
    book.ask(release("p", "10.6.0.1"))
    assert [book.claim("r"), book.claim("s")] == ["10.6.0.2", "10.6.0.1"]


def test_an_owner_that_comes_back_gets_his_address_again() -> None:
    book = Book("10.6.0.1-10.6.0.9")
    book.claim("p")
    book.ask(release("p", "10.6.0.1"))
    assert book.claim("q") == "10.6.0.2"
    assert book.claim("p", container="c9") == "10.6.0.1"


def test_an_address_that_was_never_told_of_is_free_at_once() -> None:
    book = Book("10.6.0.1-10.6.0.9")
    book.claim("p")
    book.ask(release("p", "10.6.0.1", cool_seconds=0))
    assert book.state("10.6.0.1") is None
    assert book.claim("q") == "10.6.0.1"
    assert book.ledger.slot(Address("10.6.0.1")).generation == 3  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "ask",
    [
        release("q", "10.6.0.1"),
        release("p", "10.6.0.1", nic="net2"),
        release("p", "10.6.0.1", generation=7),
        release("p", "10.6.0.2"),
        SetAside(Address("10.6.0.1"), owner("q"), 60),
    ],
    ids=["pod", "nic", "generation", "address", "set aside"],
)
def test_who_is_not_the_owner_changes_nothing(ask: Ask) -> None:
    book = Book("10.6.0.1-10.6.0.9")
    book.claim("p")
    (verdict,) = book.ask(ask)
    assert isinstance(verdict, Settled)
    assert book.state("10.6.0.1") == "held"


def test_a_release_and_a_claim_of_one_address_do_not_meet_in_a_round() -> None:
    book = Book("10.6.0.1-10.6.0.9")
    book.claim("p")
    first, second = book.ask(release("p", "10.6.0.1"), claim("p", container="c2"))
    assert isinstance(first, Change)
    assert second == Again()
    book.claim("p", container="c2")
    first, second = book.ask(claim("p", container="c3"), release("p", "10.6.0.1"))
    assert isinstance(first, Change)
    assert second == Again()


def test_an_address_set_aside_is_nobodys_until_its_time_even_when_the_pool_is_full() -> None:
    book = Book("10.6.0.1-10.6.0.2")
    book.claim("p")
    book.ask(SetAside(Address("10.6.0.1"), owner("p"), 60))
    assert book.claim("p") == "10.6.0.2"
    (verdict,) = book.ask(claim("q"))
    assert isinstance(verdict, Skipped)
    until = timestamp(NOW + 60)
    assert verdict.text == f"all IP addresses used out: 1/2 (1 set aside, the first until {until})"
    book.now += 61
    assert book.claim("q") == "10.6.0.1"


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_a_step_of_the_clock_by_an_hour_ends_a_rest_or_lengthens_it_by_no_more(step: float) -> None:
    book = Book("10.6.0.1-10.6.0.2")
    book.claim("p")
    book.ask(SetAside(Address("10.6.0.1"), owner("p"), 600))
    assert book.claim("p") == "10.6.0.2"
    book.now += step
    (verdict,) = book.ask(claim("q"))
    assert isinstance(verdict, Skipped) == (step < 0)
    assert book.state("10.6.0.2") == SlotState.HELD, "what somebody holds knows no time"
    book.now = NOW + 601
    assert book.claim("q") == "10.6.0.1"


def test_a_rest_that_a_wrong_clock_wrote_does_not_last_for_ever() -> None:
    book = Book("10.6.0.1-10.6.0.2")
    book.now = NOW + 10 * 365 * 86400
    book.claim("p")
    book.ask(SetAside(Address("10.6.0.1"), owner("p"), 600))
    assert book.claim("p") == "10.6.0.2"
    book.now = NOW
    assert book.claim("q") == "10.6.0.1"


def test_a_held_address_stays_when_the_pool_shrinks_and_is_not_given_again() -> None:
    book = Book("10.6.0.1-10.6.0.2")
    book.claim("p")
    book.ground = parse(["10.6.0.2"], Family.V4, "ips")
    assert book.claim("p", container="c2") == "10.6.0.1"
    book.ask(release("p", "10.6.0.1", generation=2))
    assert book.claim("p", container="c3") == "10.6.0.2"


def test_overlapping_pools_share_no_address() -> None:
    one = Book("10.6.0.1-10.6.0.2")
    two = Book("10.6.0.1-10.6.0.2", pool="b")
    two.ledger, two.objects = one.ledger, one.objects
    assert [one.claim("p"), two.claim("p")] == ["10.6.0.1", "10.6.0.2"]
    assert isinstance(one.ask(claim("q"))[0], Skipped)


def test_ipv6_pools_beyond_counting() -> None:
    book = Book("fd00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    assert [book.claim("p"), book.claim("q")] == ["fd00::", "fd00::1"]
    assert key_of("fd00::1f").name == "fd00-0000-0000-0000-0000-0000-0000-0000"


def test_a_slot_that_someone_deleted_is_not_given() -> None:
    book = Book("10.6.0.1-10.6.0.2")
    book.claim("p")
    (key, obj) = next(iter(book.objects.items()))
    broken = orjson.loads(orjson.dumps(obj))
    del broken["spec"]["slots"]["10.6.0.2"]
    book.objects[key] = broken
    book.ledger.apply(obj, broken)
    (verdict,) = book.ask(claim("q"))
    assert isinstance(verdict, Skipped)


def test_a_stale_patch_is_refused_by_its_own_test() -> None:
    book = Book("10.6.0.1-10.6.0.9")
    book.claim("x")
    (stale,) = book.decide(claim("p"))
    book.claim("q")
    with pytest.raises(Exception, match="cannot be done"):
        book.write([stale])


def test_the_largest_block_stays_below_64_kib() -> None:
    long = Slot(
        generation=2**40,
        state=SlotState.COOLING,
        until=timestamp(NOW),
        pool=PoolName("p" * 253),
        pod="n" * 63 + "/" + "p" * 253,
        pod_uid=PodUID("u" * 64),
        nic=IfName("i" * 15),
        network="n" * 253,
        container_id=ContainerID("c" * 128),
        node=NodeName("n" * 253),
        netns=2**62,
        owner="o" * 300,
    )
    key = key_of("fd12:3456:789a:bcde:f012:3456:789a:bce0")
    changes = [Change(key.address(offset), Slot(), long) for offset in range(SIZE)]
    assert len(orjson.dumps(new_object(key, changes))) < LARGEST_BLOCK - 4096
