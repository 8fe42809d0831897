"""Which pools a NIC may draw from, in which order, and why each other one was passed over.

Rules are asked from the nearest to the farthest: the pod's ``ippools``, its ``ippool``, its
namespace, the CNI configuration, the cluster's default pools. The first that says anything
decides alone, for both families. Its written order is kept; where nothing is written (default
pools, the matches of a wildcard) the pool that is bound to more comes first, then the name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from spiderpool.errors import BadInput, NoAddress
from spiderpool.ipam.annotations import (
    IPPOOL,
    IPPOOLS,
    Lists,
    place,
    read_many,
    read_names,
    read_one,
)
from spiderpool.ipam.filters import Situation, Skipped, SkipReason, why_not
from spiderpool.ipam.pools import Pool
from spiderpool.types.address import Family
from spiderpool.types.names import IfName, PoolName

WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rule that decides: where it is written, and its names as written."""

    where: str
    pools: Lists
    clean_gateway: bool | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """For one family: pools to try in this order, and those that were passed over."""

    family: Family
    where: str
    named: tuple[PoolName, ...]
    usable: tuple[Pool, ...]
    skipped: tuple[Skipped, ...]


Pools = Mapping[PoolName, Pool | BadInput]
"""All pools by name; one that cannot be read is its error."""


def wanted(situation: Situation, pools: Pools) -> Wanted:
    """The rule that decides for this NIC.

    Raises:
        BadInput: an annotation cannot be read, or does not cover the NIC.
        NoAddress: no rule says anything.
    """
    pod = situation.pod
    owner = f"Pod {pod.key}"
    if (items := read_many(pod.annotations, IPPOOLS, owner)) is not None:
        named = [item for item in items if item.interface == situation.nic]
        if items[0].interface and not named:
            _refuse_unlisted(situation.nic, place(owner, IPPOOLS))
        if not items[0].interface and situation.position >= len(items):
            raise BadInput(
                place(owner, IPPOOLS),
                f"has {len(items)} items, but {situation.nic} is NIC {situation.position + 1}",
                "write one item for each NIC that uses spiderpool",
            )
        item = named[0] if named else items[situation.position]
        return _checked(Wanted(place(owner, IPPOOLS), item.pools, item.clean_gateway))
    if (one := read_one(pod.annotations, IPPOOL, owner)) is not None:
        return _checked(Wanted(place(owner, IPPOOL), one.pools, one.clean_gateway))
    space = f"Namespace {pod.namespace}"
    if lists := read_names(situation.namespace_annotations, space):
        return _checked(Wanted(f"{space}: annotations of default pools", lists))
    if situation.netconf_pools:
        return _checked(Wanted("the CNI configuration", situation.netconf_pools))
    return _cluster_default(pools)


def of_families(rule: Wanted, families: frozenset[Family]) -> Wanted:
    """The rule without the families that the cluster does not use.

    Raises:
        NoAddress: nothing is left of it.
    """
    pools = {family: names for family, names in rule.pools.items() if family in families}
    if not pools:
        names = " and ".join(f"IPv{family.number}" for family in sorted(rule.pools))
        raise NoAddress(
            f"no IPPool available: {rule.where} names {names} pools only, and {names} is disabled"
            " in this cluster; name pools of the other family, or enable it in the chart"
        )
    return Wanted(rule.where, pools, rule.clean_gateway)


def choices(situation: Situation, rule: Wanted, pools: Pools) -> tuple[Choice, ...]:
    """Per family that the rule names: what is usable, in order, and what is not.

    Raises:
        BadInput: a name is written twice.
        NoAddress: a pool does not exist, or a wildcard matches none.
    """
    return tuple(_choice(situation, rule, pools, family) for family in sorted(rule.pools))


