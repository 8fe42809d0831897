"""The networks of the NIC that a virtual function belongs to, for ``match_master_subnet``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spiderpool.errors import BadInput
from spiderpool.ipam.netconf import Master
from spiderpool.netlink.selection import Selection
from spiderpool.netlink.transport import Transport
from spiderpool.types.address import network_of
from spiderpool.types.names import IfName

PCI_DEVICES = Path("/sys/bus/pci/devices")

_PCI_ADDRESS = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]")


def master_of(config: Mapping[str, Any], node: Transport, devices: Path = PCI_DEVICES) -> Master:
    """The physical function of ``deviceID`` (which Multus writes into the configuration), and
    the networks of its addresses in the node's namespace.

    Raises:
        BadInput: there is no such device, or it is no virtual function.
    """
    where = f"network configuration {config.get('name', '')}: deviceID"
    device = config.get("deviceID")
    if not isinstance(device, str) or not _PCI_ADDRESS.fullmatch(device):
        raise BadInput(
            where,
            f"{device!r} is no PCI address, which match_master_subnet needs",
            "give the network its resourceName, so that Multus fills it in",
        )
    names = [path.name for path in (devices / device / "physfn" / "net").glob("*")]
    if not names:
        raise BadInput(where, f"{device} is no virtual function of a network device")
    links = tuple(IfName(name) for name in sorted(names))
    wanted = Selection(links=links, addresses_of=links, tables=(), neighbours_of=(), rules=False)
    addresses = (entry.address for entry in node.dump(wanted).addresses if entry.link in links)
    return Master(links[0], frozenset(map(network_of, addresses)))
