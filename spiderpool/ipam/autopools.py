"""Pools that a workload gets out of a SpiderSubnet: their names, sizes and addresses."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spiderpool.errors import BadInput, NoAddress
from spiderpool.ipam.annotations import (
    PREFIX,
    SUBNET,
    SUBNETS,
    NicPools,
    place,
    read_many,
    read_one,
)
from spiderpool.ipam.attachments import PRIMARY_NIC
from spiderpool.ipam.facts import Controller
from spiderpool.ipam.pools import Pool, special
from spiderpool.ipam.ranges import Ranges, parse
from spiderpool.ipam.workloads import is_native
from spiderpool.types.address import Family, family_of
from spiderpool.types.codec import encode
from spiderpool.types.ippool import SpiderIPPool
from spiderpool.types.metadata import LabelSelector
from spiderpool.types.names import IfName, PoolName
from spiderpool.types.subnet import SpiderSubnet

NUMBER = PREFIX + "ippool-ip-number"
RECLAIM = PREFIX + "ippool-reclaim"
"""An annotation of pods, and a label of pools."""

OWNER_SUBNET = PREFIX + "owner-spider-subnet"
OWNER_GV = PREFIX + "owner-application-gv"
OWNER_KIND = PREFIX + "owner-application-kind"
OWNER_NAMESPACE = PREFIX + "owner-application-namespace"
OWNER_NAME = PREFIX + "owner-application-name"
OWNER_UID = PREFIX + "owner-application-uid"
INTERFACE = PREFIX + "interface"
IP_VERSION = PREFIX + "ip-version"
APP_GROUP = PREFIX + "app-api-group"
APP_VERSION = PREFIX + "app-api-version"
APP_KIND = PREFIX + "app-kind"
APP_NAMESPACE = PREFIX + "app-namespace"
APP_NAME = PREFIX + "app-name"

APPLICATION = PREFIX + "application"
"""An annotation of pools: kind/namespace/name in full, which labels are too short for."""

CONTROLLER = "spiderpool-controller"
"""The field manager of what the controller writes into automatic pools."""
AFFINITY_KEYS = frozenset({APP_GROUP, APP_VERSION, APP_KIND, APP_NAMESPACE, APP_NAME})

ALL = frozenset(Family)
LARGEST = 4096
DEFAULT_SPARE = 1
"""Addresses beyond the replicas, so that a rolling update has one to start with."""

_NUMBER = re.compile(r"(\+?)([0-9]{1,4})")
_LABEL = re.compile("[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
"""Kubernetes "Labels and Selectors", Syntax and character set."""


@dataclass(frozen=True, slots=True)
class Application:
    """The workload at the top, with the namespace that it lives in."""

    namespace: str
    controller: Controller

    @property
    def where(self) -> str:
        return f"{self.controller.kind} {self.namespace}/{self.controller.name}"

    @property
    def kind(self) -> str:
        """``Deployment``; of other groups than Kubernetes' own ``Rollout.argoproj.io``."""
        group = self.controller.api_version.rpartition("/")[0]
        own = is_native(self.controller) or not group
        return self.controller.kind if own else f"{self.controller.kind}.{group}"

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.controller.name}"


@dataclass(frozen=True, slots=True)
class Size:
    """``5`` is fixed, ``+2`` is on top of the replicas."""

    count: int
    is_spare: bool

    def of(self, replicas: int) -> int:
        return self.count + replicas if self.is_spare else self.count


@dataclass(frozen=True, slots=True)
class Wish:
    """One pool that an application wants: for one NIC and one family."""

    application: Application
    subnet: str
    interface: IfName
    family: Family
    size: Size
    reclaim: bool

    @property
    def pool(self) -> PoolName:
        """``auto4-web-net1-3f2a9`` (upstream's shape), the application's name cut to fit, and to
        leave room for a number."""
        uid = self.application.controller.uid.rpartition("-")[2][:5]
        nic = re.sub("[^a-z0-9]", "-", self.interface.lower())
        head, tail = f"auto{self.family.number}-", f"-{nic}-{uid}"
        name = self.application.controller.name[: 249 - len(head) - len(tail)].rstrip("-.")
        return PoolName(f"{head}{name}{tail}".lower())

    @property
    def identity(self) -> Mapping[str, str]:
        """Labels by which the pool is found again, also by a workload made anew."""
        owner = self.application.controller
        return {
            OWNER_SUBNET: label_value(self.subnet),
            OWNER_GV: owner.api_version.replace("/", "-"),
            OWNER_KIND: owner.kind,
            OWNER_NAMESPACE: self.application.namespace,
            OWNER_NAME: label_value(owner.name),
            INTERFACE: label_value(self.interface),
            IP_VERSION: f"IPv{self.family.number}",
        }

    @property
    def labels(self) -> Mapping[str, str]:
        reclaim = {RECLAIM: "true" if self.reclaim else "false"}
        return {**self.identity, OWNER_UID: self.application.controller.uid, **reclaim}


