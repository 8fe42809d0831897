"""Every kind that Spiderpool brings along: one line makes a CRD of a dataclass."""

from __future__ import annotations

from spiderpool.types.coordinator import SpiderCoordinator
from spiderpool.types.endpoint import SpiderEndpoint
from spiderpool.types.ipblock import SpiderIPBlock
from spiderpool.types.ippool import SpiderIPPool
from spiderpool.types.metadata import ApiObject
from spiderpool.types.multusconfig import SpiderMultusConfig
from spiderpool.types.networkattachment import NetworkAttachmentDefinition
from spiderpool.types.reservedip import SpiderReservedIP
from spiderpool.types.subnet import SpiderSubnet

KINDS: tuple[type[ApiObject], ...] = (
    SpiderCoordinator,
    SpiderEndpoint,
    SpiderIPBlock,
    SpiderIPPool,
    SpiderMultusConfig,
    SpiderReservedIP,
    SpiderSubnet,
    NetworkAttachmentDefinition,
)
