"""The NetworkAttachmentDefinition that belongs to a SpiderMultusConfig."""

from __future__ import annotations

import json
from typing import Any

from spiderpool.errors import BadInput
from spiderpool.multus.coordinator_entry import coordinator_entry
from spiderpool.multus.plugins import plugins_above, plugins_below
from spiderpool.types.codec import encode
from spiderpool.types.coordinator import CoordinatorSpec
from spiderpool.types.json_text import is_plugin_type, read_json
from spiderpool.types.modes import CniType
from spiderpool.types.multusconfig import MultusConfigSpec, SpiderMultusConfig
from spiderpool.types.networkattachment import NetworkAttachmentDefinition

Object = dict[str, Any]

ATTACHMENT_NAME = "multus.spidernet.io/cr-name"
CNI_VERSION = "multus.spidernet.io/cni-version"
CONFIG_NAME = "cni.spidernet.io/cniconfig-name"
RESOURCE_NAME = "k8s.v1.cni.cncf.io/resourceName"

DEFAULT_CNI_VERSION = "0.3.1"
CNI_VERSIONS = ("0.3.1", "0.4.0", "1.0.0", "1.1.0")
_OWN_PREFIXES = ("multus.spidernet.io/", "cni.spidernet.io/", RESOURCE_NAME)


def attachment_name(smc: SpiderMultusConfig) -> str:
    """Name of the NetworkAttachmentDefinition; the namespace is the SpiderMultusConfig's."""
    return smc.metadata.annotations.get(ATTACHMENT_NAME) or smc.metadata.name


def attachment(smc: SpiderMultusConfig, cluster: CoordinatorSpec | None) -> Object:
    """The NetworkAttachmentDefinition as it ought to be; ``cluster`` is what it inherits from.

    Raises:
        BadInput: the spec lacks the block of its cniType, or a chained plugin is not JSON.
    """
    config = config_of(smc, cluster)
    return {
        "apiVersion": NetworkAttachmentDefinition.KIND.api_version,
        "kind": NetworkAttachmentDefinition.KIND.kind,
        "metadata": {
            "name": attachment_name(smc),
            "namespace": smc.metadata.namespace,
            "annotations": dict(smc.metadata.annotations) | _resource(smc.spec),
            "ownerReferences": [owner_reference(smc)],
        },
        "spec": {"config": config} if config else {},
    }


def owner_reference(smc: SpiderMultusConfig) -> Object:
    """Lets the garbage collector delete the attachment with its SpiderMultusConfig."""
    return {
        "apiVersion": smc.KIND.api_version,
        "kind": smc.KIND.kind,
        "name": smc.metadata.name,
        "uid": smc.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def config_of(smc: SpiderMultusConfig, cluster: CoordinatorSpec | None) -> str:
    """CNI configuration text; empty for a custom network that Multus finds on the node."""
    spec, where = smc.spec, where_is(smc)
    if spec.cni_type is CniType.CUSTOM:
        return spec.custom_cni or ""
    annotations = smc.metadata.annotations
    plugins = plugins_below(spec, where) + chained(spec, where)
    if spec.enable_coordinator:
        coordinator = coordinator_entry(spec.coordinator, cluster)
        if coordinator.get("detectIPConflict"):
            plugins = [probing(plugin) for plugin in plugins]
        plugins.append(coordinator)
    conflist = {
        "cniVersion": annotations.get(CNI_VERSION) or DEFAULT_CNI_VERSION,
        "name": annotations.get(CONFIG_NAME) or attachment_name(smc),
        "plugins": plugins + plugins_above(spec),
    }
    return json.dumps(conflist, separators=(",", ":"), ensure_ascii=False)


def probing(plugin: Object) -> Object:
    """A plugin whose addresses our IPAM gives, once nobody else is found to have them: when the
    coordinator comes, its NIC has told everybody of them already."""
    ipam = plugin.get("ipam")
    if not isinstance(ipam, dict) or ipam.get("type") != "spiderpool":
        return plugin
    return plugin | {"ipam": ipam | {"detect_ip_conflict": True}}


def where_is(smc: SpiderMultusConfig) -> str:
    """What errors call the object."""
    return smc.KIND.where(encode(smc))


def chained(spec: MultusConfigSpec, where: str) -> list[Object]:
    """The plugins of chainCNIJsonData.

    Raises:
        BadInput: naming the item, when it is not a JSON object with a ``type``.
    """
    return [
        plugin_of(text, f"{where}: spec.chainCNIJsonData[{index}]")
        for index, text in enumerate(spec.chain_cni_json_data)
    ]


def plugin_of(text: str, where: str) -> Object:
    """A plugin's configuration from JSON text; raises BadInput."""
    remedy = 'write one plugin, like {"type":"tuning","sysctl":{}}'
    plugin = read_json(text, where, remedy)
    if not isinstance(plugin, dict) or "type" not in plugin:
        raise BadInput(where, '"type" is missing', remedy)
    if not is_plugin_type(plugin["type"]):
        raise BadInput(where, f'"type" {plugin["type"]!r} is no name of a plugin', remedy)
    return plugin


def _resource(spec: MultusConfigSpec) -> dict[str, str]:
    """The device plugin's resource that a pod of this network takes one of."""
    if spec.cni_type is CniType.SRIOV and spec.sriov:
        return {RESOURCE_NAME: spec.sriov.resource_name}
    if spec.cni_type is CniType.IB_SRIOV and spec.ibsriov:
        return {RESOURCE_NAME: spec.ibsriov.resource_name}
    if spec.cni_type is CniType.OVS and spec.ovs and spec.ovs.device_id:
        return {RESOURCE_NAME: f"ovs-cni.network.kubevirt.io/{spec.ovs.bridge}"}
    return {}


def repaired(actual: Object, desired: Object) -> Object | None:
    """``actual`` with what it lacks of ``desired``; None when there is nothing to do.

    Annotations and owners of others are kept; of annotations that a SpiderMultusConfig gives a
    meaning, none is left that it no longer has, nor is a controller of the attachment before.
    """
    metadata = actual["metadata"]
    wanted = desired["metadata"]
    kept = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if not key.startswith(_OWN_PREFIXES)
    }
    owners = [
        owner
        for owner in metadata.get("ownerReferences") or ()
        if not owner.get("controller") and owner["uid"] != wanted["ownerReferences"][0]["uid"]
    ]
    fixed = actual | {
        "metadata": metadata
        | {
            "annotations": kept | wanted["annotations"],
            "ownerReferences": [*owners, *wanted["ownerReferences"]],
        },
        "spec": desired["spec"],
    }
    same = (
        (metadata.get("annotations") or {}) == fixed["metadata"]["annotations"]
        and metadata.get("ownerReferences") == fixed["metadata"]["ownerReferences"]
        and (actual.get("spec") or {}) == desired["spec"]
    )
    return None if same else fixed