def why_none(choice: Choice, nic: IfName, refused: Iterable[Skipped]) -> NoAddress:
    """The error when no pool of a choice gave an address: every pool with its reason. Those
    with the same one share it, since an event has room for 1,024 characters only."""
    reasons = {item.pool: item for item in (*choice.skipped, *refused)}
    alike: dict[str, list[PoolName]] = {}
    for name in choice.named:
        if name in reasons:
            alike.setdefault(reasons[name].text, []).append(name)
    told = "; ".join(f"{', '.join(names)}: {text}" for text, names in alike.items())
    return NoAddress(
        f"no IPPool available, all IPv{choice.family.number} IPPools of NIC {nic} passed over"
        f" (chosen by {choice.where}): {told}",
        used_out=any(item.reason is SkipReason.FULL for item in reasons.values()),
    )


def _refuse_unlisted(nic: IfName, where: str) -> None:
    example = f'add {{"interface":"{nic}","ipv4":["pool-name"]}}'
    raise BadInput(
        where, f"interface {nic} must be specified", f"it uses spiderpool too; {example}"
    )


def _checked(rule: Wanted) -> Wanted:
    if not rule.pools:
        raise BadInput(rule.where, "names no pool", 'write {"ipv4":["pool-name"]}')
    return rule


def _cluster_default(pools: Pools) -> Wanted:
    found = [pool for pool in pools.values() if isinstance(pool, Pool) and pool.spec.default]
    lists: dict[Family, tuple[PoolName, ...]] = {}
    for family in Family:
        names = tuple(pool.name for pool in _specific_first(found) if pool.family is family)
        if names:
            lists[family] = names
    if not lists:
        raise NoAddress(
            "no IPPool available, no pool selection rules of any type are specified; annotate the"
            " pod or its namespace, name pools in the CNI configuration, or set spec.default"
        )
    return Wanted("spec.default of the pools", lists)


def _choice(situation: Situation, rule: Wanted, pools: Pools, family: Family) -> Choice:
    names = _expand(rule, pools, family, situation.nic)
    usable, skipped = [], []
    for name in names:
        pool = pools[name]
        if isinstance(pool, BadInput):
            skipped.append(Skipped(name, SkipReason.UNREADABLE, str(pool)))
        elif reason := why_not(pool, situation, family):
            skipped.append(reason)
        else:
            usable.append(pool)
    return Choice(family, rule.where, names, tuple(usable), tuple(skipped))


def _expand(rule: Wanted, pools: Pools, family: Family, nic: IfName) -> tuple[PoolName, ...]:
    """Names with wildcards replaced by what they match; each pool once."""
    found: dict[PoolName, bool] = {}
    for name in rule.pools[family]:
        is_pattern = not WILDCARDS.isdisjoint(name)
        if found.get(name) is False and not is_pattern:
            raise BadInput(rule.where, f"duplicate IPPool {name} specified for NIC {nic}")
        if is_pattern:
            for match in _matching(rule, pools, family, name):
                found.setdefault(match, True)
        elif name in pools:
            found[name] = False
        else:
            raise NoAddress(f'{rule.where}: IPPool "{name}" does not exist{_similar(name, pools)}')
    return tuple(found)


def _matching(rule: Wanted, pools: Pools, family: Family, pattern: str) -> list[PoolName]:
    known = [p for p in pools.values() if isinstance(p, Pool) and p.family is family]
    glob = pattern.replace("[^", "[!")
    found = [pool.name for pool in _specific_first(known) if fnmatchcase(pool.name, glob)]
    if not found:
        existing = ", ".join(sorted(pool.name for pool in known)[:10]) or "none"
        raise NoAddress(
            f'{rule.where}: pattern "{pattern}" matches no IPv{family.number} pool;'
            f" existing: {existing}"
        )
    return found


def _similar(name: str, pools: Pools) -> str:
    close = get_close_matches(name, list(pools), n=3)
    return f"; similar: {', '.join(close)}" if close else ""


def _specific_first(pools: Iterable[Pool]) -> list[Pool]:
    """Upstream's order of affinity: pod, node name, node, namespace name, namespace, NAD."""

    def rank(pool: Pool) -> tuple[bool, bool, bool, bool, bool, bool, str]:
        spec = pool.spec
        return (
            spec.pod_affinity is None,
            not spec.node_name,
            spec.node_affinity is None,
            not spec.namespace_name,
            spec.namespace_affinity is None,
            not spec.multus_name,
            pool.name,
        )

    return sorted(pools, key=rank)
