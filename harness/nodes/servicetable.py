"""kube-proxy's table in nftables: its chains, and the sets that Services fill. Pure.

::

    prerouting, output   ClusterIP -> cluster maps; the node's own addresses -> node maps
    postrouting          masquerade NodePorts, ClusterIPs used from outside the pods, and a
                         pod that talks to itself through its Service
    forward, output      drop what only other nodes may serve; refuse what is still addressed
                         to a ClusterIP: nobody serves it; drop what is no Service's
    input                drop what only other nodes may serve at the node's port
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.nodes.services import Protocol
from spiderpool.types.address import Family, Prefix, family_of

TABLE = "kube-proxy"
CLUSTER_ADDRESSES, HAIRPIN = "cluster-addresses", "hairpin"
WORD = {Family.V4: "ip", Family.V6: "ip6"}
_LOOPBACK = {Family.V4: "127.0.0.0/8", Family.V6: "::1"}


@dataclass(frozen=True, slots=True)
class Ranges:
    """The cluster's address ranges of one family."""

    family: Family
    pods: tuple[Prefix, ...]
    services: tuple[Prefix, ...]

    @classmethod
    def of(cls, family: Family, pods: Iterable[Prefix], services: Iterable[Prefix]) -> Ranges:
        """Those of ``family`` among all."""
        return cls(
            family,
            tuple(prefix for prefix in pods if family_of(prefix) is family),
            tuple(prefix for prefix in services if family_of(prefix) is family),
        )


def skeleton(ranges: Ranges) -> str:
    """The table with its chains, before there is any Service."""
    word = WORD[ranges.family]
    address = f"ipv{ranges.family.number}_addr"
    pods, services = ", ".join(ranges.pods), ", ".join(ranges.services)
    return f"""
table {word} {TABLE} {{
  set {CLUSTER_ADDRESSES} {{ type {address}; }}
  set {HAIRPIN} {{ type {address} . {address}; }}
{_of_protocols(ranges.family)}
  chain cluster {{ }}
  chain own {{ }}
  chain node {{ }}
  chain services {{
    {word} daddr @{CLUSTER_ADDRESSES} goto cluster
    {word} daddr {_LOOPBACK[ranges.family]} return
    fib daddr type != local return
    {word} saddr {{ {pods} }} jump own
    fib saddr type local jump own
    goto node
  }}
  chain refuse {{
    ct state != new return
    jump silence
    {word} daddr @{CLUSTER_ADDRESSES} reject
    {word} daddr {{ {services} }} drop
  }}
  chain prerouting {{
    type nat hook prerouting priority dstnat
    jump services
  }}
  chain output {{
    type nat hook output priority -100
    jump services
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat
    ct status & dnat == 0 return
    {word} saddr . {word} daddr @{HAIRPIN} masquerade
    ct original {word} daddr {{ {services} }} {word} saddr != {{ {pods} }} masquerade
    ct original {word} daddr {{ {services} }} return
    fib saddr type local masquerade
    jump keep
    masquerade
  }}
  chain forward {{
    type filter hook forward priority filter
    jump refuse
  }}
  chain output-filter {{
    type filter hook output priority filter
    jump refuse
  }}
  chain input {{
    type filter hook input priority filter
    ct state new fib daddr type local jump silence-node
  }}
}}
"""


def _of_protocols(family: Family) -> str:
    """The sets and chains that know protocols."""
    word, address = WORD[family], f"ipv{family.number}_addr"

    def each(text: str) -> str:
        return "\n".join(text.format(p=protocol) for protocol in Protocol)

    return f"""
{each("  set direct-{p} {{ type inet_service; }}")}
{each(f"  set silent-{{p}} {{{{ type {address} . inet_service; }}}}")}
{each("  set silentnode-{p} {{ type inet_service; }}")}
  chain keep {{
{each("    meta l4proto {p} ct original proto-dst @direct-{p} accept")}
  }}
  chain silence {{
{each(f"    {word} daddr . {{p}} dport @silent-{{p}} drop")}
  }}
  chain silence-node {{
{each("    {p} dport @silentnode-{p} drop")}
  }}"""
