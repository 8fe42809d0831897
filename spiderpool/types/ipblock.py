"""SpiderIPBlock: who holds which address. The truth of IPAM, 32 addresses an object.

A block is named after its first address and belongs to no pool, so two pools that overlap
cannot give one address twice, and a pool that is deleted and made again forgets nothing.
Each address has a slot with a generation that grows with every change; a write tests the
generations that it was decided on, so it is compare-and-swap per address, not per object.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from spiderpool.types.codec import Schema
from spiderpool.types.metadata import Column, Kind, Metadata
from spiderpool.types.names import ContainerID, IfName, NodeName, PodUID, PoolName


class SlotState(enum.StrEnum):
    """What holds an address; a free one has no state."""

    HELD = "held"
    COOLING = "cooling"
    SET_ASIDE = "setAside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One address. After a release the old owner stays named, until someone else comes."""

    generation: Annotated[
        int, Schema(doc="Grows with each change; a write must name it.", minimum=0)
    ] = 0
    state: Annotated[
        SlotState | None, Schema(doc="held, cooling or setAside; absent when free.")
    ] = None
    until: Annotated[
        str | None,
        Schema(doc="When cooling or setting aside ends.", format="date-time", max_length=32),
    ] = None
    pool: Annotated[
        PoolName | None, Schema(doc="The SpiderIPPool it was taken from.", max_length=253)
    ] = None
    pod: Annotated[str | None, Schema(doc="Namespace/name of the pod.", max_length=317)] = None
    pod_uid: Annotated[
        PodUID | None, Schema(doc="UID of the pod: the owner, with nic.", max_length=64)
    ] = None
    nic: Annotated[IfName | None, Schema(doc="The NIC in the pod.", max_length=15)] = None
    network: Annotated[
        str | None, Schema(doc="Name of the CNI network configuration.", max_length=253)
    ] = None
    container_id: Annotated[
        ContainerID | None, Schema(doc="The sandbox that holds it.", max_length=128)
    ] = None
    node: Annotated[NodeName | None, Schema(doc="The node of the pod.", max_length=253)] = None
    netns: Annotated[
        int | None, Schema(doc="Cookie of the network namespace (SO_NETNS_COOKIE).", minimum=0)
    ] = None
    owner: Annotated[
        str | None,
        Schema(doc="Kind/name of what keeps it over the pod's end.", max_length=300),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiderIPBlockSpec:
    MAP_TYPE: ClassVar = "atomic"

    base: Annotated[str, Schema(doc="The first address of the block.", max_length=39)]
    slots: Annotated[Mapping[str, Slot], Schema(doc="Every address of the block, free ones too.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiderIPBlock:
    """32 neighbouring addresses; written by agents and the controller only."""

    KIND: ClassVar[Kind] = Kind(
        kind="SpiderIPBlock",
        plural="spideripblocks",
        short="sib",
        categories=(),
        columns=(Column("BASE", ".spec.base"),),
    )

    metadata: Metadata
    spec: Annotated[SpiderIPBlockSpec, Schema(doc="The addresses and who holds them.")]
