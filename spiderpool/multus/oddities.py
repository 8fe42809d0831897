"""What a chain of plugins that somebody wrote as JSON probably does not mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from spiderpool.cni.install import PLUGINS


def oddities(plugins: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """One sentence each, with the way out; the chain is not refused for them."""
    types = [str(plugin.get("type")) for plugin in plugins]
    ipams = [str(ipam.get("type")) for p in plugins if isinstance(ipam := p.get("ipam"), Mapping)]
    for word in (*types, *ipams):
        meant = get_close_matches(word, PLUGINS, n=1, cutoff=0.8)
        if meant and word not in PLUGINS:
            yield f'no plugin of ours is called "{word}"; did you mean {meant[0]}?'
    if types and types[0] == "coordinator":
        yield "coordinator comes first; put it behind the plugin that makes the NIC"
    if "coordinator" in types and "host-local" in ipams:
        yield (
            "addresses of host-local are unique on one node only, pods on others get the same;"
            " use ipam spiderpool"
        )
