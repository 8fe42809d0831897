"""The networks of a virtual function's NIC, out of sysfs and a real namespace."""

from __future__ import annotations

from pathlib import Path

import pytest

from spiderpool.agent.ipam_master import master_of
from spiderpool.errors import BadInput
from spiderpool.netlink.apply import apply
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.operations import AddAddress
from spiderpool.testing.builders import address, pair, up
from spiderpool.testing.namespaces import new_namespace
from spiderpool.testing.netlink import FakeKernel
from spiderpool.types.address import Prefix

pytestmark = pytest.mark.kernel

VF = "0000:05:10.1"


def test_all_networks_of_the_physical_function(tmp_path: Path) -> None:
    (tmp_path / VF / "physfn" / "net" / "pf0").mkdir(parents=True)
    with new_namespace() as node:
        apply(node, [pair("pf0", "other", 10), up("other")])
        for nic, text in (("pf0", "10.6.0.9/16"), ("pf0", "fd00::9/64"), ("other", "10.7.0.9/16")):
            apply(node, [AddAddress(address(nic, text))])
        with Kernel(node) as kernel:
            found = master_of({"name": "n", "deviceID": VF}, kernel, tmp_path)
    networks = {Prefix("10.6.0.0/16"), Prefix("fd00::/64")}
    assert found.name == "pf0"
    assert networks <= found.networks
    assert Prefix("10.7.0.0/16") not in found.networks


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (None, "is no PCI address"),
        ("../../net", "is no PCI address"),
        ("0000:05:10.2", "is no virtual function of a network device"),
    ],
)
def test_what_is_no_virtual_function(tmp_path: Path, device: object, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        master_of({"name": "n", "deviceID": device}, FakeKernel(), tmp_path)
