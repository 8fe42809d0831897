"""What an attachment changes that cannot be told from the states alone when it ends.

The agent keeps it beside its socket: a DEL must work without the pod's namespace and
without the API, and must not touch what belongs to the next owner of an address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from spiderpool.coordinator.facts import Facts
from spiderpool.coordinator.plan import Plan
from spiderpool.coordinator.scene import survey
from spiderpool.netlink.objects import NetState
from spiderpool.netlink.operations import ChangeLink, Operation, SetSysctl
from spiderpool.types.address import Address
from spiderpool.types.names import ContainerID, IfName, TableID


@dataclass(frozen=True, slots=True)
class Footprint:
    """One attachment: where its host routes are, and what its settings were before.

    ``netns`` is the cookie of the pod's namespace, which no later one has; 0 when it is not known.
    ``node_link_index`` tells the veth from a later one of the same name; 0 when the
    coordinator made it, for then its name is the container's alone.
    """

    container: ContainerID
    nic: IfName
    network: str
    node_link: IfName
    node_link_index: int
    table: TableID
    addresses: tuple[Address, ...]
    netns: int = 0
    mac: str | None = None
    tx_queue_len: int | None = None
    pod_sysctls: Mapping[str, str] = field(default_factory=dict)
    node_sysctls: Mapping[str, str] = field(default_factory=dict)

    def over(self, earlier: Footprint | None) -> Footprint:
        """The footprint of a repeated ADD: what was before is what the first one found."""
        if earlier is None:
            return self
        return replace(
            self,
            addresses=tuple(dict.fromkeys((*earlier.addresses, *self.addresses))),
            mac=earlier.mac if earlier.mac is not None else self.mac,
            tx_queue_len=(
                earlier.tx_queue_len if earlier.tx_queue_len is not None else self.tx_queue_len
            ),
            pod_sysctls={**self.pod_sysctls, **earlier.pod_sysctls},
            node_sysctls={**self.node_sysctls, **earlier.node_sysctls},
        )


def footprint(facts: Facts, plan: Plan, network: str, netns: int = 0) -> Footprint:
    """What ``plan`` is going to leave; the mode must not be DISABLED."""
    scene = survey(facts)
    link = facts.node.link(scene.passage.node_link)
    former = facts.pod.link(facts.nic)
    changes = [op for op in plan.pod if isinstance(op, ChangeLink) and op.name == facts.nic]
    assert former is not None
    return Footprint(
        container=facts.container,
        nic=facts.nic,
        network=network,
        netns=netns,
        node_link=scene.passage.node_link,
        node_link_index=link.index if link else 0,
        table=facts.config.host_rule_table,
        addresses=scene.addresses(facts.nic),
        mac=former.mac if any(op.mac for op in changes) else None,
        tx_queue_len=former.txqueuelen if any(op.txqueuelen for op in changes) else None,
        pod_sysctls=_former_sysctls(plan.pod, facts.pod),
        node_sysctls=_former_sysctls(plan.node, facts.node),
    )


def _former_sysctls(operations: Iterable[Operation], before: NetState) -> dict[str, str]:
    keys = [op.key for op in operations if isinstance(op, SetSysctl)]
    return {key: before.sysctls[key] for key in keys if key in before.sysctls}
