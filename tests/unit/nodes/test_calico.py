"""Addresses of a node's block, and what of the pod network is masqueraded."""

from __future__ import annotations

import pytest

from harness.nodes.calico import Block, BlockExhausted, nat_outgoing
from harness.topology.calico import host_link
from spiderpool.types.address import Family, Prefix


def test_addresses_come_lowest_first_without_the_node_s_own() -> None:
    block = Block(Prefix("10.233.73.192/26"))
    assert [block.take() for _ in range(2)] == ["10.233.73.193", "10.233.73.194"]


def test_a_released_address_comes_back_last() -> None:
    block = Block(Prefix("10.0.0.0/30"))
    first = block.take()
    block.release(first)
    assert [block.take() for _ in range(3)] == ["10.0.0.2", "10.0.0.3", "10.0.0.1"]


def test_an_empty_block_is_named() -> None:
    block = Block(Prefix("10.0.0.0/31"))
    block.take()
    with pytest.raises(BlockExhausted, match=r"10\.0\.0\.0/31"):
        block.take()


def test_blocks_of_ipv6() -> None:
    block = Block(Prefix("fd85::100/122"))
    assert (block.family, block.take()) == (Family.V6, "fd85::101")


def test_only_ipv4_is_masqueraded() -> None:
    script = nat_outgoing((Prefix("10.233.64.0/18"), Prefix("fd85::/64")))
    assert "ip saddr { 10.233.64.0/18 } ip daddr != { 10.233.64.0/18 } masquerade" in script
    assert nat_outgoing((Prefix("fd85::/64"),)) == ""


def test_names_of_wires_are_stable_and_fit() -> None:
    assert host_link("default", "nginx") == host_link("default", "nginx")
    assert host_link("default", "nginx") != host_link("other", "nginx")
    assert len(host_link("a" * 63, "b" * 253)) == 15
