"""Tables and priorities are a function of a NIC's name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiderpool.coordinator.nics import ensure_distinct, priority_of, slot_of, table_of
from spiderpool.errors import BadInput
from spiderpool.types.names import IfName


@pytest.mark.parametrize(
    ("nic", "table", "priority"),
    [
        ("eth0", 99, 32761),
        ("net1", 100, 32760),
        ("net2", 101, 32759),
        ("net152", 251, 32609),
        ("veth0", 98, 32762),
    ],
)
def test_the_numbers_of_multus_names(nic: str, table: int, priority: int) -> None:
    assert (table_of(IfName(nic)), priority_of(IfName(nic))) == (table, priority)


@pytest.mark.parametrize("nic", ["net0", "net01", "net153", "net", "net1a", "eth1", "storage0"])
def test_other_names_hash_beyond_all_others(nic: str) -> None:
    assert slot_of(IfName(nic)) is None
    assert table_of(IfName(nic)) >= 1 << 30
    assert priority_of(IfName(nic)) == 32600


def test_the_first_nic_may_have_another_name() -> None:
    assert table_of(IfName("wan0"), first=IfName("wan0")) == 99
    assert table_of(IfName("eth0"), first=IfName("wan0")) >= 1 << 30


@given(st.text(min_size=1, max_size=15))
def test_no_name_gets_a_table_of_the_kernel(name: str) -> None:
    assert table_of(IfName(name)) not in (0, 253, 254, 255)
    assert 0 < table_of(IfName(name)) < 1 << 32


def test_names_that_meet_in_one_table_are_refused() -> None:
    first, second = IfName("plumless"), IfName("buckeroo")  # a well-known pair of CRC-32
    assert table_of(first) == table_of(second)
    with pytest.raises(BadInput, match="the same routing table as plumless"):
        ensure_distinct([first, second])
