"""From a probe as a scenario words it to one that can be sent."""

from __future__ import annotations

from harness.expect.names import Names
from harness.scenario.expectations import Probe
from harness.scenario.reference import Reference
from harness.trace.observe import Sending
from spiderpool.types.address import Address, Family
from spiderpool.types.names import IfName


def resolve(probe: Probe, names: Names) -> Sending:
    """Raises UnknownName when a name of the probe stands for nothing."""
    family = _family(probe)
    sender = probe.sender
    return Sending(
        probe.protocol,
        names.place(sender.place),
        _target(probe.target, family, names),
        probe.port or 0,
        names.address(sender, family) if sender.nic is not None else None,
        IfName(probe.device) if probe.device else None,
    )


def _family(probe: Probe) -> Family:
    asks_v6 = isinstance(probe.target, Reference) and probe.target.property == "v6"
    return Family.V6 if probe.family == 6 or asks_v6 else Family.V4


def _target(target: Reference | str, family: Family, names: Names) -> Address:
    if isinstance(target, str):
        return Address(target)
    return names.address(target, family)
