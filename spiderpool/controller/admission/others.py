"""Rules of one network beside the others: pools and subnets must not get in each other's way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spiderpool.controller.admission.findings import Findings, Object, Reason
from spiderpool.controller.admission.ipnetwork import Network
from spiderpool.errors import BadInput
from spiderpool.ipam.pools import Pool
from spiderpool.ipam.ranges import parse
from spiderpool.types.address import contains, family_of
from spiderpool.types.metadata import read
from spiderpool.types.names import PoolName
from spiderpool.types.subnet import SpiderSubnet

TOTAL = "total IP addresses are 'spec.ips' without 'spec.excludeIPs'"
APART = "use the very same subnet, or one that shares no address with it"
_MOST_LISTED = 5


def check_pools(network: Network, pools: Iterable[Pool], name: PoolName, found: Findings) -> None:
    """Pools of another network must not touch it; those of the same share no address."""
    for other in pools:
        if other.name == name:
            continue
        if other.subnet != network.subnet:
            if overlap(other.subnet, network.subnet):
                problem = (
                    f"{network.subnet} overlap with IPPool {other.name} "
                    f"which 'spec.subnet' is {other.subnet}"
                )
                found.refuse("spec.subnet", problem, APART, Reason.FORBIDDEN)
        elif shared := (network.total & other.listed).text():
            problem = f"overlap with IPPool {other.name} in IP ranges {listed(shared)}"
            remedy = f"take them out of one of the two; {TOTAL}"
            found.refuse("spec.ips", problem, remedy, Reason.FORBIDDEN)


def check_subnets(network: Network, subnets: tuple[Object, ...], found: Findings) -> None:
    """A pool of a SpiderSubnet's network lies inside the SpiderSubnet."""
    for name, other in readable_subnets(subnets):
        if other.subnet == network.subnet and (outside := (network.total - other.total).text()):
            problem = f"IP ranges {listed(outside)} are not in SpiderSubnet {name}"
            found.refuse("spec.ips", problem, "add them to the SpiderSubnet first")


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
    return contains(one, other) or contains(other, one)


def listed(ranges: tuple[str, ...]) -> str:
    """A few ranges, and how many more there are."""
    more = f" and {len(ranges) - _MOST_LISTED} more" if len(ranges) > _MOST_LISTED else ""
    return f"[{' '.join(ranges[:_MOST_LISTED])}{more}]"
