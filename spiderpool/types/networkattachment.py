"""NetworkAttachmentDefinition: what Multus reads (Kubernetes Network Plumbing WG, v1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from spiderpool.types.codec import Schema
from spiderpool.types.metadata import Kind, Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAttachmentSpec:
    """``spec``; without ``config`` Multus takes the node's configuration file of that name."""

    config: Annotated[str, Schema(doc="CNI configuration, as JSON text.")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAttachmentDefinition:
    """A network that pods name in the annotation k8s.v1.cni.cncf.io/networks."""

    KIND: ClassVar = Kind(
        kind="NetworkAttachmentDefinition",
        plural="network-attachment-definitions",
        short="net-attach-def",
        group="k8s.cni.cncf.io",
        version="v1",
        categories=(),
        namespaced=True,
    )

    metadata: Metadata
    spec: NetworkAttachmentSpec = NetworkAttachmentSpec()