def wishes(
    app: Application, annotations: Mapping[str, str], families: Container[Family] = ALL
) -> tuple[Wish, ...]:
    """The pools that an application wants by the annotations of its pods; often none.

    ``families`` are those that the cluster uses; what is wanted of another is left out.

    Raises:
        BadInput: naming the annotation.
    """
    items = _items(app, annotations)
    if not items:
        return ()
    size, reclaim = _size(app, annotations), _reclaim(app, annotations)
    return tuple(
        Wish(app, names[0], IfName(item.interface or PRIMARY_NIC), family, size, reclaim)
        for item in items
        for family, names in item.pools.items()
        if family in families
    )


def wishes_of_nic(
    app: Application,
    annotations: Mapping[str, str],
    nic: IfName,
    families: Container[Family] = ALL,
) -> list[Wish]:
    """Those for one NIC. Without a name of a NIC, ``subnet`` is meant for whichever asks.

    Raises:
        BadInput: naming the annotation; also when ``subnets`` leaves the NIC out.
    """
    found = wishes(app, annotations, families)
    items = _items(app, annotations)
    if found and not any(item.interface for item in items):
        return list(found)
    mine = [wish for wish in found if wish.interface == nic]
    if found and not mine:
        key = SUBNETS if SUBNETS in annotations else SUBNET
        raise BadInput(place(app.where, key), f"interface {nic} must be specified")
    return mine


def find(wish: Wish, pools: Iterable[Pool]) -> Pool | None:
    """The pool that a wish has already; one that is being deleted only where it has no other."""
    identity = wish.identity.items()
    fitting = (pool for pool in pools if identity <= pool.labels.items())
    return min(fitting, key=lambda pool: pool.terminating, default=None)


def new_name(wish: Wish, taken: Container[PoolName]) -> PoolName:
    """The wish's name, with a number where another pool has it: of the subnet that the workload
    had before, or on its way out."""
    numbered = (PoolName(f"{wish.pool}-{number}") for number in itertools.count(2))
    return next(name for name in itertools.chain([wish.pool], numbered) if name not in taken)


def addresses_for(
    wish: Wish,
    subnet: SpiderSubnet,
    *,
    replicas: int,
    own: Pool | None,
    others: Ranges,
    held: Ranges,
) -> Ranges:
    """The addresses that the wish's pool shall have: what it has, and the lowest that nobody
    has; when there are too many, the highest go that are not ``held``. What it has and may not
    be given any more, as the subnet or ``others`` has changed, goes unless it is ``held``.

    ``others`` is what it may not have: other pools, reserved and node addresses.

    Raises:
        BadInput: the subnet's ranges cannot be read.
        NoAddress: the subnet has not enough left.
    """
    family, where = wish.family, f"SpiderSubnet {wish.subnet}"
    if family_of(subnet.spec.subnet) is not family:
        raise BadInput(where, f"is not IPv{family.number}", f"{wish.application.where} wants that")
    free = parse(subnet.spec.ips, family, f"{where}: spec.ips")
    free -= parse(subnet.spec.exclude_ips, family, f"{where}: spec.excludeIPs")
    free -= others | Ranges.of(family, special(subnet.spec.subnet))
    if subnet.spec.gateway:
        free -= parse([subnet.spec.gateway], family, f"{where}: spec.gateway")
    own_ips = (own.listed if own else Ranges(family)) & (free | held)
    wanted = wish.size.of(replicas)
    if own_ips.size > wanted:
        spare = own_ips - held
        return own_ips - (spare - spare.lowest(max(0, wanted - (own_ips & held).size)))
    missing, free = wanted - own_ips.size, free - own_ips
    if free.size < missing:
        raise NoAddress(
            f"{where} has {free.size} addresses left, {wish.application.where} needs {missing} more"
        )
    return own_ips | free.lowest(missing)


