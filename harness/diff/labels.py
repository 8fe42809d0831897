"""What is drawn anew in each run, named after what it belongs to, so that two runs compare."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.expect.names import Names
from harness.nodes.sandboxes import ledger_name
from harness.trace.wires import Nic, Wires
from spiderpool.kube.api import Object
from spiderpool.netlink.objects import NetState, Scope
from spiderpool.types.address import address_of


@dataclass(frozen=True, slots=True)
class Labels:
    """``places`` are the pods' namespaces, as captures call them; ``texts`` are addresses of
    pods and links of nodes that lead to them."""

    places: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def nic(self, nic: Nic) -> str:
        """A NIC by the label of its place, like ``web.eth0``."""
        return f"{self.places.get(nic.place, nic.place)}.{self.texts.get(nic.link, nic.link)}"

    def text(self, text: str) -> str:
        """Any text with labels for all that it names."""
        known = {**self.texts, **self.places}
        words = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
        pattern = rf"(?<![\w.-])(?:{words})(?![\w.:-])"
        return re.sub(pattern, lambda match: known[match[0]], text) if known else text


def label_pods(pods: Iterable[Object], names: Names) -> dict[str, str]:
    """Of each place: the scenario's own name for the pod, else what a drawn name is made from,
    and the node."""
    found: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for metadata, spec in ((pod["metadata"], pod["spec"]) for pod in pods):
        place = ledger_name(metadata["namespace"], metadata["name"])
        called = names.called(place)
        if called == place and "generateName" in metadata:
            stem = metadata["generateName"].rstrip("-")
            called = f"{metadata['namespace']}/{stem}@{spec.get('nodeName', '')}"
            taken[called] += 1
            called += f"#{taken[called]}" if taken[called] > 1 else ""
        found[place] = called
    return found


def labels(places: Mapping[str, str], states: Mapping[str, NetState], wires: Wires) -> Labels:
    """``states`` are those of all pods of ``places`` that are there."""
    texts: dict[str, str] = {}
    for place, label in places.items():
        state = states.get(place, NetState())
        for link in state.links:
            far = wires.peers.get(Nic(place, link.name))
            if far is not None:
                texts[far.link] = f"<{label}.{link.name} of the node>"
        counts: Counter[tuple[str, int]] = Counter()
        for entry in state.addresses:
            if entry.scope is Scope.GLOBAL and entry.link != "lo":
                counts[entry.link, entry.family.number] += 1
                number = counts[entry.link, entry.family.number]
                name = f"{label}.{entry.link}.v{entry.family.number}"
                texts[address_of(entry.address)] = f"<{name}{f'#{number}' if number > 1 else ''}>"
    return Labels(places, texts)
