"""Rules of SpiderMultusConfigs."""

from __future__ import annotations

import re

from spiderpool.cni.request import NETWORK_NAME
from spiderpool.controller.admission.blocks import check_block
from spiderpool.controller.admission.coordinator import check_settings
from spiderpool.controller.admission.findings import Cluster, Findings, Object, Reason, Request
from spiderpool.controller.admission.injection import check_injection
from spiderpool.controller.admission.updates import is_judged
from spiderpool.multus.attachment import (
    ATTACHMENT_NAME,
    CNI_VERSION,
    CNI_VERSIONS,
    CONFIG_NAME,
    attachment_name,
    plugin_of,
)
from spiderpool.multus.oddities import oddities
from spiderpool.multus.old_names import read_network
from spiderpool.types.json_text import is_plugin_type, read_json
from spiderpool.types.modes import CniType
from spiderpool.types.multusconfig import BLOCKS, SpiderMultusConfig

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_ANNOTATIONS = "metadata.annotations"


def check(request: Request, cluster: Cluster, found: Findings) -> None:
    """A SpiderMultusConfig that is created or changed."""
    new = request.new
    if new is None:
        return
    _check_renaming(request.old, new, found)
    if not is_judged(request.old, new, found) and _same_annotations(request.old, new):
        return
    result = found.attempt(read_network, new)
    if result is None:
        return
    smc, warnings = result
    found.warnings += warnings
    _check_annotations(smc, cluster, found)
    _check_chosen_block(smc, found)
    _check_plugins(smc, found)
    check_injection(smc, found)
    _check_coordinator(smc, found)
    _warn_of_pools(smc, cluster, found)


def _same_annotations(old: Object | None, new: Object) -> bool:
    return old is not None and old["metadata"].get("annotations") == new["metadata"].get(
        "annotations"
    )


def _check_renaming(old: Object | None, new: Object, found: Findings) -> None:
    """Pods name the attachment: it does not change under them."""
    if old is None:
        return
    before, after = (
        (obj["metadata"].get("annotations") or {}).get(ATTACHMENT_NAME) for obj in (old, new)
    )
    if before != after:
        problem = f"{ATTACHMENT_NAME} is not changeable from {before!r} to {after!r}"
        remedy = "create a new SpiderMultusConfig"
        found.refuse(_ANNOTATIONS, problem, remedy, Reason.FORBIDDEN)


def _check_annotations(smc: SpiderMultusConfig, cluster: Cluster, found: Findings) -> None:
    annotations = smc.metadata.annotations
    name, version = annotations.get(ATTACHMENT_NAME), annotations.get(CNI_VERSION)
    if name is not None and not (_SUBDOMAIN.fullmatch(name) and len(name) <= 253):
        problem = f"{ATTACHMENT_NAME}: {name!r} is not a DNS name"
        found.refuse(_ANNOTATIONS, problem, "use lower case letters, digits, '-' and '.'")
    if version is not None and version not in CNI_VERSIONS:
        problem = f"{CNI_VERSION}: unsupported CNI version {version}"
        found.refuse(_ANNOTATIONS, problem, f"use one of: {', '.join(CNI_VERSIONS)}")
    config_name = annotations.get(CONFIG_NAME)
    if config_name and not NETWORK_NAME.fullmatch(config_name):
        problem = f"{CONFIG_NAME}: {config_name!r} is no name of a CNI network"
        found.refuse(_ANNOTATIONS, problem, "use letters, digits, '_', '-' and '.'")
    _check_owner(smc, cluster, found)


def _check_owner(smc: SpiderMultusConfig, cluster: Cluster, found: Findings) -> None:
    """The attachment must not be another network's, made already or soon; of two that were
    stored while nobody looked, the younger one is wrong."""
    wanted, namespace = attachment_name(smc), smc.metadata.namespace
    made = smc.metadata.creation_timestamp
    for other in cluster.networks:
        metadata = other["metadata"]
        if metadata.get("namespace") != namespace or metadata["name"] == smc.metadata.name:
            continue
        if made and metadata.get("creationTimestamp", "") > made:
            continue
        name = (metadata.get("annotations") or {}).get(ATTACHMENT_NAME) or metadata["name"]
        if name == wanted:
            problem = (
                f"NetworkAttachmentDefinition {namespace}/{wanted} is owned by "
                f"SpiderMultusConfig {metadata['name']}"
            )
            found.refuse(_ANNOTATIONS, problem, "choose another name", Reason.DUPLICATE)
            return


