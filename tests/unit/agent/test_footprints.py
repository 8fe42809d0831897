"""Footprints outlive the agent, and damaged ones count as missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from spiderpool.agent.footprints import Footprints
from spiderpool.coordinator.footprint import Footprint
from spiderpool.types.address import Address
from spiderpool.types.names import ContainerID, IfName, TableID

KNOWN = Footprint(
    container=ContainerID("c0ffee"),
    nic=IfName("net1"),
    network="macvlan-ens192",
    netns=7,
    node_link=IfName("cali1"),
    node_link_index=7,
    table=TableID(500),
    addresses=(Address("10.6.212.145"), Address("fd00::1")),
    mac="02:00:00:00:00:01",
    tx_queue_len=1000,
    pod_sysctls={"ipv4/conf/all/rp_filter": "1"},
)


def test_another_agent_reads_what_one_wrote(tmp_path: Path) -> None:
    Footprints(tmp_path / "new").save(KNOWN)
    again = Footprints(tmp_path / "new")
    assert again.load(KNOWN.container, KNOWN.nic) == KNOWN
    assert list(again) == [KNOWN]


def test_each_nic_of_each_container_has_its_own(tmp_path: Path) -> None:
    prints = Footprints(tmp_path)
    prints.save(KNOWN)
    prints.save(replace(KNOWN, nic=IfName("net2")))
    prints.forget(KNOWN.container, KNOWN.nic)
    assert prints.load(KNOWN.container, KNOWN.nic) is None
    assert [known.nic for known in prints] == ["net2"]
    prints.forget(KNOWN.container, KNOWN.nic)


@pytest.mark.parametrize("name", ["..", "a/b", "-", "\N{GREEK SMALL LETTER PI}", "x" * 15])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    prints = Footprints(tmp_path / "inside")
    prints.save(replace(KNOWN, container=ContainerID(name), nic=IfName(name)))
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert prints.load(ContainerID(name), IfName(name)) is not None


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"nic":1}', b"\xff"])
def test_damaged_ones_count_as_missing(tmp_path: Path, content: bytes) -> None:
    prints = Footprints(tmp_path)
    prints.save(KNOWN)
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    assert prints.load(KNOWN.container, KNOWN.nic) is None
    assert list(prints) == []


def test_a_repeated_add_remembers_what_the_first_one_found() -> None:
    later = replace(
        KNOWN, mac=None, tx_queue_len=None, pod_sysctls={}, addresses=(Address("10.6.212.150"),)
    )
    merged = later.over(KNOWN)
    assert (merged.mac, merged.tx_queue_len) == (KNOWN.mac, KNOWN.tx_queue_len)
    assert merged.pod_sysctls == KNOWN.pod_sysctls
    assert set(merged.addresses) == {*KNOWN.addresses, *later.addresses}
