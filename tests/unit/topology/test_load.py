"""Topology files: the page's is what it says, and mistakes name their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.topology.load import load
from harness.topology.model import Topology
from spiderpool.errors import BadInput
from spiderpool.types.address import Family

PAGE = Path(__file__).parents[3] / "scenarios/_topologies/page.yaml"

DUAL = """\
segments: [lan]
podCIDRs: [10.233.64.0/18, 'fd85:ee78:d8a6:8607::/64']
serviceCIDRs: [10.233.0.0/18, 'fd85:ee78:d8a6:8607::1:0/112']
nodes:
  one:
    nics:
      ens192: {segment: lan, addresses: [10.6.0.2/16, 'fd00:10:6::2/64'], mtu: 9000}
    gateways: [10.6.0.1, 'fd00:10:6::1']
    routes: {10.9.0.0/16: 10.6.0.9, 'fd00:10:9::/64': 'fd00:10:6::9'}
    podBlocks: [10.233.64.0/26, 'fd85:ee78:d8a6:8607::100/122']
"""


def loaded(text: str, tmp_path: Path) -> Topology:
    file = tmp_path / "topology.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def test_the_page_s_cluster() -> None:
    topology = load(PAGE)
    assert topology.namespaces == (
        "underlay", "controller", "worker01", "router", "outside", "client",
    )  # fmt: skip
    assert [node.address(Family.V4) for node in topology.nodes] == ["10.6.212.131", "10.6.212.132"]
    assert topology.nodes[1].blocks == ("10.233.73.192/26",)
    assert topology.nodes[1].forwards
    assert [host.forwards for host in topology.hosts] == [True, False, False]
    assert topology.pod_mtu == 1430


def test_both_families(tmp_path: Path) -> None:
    text = DUAL.replace("fd85:ee78:d8a6:8607::1:0/112", "fd99::/112")
    (node,) = loaded(text, tmp_path).nodes
    assert node.address(Family.V6) == "fd00:10:6::2"
    assert node.nics[0].mtu == 9000
    assert [way.destination for way in node.ways] == ["10.9.0.0/16", "fd00:10:9::/64"]


def test_how_strict_links_are_born(tmp_path: Path) -> None:
    text = DUAL.replace("fd85:ee78:d8a6:8607::1:0/112", "fd99::/112")
    assert loaded(text, tmp_path).rp_filter == 0
    assert loaded("rpFilter: 1\n" + text, tmp_path).rp_filter == 1


TRUNK = """\
segments: [trunk]
podCIDRs: [10.233.64.0/18]
serviceCIDRs: [10.233.0.0/18]
nodes: {}
hosts:
  router:
    nics:
      eth0: {segment: trunk, mtu: 9000}
      eth0.7: {vlan: 7, on: eth0, addresses: [10.7.0.1/16]}
"""


def test_a_vlan_upon_a_nic(tmp_path: Path) -> None:
    (router,) = loaded(TRUNK, tmp_path).hosts
    wired, vlan = router.nics
    assert (vlan.segment, vlan.mtu, vlan.vlan, vlan.parent) == ("trunk", 9000, 7, "eth0")
    assert router.wired == (wired,)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("vlan: 7", "vlan: 4095", ":9: 4095 is no VLAN; use 1 to 4094"),
        ("on: eth0", "on: eth0.7", ":9: on is 'eth0.7'; use eth0"),
        ("on: eth0,", "", ":9: "),
        ("on: eth0", "on: eth0, segment: trunk", ":9: 'segment' is not known in eth0.7"),
    ],
)
def test_vlans_that_cannot_be(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        loaded(TRUNK.replace(old, new), tmp_path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("segments: [lan]", "segments: [lan, lo]", ":1: 'lo' cannot name a segment"),
        ("segment: lan,", "segment: wan,", ":7: segment is 'wan'; use lan"),
        ("/16, 'fd00", "/33, 'fd00", ":7: '10.6.0.2/33' has no valid prefix length"),
        ("mtu: 9000", "mtu: 68", ":7: 68 is no usable MTU"),
        ("mtu: 9000", "mut: 9000", ":7: 'mut' is not known in ens192"),
        ("ens192:", "a-name-with-17-ch:", ":7: 'a-name-with-17-ch' cannot name a NIC"),
        ("[10.6.0.1,", "[10.7.0.1,", ":8: 10.7.0.1 is in no network of one"),
        ("[10.6.0.1,", "[10.6.0.1, 10.6.0.9,", ":8: two gateways of one family"),
        (": 10.6.0.9", ": 10.7.0.9", ":9: 10.7.0.9 is in no network of one"),
        (": 10.6.0.9", ": 'fd00:10:6::9'", ":9: fd00:10:6::9 is of another family"),
        ("10.9.0.0/16:", "10.9.0.1/16:", ":9: '10.9.0.1/16' has host bits set"),
        ("segments", "rpFilter: 3\nsegments", ":1: 3 is no mode of rp_filter"),
        ("10.233.64.0/26", "10.234.64.0/26", ":10: 10.234.64.0/26 is in no podCIDR"),
        ("10.233.64.0/26", "10.233.64.7/26", ":10: '10.233.64.7/26' has host bits set"),
        ("  one:", "  One:", ":5: 'One' cannot name a machine"),
        ("  one:", "  underlay:", ": name 'underlay' is used twice"),
        ("podBlocks: [10", "podBlocks: [10.233.64.0/27, 10", "/27 and 10.233.64.0/26 overlap"),
        ("", "hosts: {two: {nics: {}}}\n", ":1: two has no NIC"),
        (
            "",
            "hosts: {two: {nics: {eth0: {segment: lan, addresses: [10.6.0.2/16]}}}}\n",
            "address '10.6.0.2' is used twice",
        ),
        ("nodes:", "serviceCIDRs: [10.9.0.0/16]\nnodes:", ":4: 'serviceCIDRs' is given twice"),
        ("\nserviceCIDRs: [10.233.0.0/18", "\nserviceCIDRs: [10.233.64.0/24", "overlap"),
    ],
)  # fmt: skip
def test_mistakes_name_their_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    sound = DUAL.replace("fd85:ee78:d8a6:8607::1:0/112", "fd99::/112")
    loaded(sound, tmp_path)
    broken = sound.replace(old, new, 1)
    assert broken != sound
    with pytest.raises(BadInput) as caught:
        loaded(broken, tmp_path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "topology.yaml"))