def _check_chosen_block(smc: SpiderMultusConfig, found: Findings) -> None:
    """The block of the cniType is there, and no other."""
    spec, chosen = smc.spec, smc.spec.cni_type
    for cni_type, name in BLOCKS.items():
        attribute = "custom_cni" if cni_type is CniType.CUSTOM else name
        if cni_type is not chosen and getattr(spec, attribute) is not None:
            problem = f"cniType {chosen} only supports spec.{BLOCKS[chosen]}"
            found.refuse("spec.cniType", problem, f"remove spec.{name}", Reason.FORBIDDEN)
    if chosen is CniType.CUSTOM:
        return
    if spec.block is None:
        problem = f"no spec.{BLOCKS[chosen]} specified for cniType {chosen}"
        found.refuse(f"spec.{BLOCKS[chosen]}", problem, "add it", Reason.REQUIRED)
    else:
        check_block(spec.block, f"spec.{BLOCKS[chosen]}", found)


def _check_plugins(smc: SpiderMultusConfig, found: Findings) -> None:
    """Configurations of plugins that are given as text."""
    for index, text in enumerate(smc.spec.chain_cni_json_data):
        field = f"spec.chainCNIJsonData[{index}]"
        if plugin := found.attempt(plugin_of, text, field):
            _warn_of_oddities([{"type": str(smc.spec.cni_type)}, plugin], field, found)
    if smc.spec.custom_cni and smc.spec.cni_type is CniType.CUSTOM:
        _check_custom(smc.spec.custom_cni, found)


def _check_custom(text: str, found: Findings) -> None:
    """A CNI configuration: one plugin with a type, or a list of such."""
    field = "spec.customCNI"
    config = found.attempt(read_json, text, field, "write a CNI configuration as JSON")
    if config is None:
        return
    if not isinstance(config, dict):
        found.refuse(field, "is not a JSON object", "write a CNI configuration as JSON")
        return
    plugins = config.get("plugins", [config])
    if not isinstance(plugins, list) or not plugins:
        found.refuse(field, '"plugins" is not a list of plugins', "name at least one")
        return
    types = [plugin.get("type") if isinstance(plugin, dict) else None for plugin in plugins]
    for given in types:
        if not is_plugin_type(given):
            problem = '"type" is missing' if given is None else f'"type" {given!r} is no plugin'
            found.refuse(field, problem, "name the plugin's executable")
            return
    _warn_of_oddities(plugins, field, found)


def _warn_of_oddities(plugins: list[Object], field: str, found: Findings) -> None:
    for oddity in oddities(plugins):
        found.warn(f"{field}: {oddity}")


def _check_coordinator(smc: SpiderMultusConfig, found: Findings) -> None:
    settings = smc.spec.coordinator
    if settings is None:
        return
    check_settings(settings, "spec.coordinator", found)
    for field, value in (
        ("podCIDRType", settings.pod_cidr_type),
        ("hostRPFilter", settings.host_rp_filter),
    ):
        if value is not None:
            found.warn(
                f"spec.coordinator.{field} has no effect in a network: "
                "it is set in the SpiderCoordinator"
            )


def _warn_of_pools(smc: SpiderMultusConfig, cluster: Cluster, found: Findings) -> None:
    """Pools that are named, are no pattern and do not exist."""
    block = smc.spec.block
    if block is None:
        return
    path = f"spec.{BLOCKS[smc.spec.cni_type]}.ippools"
    for number, names in ((4, block.ippools.ipv4), (6, block.ippools.ipv6)):
        for index, name in enumerate(names):
            field = f'{path}.ipv{number}[{index}] "{name}"'
            pool = cluster.pools.get(name)
            if name not in cluster.pools and not set(name) & set("*?["):
                found.warn(f"{field} does not exist yet")
            elif pool is not None and pool.family.number != number:
                is_what = f"is an IPv{pool.family.number} pool"
                found.warn(f"{field} {is_what}; move it to the other list")