def pool_object(wish: Wish, name: PoolName, subnet: SpiderSubnet, ips: Ranges) -> dict[str, Any]:
    """The pool as it is created."""
    gateway = {"gateway": subnet.spec.gateway} if subnet.spec.gateway else {}
    return {
        "apiVersion": SpiderIPPool.KIND.api_version,
        "kind": SpiderIPPool.KIND.kind,
        "metadata": {
            "name": name,
            "labels": dict(wish.labels),
            "annotations": {APPLICATION: wish.application.key},
        },
        "spec": {
            "ipVersion": wish.family.number,
            "subnet": subnet.spec.subnet,
            "ips": list(ips.text()),
            "routes": encode(subnet.spec.routes),
            "podAffinity": {"matchLabels": affinity(wish.application)},
            **gateway,
        },
    }


def affinity(app: Application) -> dict[str, str]:
    """The synthetic labels by which an automatic pool names its application."""
    group, _, version = app.controller.api_version.rpartition("/")
    return {
        APP_GROUP: group,
        APP_VERSION: version,
        APP_KIND: app.controller.kind,
        APP_NAMESPACE: app.namespace,
        APP_NAME: label_value(app.controller.name),
    }


def affinity_change(own: Pool, app: Application) -> dict[str, Any]:
    """What brings the pool's podAffinity back to its application, as a merge patch of ``spec``
    (RFC 7396); empty when it names that alone."""
    wanted, selector = affinity(app), own.spec.pod_affinity
    if selector == LabelSelector(match_labels=wanted):
        return {}
    others: dict[str, Any] = dict.fromkeys(selector.match_labels if selector else ())
    return {"podAffinity": {"matchLabels": others | wanted, "matchExpressions": None}}


def application_text(pool: Pool) -> str | None:
    """``apps_v1_Deployment_default_web``, for an automatic pool; None for others."""
    selector = pool.spec.pod_affinity
    if selector is None or APP_KIND not in selector.match_labels:
        return None
    keys = (APP_GROUP, APP_VERSION, APP_KIND, APP_NAMESPACE, APP_NAME)
    return "_".join(selector.match_labels.get(key, "") for key in keys)


def _items(app: Application, annotations: Mapping[str, str]) -> tuple[NicPools, ...]:
    many = read_many(annotations, SUBNETS, app.where)
    if many is not None:
        if len(many) > 1 and not many[0].interface:
            problem, remedy = "several items name no interface", 'give "interface" in each'
            raise BadInput(place(app.where, SUBNETS), problem, remedy)
        return many
    one = read_one(annotations, SUBNET, app.where)
    return (one,) if one is not None else ()


def _size(app: Application, annotations: Mapping[str, str]) -> Size:
    text = annotations.get(NUMBER, f"+{DEFAULT_SPARE}")
    found = _NUMBER.fullmatch(text)
    size = Size(int(found[2]), bool(found[1])) if found else None
    if size is None or size.count > LARGEST or (size.count == 0 and not size.is_spare):
        problem = f"{text!r} must be N or +N, 1-{LARGEST}"
        raise BadInput(place(app.where, NUMBER), problem, "write 5, or +2 for two spare ones")
    if size.is_spare and not is_native(app.controller):
        problem = f"{text!r}: nobody can tell how many pods a {app.kind} wants"
        raise BadInput(place(app.where, NUMBER), problem, "give a fixed number, like 5")
    return size


def _reclaim(app: Application, annotations: Mapping[str, str]) -> bool:
    text = annotations.get(RECLAIM, "true")
    if text not in ("true", "false"):
        raise BadInput(place(app.where, RECLAIM), f"{text!r} is not true or false")
    return text == "true"


def label_value(text: str) -> str:
    """What cannot be a label's value, for its length or its letters, is told apart by a digest."""
    if _LABEL.fullmatch(text):
        return text
    word = re.sub("[^A-Za-z0-9_.-]", "", text[:54]).lstrip("_.-")
    return f"{word}-{hashlib.sha256(text.encode()).hexdigest()[:8]}".lstrip("-")
