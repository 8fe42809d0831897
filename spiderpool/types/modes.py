"""Closed sets of words that API objects and CNI configurations use."""

from __future__ import annotations

import enum


class Mode(enum.StrEnum):
    """How the coordinator treats a pod (SpiderCoordinator ``spec.mode``)."""

    AUTO = "auto"
    OVERLAY = "overlay"
    UNDERLAY = "underlay"
    DISABLED = "disabled"

    @classmethod
    def _missing_(cls, value: object) -> Mode | None:
        """``disable`` is what older plugin configurations say for ``disabled``."""
        return cls.DISABLED if value == "disable" else None


class PodCIDRType(enum.StrEnum):
    """Where the cluster's pod CIDRs are read from (``spec.podCIDRType``)."""

    AUTO = "auto"
    CLUSTER = "cluster"
    CALICO = "calico"
    CILIUM = "cilium"
    NONE = "none"


class CniType(enum.StrEnum):
    """The main plugin of a SpiderMultusConfig (``spec.cniType``)."""

    MACVLAN = "macvlan"
    IPVLAN = "ipvlan"
    VLAN = "vlan"
    SRIOV = "sriov"
    OVS = "ovs"
    IB_SRIOV = "ib-sriov"
    IPOIB = "ipoib"
    CUSTOM = "custom"


class VlanMode(enum.StrEnum):
    """Who picks the VLAN of a vlan NIC (``spec.vlan.vlanMode``)."""

    MANUAL = "manual"
    AUTO = "auto"


class LinkState(enum.StrEnum):
    """State of an InfiniBand virtual function (``spec.ibsriov.linkState``)."""

    AUTO = "auto"
    ENABLE = "enable"
    DISABLE = "disable"


class Phase(enum.StrEnum):
    """SpiderCoordinator ``status.phase``."""

    SYNCED = "Synced"
    NOT_READY = "NotReady"


class CniCommand(enum.StrEnum):
    """``CNI_COMMAND`` (CNI spec 1.1.0, section 2)."""

    ADD = "ADD"
    DEL = "DEL"
    CHECK = "CHECK"
    VERSION = "VERSION"
    STATUS = "STATUS"
    GC = "GC"
