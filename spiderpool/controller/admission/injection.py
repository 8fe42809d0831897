"""Networks that pods get by an annotation instead of naming them (resource injection)."""

from __future__ import annotations

from spiderpool.controller.admission.findings import Findings, Reason
from spiderpool.types.modes import CniType
from spiderpool.types.multusconfig import BLOCKS, SpiderMultusConfig

RDMA_INJECT = "cni.spidernet.io/rdma-resource-inject"
NETWORK_INJECT = "cni.spidernet.io/network-resource-inject"
INJECTS = (RDMA_INJECT, NETWORK_INJECT)


def resource_of(smc: SpiderMultusConfig) -> str:
    """The resource that a pod of this network takes one of; empty without one."""
    block = smc.spec.block
    resource = getattr(block, "resource_name", "") or getattr(block, "rdma_resource_name", "")
    return str(resource)


def check_injection(smc: SpiderMultusConfig, found: Findings) -> None:
    """A network to be injected must have what an injected pod needs."""
    wanted = [key for key in INJECTS if key in smc.metadata.annotations]
    if not wanted:
        return
    cni_type = smc.spec.cni_type
    if cni_type in (CniType.OVS, CniType.CUSTOM):
        problem = f"cniType {cni_type} does not support {' and '.join(wanted)}"
        found.refuse("spec.cniType", problem, "remove the annotation", Reason.FORBIDDEN)
        return
    block = smc.spec.block
    if block is None:
        return
    path, resource = f"spec.{BLOCKS[cni_type]}", resource_of(smc)
    if RDMA_INJECT in wanted and not resource:
        problem = f"{RDMA_INJECT} needs a resource"
        found.refuse(f"{path}.rdmaResourceName", problem, "name it", Reason.REQUIRED)
    if resource and not (block.ippools.ipv4 or block.ippools.ipv6):
        problem = f"{' and '.join(wanted)} needs at least one pool"
        found.refuse(f"{path}.ippools", problem, "name pools", Reason.REQUIRED)
