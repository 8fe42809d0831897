"""Why a pool does not serve a NIC: one function a rule, asked in this order."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from spiderpool.ipam.annotations import Lists
from spiderpool.ipam.autopools import APP_KIND, Application, affinity
from spiderpool.ipam.facts import Pod
from spiderpool.ipam.labels import matches
from spiderpool.ipam.netconf import Master
from spiderpool.ipam.pools import Pool
from spiderpool.types.address import Family
from spiderpool.types.metadata import LabelSelector
from spiderpool.types.names import IfName, PoolName


class SkipReason(enum.StrEnum):
    """Why a pool was passed over; the text of each case says the details."""

    TERMINATING = "terminating"
    DISABLED = "disabled"
    FAMILY = "family"
    NODE = "node"
    NAMESPACE = "namespace"
    POD = "pod"
    MULTUS = "multus"
    MASTER = "master"
    UNREADABLE = "unreadable"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A pool that gives nothing to this NIC, and why."""

    pool: PoolName
    reason: SkipReason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything about the pod and its surroundings that pools can be bound to."""

    pod: Pod
    nic: IfName
    position: int = 0
    """How many NICs of the pod asked before, for ``ippools`` items without names."""
    attachment: str | None = None
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    namespace_annotations: Mapping[str, str] = field(default_factory=dict)
    node_labels: Mapping[str, str] = field(default_factory=dict)
    netconf_pools: Lists = field(default_factory=dict)
    application: Application | None = None
    """The workload at the top, where it is known: pods that use automatic pools."""
    agent_namespace: str = "kube-system"
    master: Master | None = None
    """Where only pools of its networks are wanted (``match_master_subnet``)."""


def why_not(pool: Pool, situation: Situation, family: Family) -> Skipped | None:
    """The first reason that keeps this NIC from the pool; None when there is none."""
    for reason, ask in _FILTERS:
        text = ask(pool, situation, family)
        if text:
            return Skipped(pool.name, reason, text)
    return None


def _terminating(pool: Pool, situation: Situation, family: Family) -> str:
    return "it is being deleted" if pool.terminating else ""


def _disabled(pool: Pool, situation: Situation, family: Family) -> str:
    return "disabled (spec.disable)" if pool.spec.disable else ""


def _family(pool: Pool, situation: Situation, family: Family) -> str:
    return "" if pool.family is family else f"its subnet {pool.subnet} is not IPv{family.number}"


def _node(pool: Pool, situation: Situation, family: Family) -> str:
    return _bound(
        f"node {situation.pod.node}",
        situation.pod.node,
        situation.node_labels,
        ("nodeName", pool.spec.node_name),
        ("nodeAffinity", pool.spec.node_affinity),
    )


def _namespace(pool: Pool, situation: Situation, family: Family) -> str:
    return _bound(
        f"namespace {situation.pod.namespace}",
        situation.pod.namespace,
        situation.namespace_labels,
        ("namespaceName", pool.spec.namespace_name),
        ("namespaceAffinity", pool.spec.namespace_affinity),
    )


def _pod(pool: Pool, situation: Situation, family: Family) -> str:
    selector = pool.spec.pod_affinity
    if selector is None:
        return ""
    if APP_KIND in selector.match_labels:
        app = situation.application
        if app is not None and affinity(app) == selector.match_labels:
            return ""
        return f"it is made for {_selector_text(selector)}"
    if matches(selector, situation.pod.labels):
        return ""
    return f"the pod's labels do not match podAffinity {_selector_text(selector)}"


def _multus(pool: Pool, situation: Situation, family: Family) -> str:
    if not pool.spec.multus_name:
        return ""
    allowed = [n if "/" in n else f"{situation.agent_namespace}/{n}" for n in pool.spec.multus_name]
    if situation.attachment is None:
        return f"multusName is {allowed}, and the pod does not say what {situation.nic} comes from"
    if situation.attachment in allowed:
        return ""
    return f"{situation.nic} comes from {situation.attachment}, not in multusName {_list(allowed)}"


def _master(pool: Pool, situation: Situation, family: Family) -> str:
    master = situation.master
    if master is None or pool.subnet in master.networks:
        return ""
    return (
        f"subnet {pool.subnet} is none of {master.name}, which has {_list(sorted(master.networks))}"
    )


def _bound(
    what: str,
    name: str,
    labels: Mapping[str, str],
    names: tuple[str, tuple[str, ...]],
    selector: tuple[str, LabelSelector | None],
) -> str:
    """Names win over the affinity of the same thing."""
    if names[1]:
        return "" if name in names[1] else f"{what} not in {names[0]} {_list(names[1])}"
    if selector[1] is None or matches(selector[1], labels):
        return ""
    return f"labels of {what} do not match {selector[0]} {_selector_text(selector[1])}"


def _list(names: Iterable[str]) -> str:
    return f"[{' '.join(names)}]"


def _selector_text(selector: LabelSelector) -> str:
    parts = [f"{key}={value}" for key, value in selector.match_labels.items()]
    parts += [
        f"{item.key} {item.operator} {_list(item.values)}".strip()
        for item in selector.match_expressions
    ]
    return ", ".join(parts) or "(empty)"


_Filter = Callable[[Pool, Situation, Family], str]
_FILTERS: tuple[tuple[SkipReason, _Filter], ...] = (
    (SkipReason.TERMINATING, _terminating),
    (SkipReason.DISABLED, _disabled),
    (SkipReason.FAMILY, _family),
    (SkipReason.NODE, _node),
    (SkipReason.NAMESPACE, _namespace),
    (SkipReason.POD, _pod),
    (SkipReason.MULTUS, _multus),
    (SkipReason.MASTER, _master),
)
