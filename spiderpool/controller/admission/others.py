"""Rules of one network beside the others: pools and subnets must not get in each other's way."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from spiderpool.controller.admission.findings import Findings, Object, Reason
from spiderpool.controller.admission.ipnetwork import Network
from spiderpool.controller.admission.poolbook import PoolBook, span
from spiderpool.errors import BadInput
from spiderpool.ipam.ranges import parse
from spiderpool.types.address import family_of, network_of
from spiderpool.types.metadata import read
from spiderpool.types.names import PoolName
from spiderpool.types.subnet import SpiderSubnet

TOTAL = "total IP addresses are 'spec.ips' without 'spec.excludeIPs'"
APART = "use the very same subnet, or one that shares no address with it"
_MOST_LISTED = 5


def check_pools(network: Network, pools: PoolBook, name: PoolName, found: Findings) -> None:
    """Pools of another network must not touch it; those of the same share no address."""
    for other in pools.over(network.subnet):
        if other.name != name:
            problem = (
                f"{network.subnet} overlap with IPPool {other.name} "
                f"which 'spec.subnet' is {other.subnet}"
            )
            found.refuse("spec.subnet", problem, APART, Reason.FORBIDDEN)
    for other in pools.sharing(network.subnet, network.total):
        if other.name != name:
            shared = (network.total & other.listed).text()
            problem = f"overlap with IPPool {other.name} in IP ranges {listed(shared)}"
            remedy = f"take them out of one of the two; {TOTAL}"
            found.refuse("spec.ips", problem, remedy, Reason.FORBIDDEN)


def check_subnets(network: Network, subnets: tuple[Object, ...], found: Findings) -> None:
    """A pool of a SpiderSubnet's network lies inside the SpiderSubnet."""
    same = tuple(obj for obj in subnets if subnet_of(obj) == network.subnet)
    for name, other in readable_subnets(same):
        if outside := (network.total - other.total).text():
            problem = f"IP ranges {listed(outside)} are not in SpiderSubnet {name}"
            found.refuse("spec.ips", problem, "add them to the SpiderSubnet first")


def subnet_of(obj: Object) -> str:
    """``spec.subnet`` of a pool or SpiderSubnet, in canonical form where it has one: much
    cheaper than to read the object."""
    return _canonical(str((obj.get("spec") or {}).get("subnet")))


@functools.lru_cache(maxsize=16384)
def _canonical(text: str) -> str:
    """Kept, since every pool asks for the networks of all SpiderSubnets."""
    try:
        return network_of(text)
    except (OSError, ValueError):
        return text


def readable_subnets(objects: tuple[Object, ...]) -> Iterator[tuple[str, Network]]:
    """(name, network) of the SpiderSubnets that can be read."""
    for obj in objects:
        try:
            yield obj["metadata"]["name"], read_network_of_subnet(obj)
        except BadInput:
            continue


def read_network_of_subnet(obj: Object) -> Network:
    """Raises BadInput."""
    spec = read(SpiderSubnet, obj).spec
    family = family_of(spec.subnet)
    ips, excluded = (
        parse(items, family, f"spec.{field}")
        for items, field in ((spec.ips, "ips"), (spec.exclude_ips, "excludeIPs"))
    )
    return Network(spec.subnet, ips, excluded)


def overlap(one: str, other: str) -> bool:
    """Whether two prefixes share addresses."""
    (family, first, last), (its_family, its_first, its_last) = span(one), span(other)
    return family is its_family and first <= its_last and its_first <= last


def listed(ranges: tuple[str, ...]) -> str:
    """A few ranges, and how many more there are."""
    more = f" and {len(ranges) - _MOST_LISTED} more" if len(ranges) > _MOST_LISTED else ""
    return f"[{' '.join(ranges[:_MOST_LISTED])}{more}]"
