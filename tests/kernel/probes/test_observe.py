"""Probes on the page's cluster, judged whole: there, back, refused, lost, and by the wrong NIC."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.capture.capture import Capture
from harness.expect.judge import judge
from harness.expect.names import Names, PodFacts, nics_of
from harness.expect.paths import Contrast
from harness.expect.resolve import resolve
from harness.expect.verdict import Verdict
from harness.netns import isolated
from harness.netns.ledger import Ledger
from harness.nodes.calico import Calico
from harness.probes.servers import EchoServers, ServedPort, Transport
from harness.scenario.document import Where
from harness.scenario.expectations import Blocked, Outcome, Probe, Protocol, Reaches
from harness.scenario.reference import Place, Reference, parse_reference
from harness.topology.build import build
from harness.topology.load import load
from harness.topology.model import UNDERLAY
from harness.trace.explain import explain
from harness.trace.observe import Observation, observe, read_wires
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.objects import LinkKind, Neighbour, RouteType, Rule
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    CreateLink,
    DeleteRule,
    SetNeighbour,
    SetSysctl,
)
from spiderpool.testing.builders import address, route
from spiderpool.types.address import Address, Prefix
from spiderpool.types.names import IfName, TableID

pytestmark = pytest.mark.kernel

PAGE = Path(__file__).parents[3] / "scenarios/_topologies/page.yaml"
SERVED = (ServedPort(Transport.UDP, 53), ServedPort(Transport.TCP, 53))
NODES = {"web": "worker01", "far": "controller"}
NET1 = "10.6.212.145"
NET1_RULE = Rule(32760, TableID(100), source=Prefix(f"{NET1}/32"))
WHERE = Where("scenario.yaml", 7)


class Cluster:
    """The page's machines; ``far`` on controller, ``web`` on worker01 with ``net1``, macvlan."""

    def __init__(self, stack: ExitStack) -> None:
        topology = load(PAGE)
        self.ledger = stack.enter_context(Ledger())
        build(topology, self.ledger)
        for pod, node in NODES.items():
            (machine,) = (each for each in topology.nodes if each.name == node)
            Calico(machine, topology, self.ledger[node]).attach(
                "default", pod, self.ledger.create(f"default/{pod}")
            )
        self.add_net1()
        self.namespaces = {name: self.ledger[name] for name in self.ledger.names}
        self.capture = stack.enter_context(Capture())
        for place, namespace in self.namespaces.items():
            self.capture.add(place, namespace)
        pods = {pod: PodFacts(f"default/{pod}", pod, node) for pod, node in NODES.items()}
        outer = {pod.place: pod.node for pod in pods.values()}
        outer |= {machine.name: UNDERLAY for machine in topology.machines}
        self.wires = read_wires(self.namespaces, outer, UNDERLAY)
        nics = {place: nics_of(dump(ns)) for place, ns in self.namespaces.items()}
        self.names = Names(pods, {}, nics)

    def add_net1(self) -> None:
        pod, node = self.ledger["default/web"], self.ledger["worker01"]
        net1, parent = IfName("net1"), IfName("ens192")
        born_in = pod.fd
        apply(node, [CreateLink(net1, LinkKind.MACVLAN, parent=parent, namespace=born_in, up=True)])
        table = TableID(100)
        apply(
            pod,
            [
                AddAddress(address("net1", f"{NET1}/16")),
                AddRoute(route("0.0.0.0/0", "net1", "10.6.0.1", table=table)),
                AddRoute(route("10.6.0.0/16", "net1", table=table)),
                AddRule(NET1_RULE),
            ],
        )

    def observe(self, probe: Probe, patience: float = 5.0) -> Observation:
        async def scene() -> Observation:
            servers = [
                EchoServers(self.namespaces[place], place)
                for place in ("default/web", "default/far", "outside")
            ]
            for each in servers:
                await each.open(SERVED)
            try:
                sending = resolve(probe, self.names)
                return await observe(sending, self.namespaces, self.capture, self.wires, patience)
            finally:
                for each in servers:
                    each.close()

        return asyncio.run(scene())

    def verdict(self, expectation: Reaches, patience: float = 5.0) -> Verdict:
        return judge(expectation, self.observe(expectation.probe, patience), self.names)


def ref(text: str) -> Reference:
    return parse_reference(text, "test")


def ask(protocol: Protocol, sender: str, target: str, port: int = 53) -> Probe:
    to: Reference | str = target if target[0].isdigit() else ref(target)
    number = None if protocol is Protocol.ICMP else port
    return Probe(protocol, ref(sender), to, number, None, 4)


def reaches(probe: Probe, *path: str, source: str | None = None) -> Reaches:
    nics = tuple(ref(nic) for nic in path)
    return Reaches("it", WHERE, None, probe, nics, None, (), ref(source) if source else None)


def across_nodes(cluster: Cluster) -> None:
    path = "web.eth0", "worker01.ens192", "controller.ens192", "far.eth0"
    for protocol in Protocol:
        probe = ask(protocol, "web", "far.eth0")
        verdict = cluster.verdict(reaches(probe, *path, source="web.eth0"))
        assert verdict.ok, verdict
        assert verdict.sentence.endswith(f"{' -> '.join(path)} and back")


def by_the_macvlan_link(cluster: Cluster) -> None:
    path = "client.eth0", "worker01.ens192", "web.net1"
    for protocol in Protocol:
        verdict = cluster.verdict(reaches(ask(protocol, "client", "web.net1"), *path))
        assert verdict.ok, verdict


def from_a_bound_address_through_the_router(cluster: Cluster) -> None:
    path = "web.net1", "worker01.ens192", "router.lan6", "router.lan7", "outside.eth0"
    for protocol in Protocol:
        probe = ask(protocol, "web.net1", "outside.eth0")
        verdict = cluster.verdict(reaches(probe, *path, source="web.net1"))
        assert verdict.ok, verdict


def many_at_once_are_not_mixed_up(cluster: Cluster) -> None:
    path = "client.eth0", "worker01.ens192", "web.net1"
    there = [ask(protocol, "client", "web.net1") for protocol in Protocol] * 10

    async def scene() -> list[Observation]:
        server = EchoServers(cluster.namespaces["default/web"], "default/web")
        await server.open(SERVED)
        sendings = [resolve(probe, cluster.names) for probe in there]
        common = cluster.namespaces, cluster.capture, cluster.wires, 5.0
        try:
            return await asyncio.gather(*(observe(each, *common) for each in sendings))
        finally:
            server.close()

    for probe, seen in zip(there, asyncio.run(scene()), strict=True):
        verdict = judge(reaches(probe, *path), seen, cluster.names)
        assert verdict.ok, verdict


def another_nic_than_expected_is_named(cluster: Cluster) -> None:
    probe = ask(Protocol.UDP, "web", "far.eth0")
    verdict = cluster.verdict(reaches(probe, "web.net1", "far.eth0"))
    assert not verdict.ok
    assert verdict.sentence == (
        "it (scenario.yaml:7): udp web -> far.eth0 port 53: "
        "the request leaves by web.eth0, expected web.net1"
    )
    assert verdict.expected[0] == "path web.net1 -> far.eth0"
    assert sum(line.startswith("data reply: ") for line in verdict.seen) > 6


def an_answer_by_another_nic_is_no_success(cluster: Cluster) -> None:
    """Without net1's rule the pod answers by eth0; the client gets its answer all the same."""
    pod, node = cluster.namespaces["default/web"], cluster.namespaces["worker01"]
    apply(pod, [DeleteRule(NET1_RULE)])
    apply(pod, [AddRoute(route("10.6.212.250/32", "eth0", "169.254.1.1"))])
    for link in dump(node).links:
        apply(node, [SetSysctl(f"ipv4/conf/{link.name}/rp_filter", "0")])
    apply(node, [SetSysctl("ipv4/conf/all/rp_filter", "0")])
    for protocol in Protocol:
        expectation = reaches(
            ask(protocol, "client", "web.net1"), "client.eth0", "worker01.ens192", "web.net1"
        )
        observation = cluster.observe(expectation.probe)
        assert observation.answer.outcome is Outcome.REPLIED
        verdict = judge(expectation, observation, cluster.names)
        assert not verdict.ok
        assert "reply leaves by web.eth0, but the request came in by web.net1" in verdict.sentence
        why = explain(observation, cluster.namespaces)
        assert (
            "reply: default/web: rule 32766: from all lookup main"
            " -> 10.6.212.250 via 169.254.1.1 dev eth0"
        ) in why


def a_handshake_that_cannot_end_is_followed(cluster: Cluster) -> None:
    """The node drops the SYN-ACK that comes by the wrong NIC; nothing has an identity yet."""
    pod = cluster.namespaces["default/web"]
    gateway = Neighbour(IfName("eth0"), Address("169.254.1.1"), "ee:ee:ee:ee:ee:ee")
    subject = route("10.6.212.250/32", "eth0", gateway.address)
    apply(pod, [DeleteRule(NET1_RULE), AddRoute(subject), SetNeighbour(gateway)])
    expectation = reaches(ask(Protocol.TCP, "client", "web.net1"), "client.eth0", "web.net1")
    verdict = cluster.verdict(expectation, patience=0.3)
    assert not verdict.ok
    assert "tcp client -> web.net1 port 53 was not answered: timeout" in verdict.sentence
    assert "handshake's reply was last seen coming in by worker01.cali" in verdict.sentence


def negatives_need_a_control(cluster: Cluster) -> None:
    pod = cluster.namespaces["default/web"]
    apply(pod, [AddRoute(route("10.7.212.0/24", type=RouteType.BLACKHOLE))])
    apply(pod, [AddRoute(route("10.7.212.0/24", type=RouteType.BLACKHOLE, table=TableID(100)))])
    apply(
        cluster.namespaces["outside"],
        [AddRoute(route("10.6.212.250/32", type=RouteType.BLACKHOLE))],
    )
    good = reaches(
        ask(Protocol.UDP, "web", "far.eth0"),
        *("web.eth0", "worker01.ens192", "controller.ens192", "far.eth0"),
    )
    control = cluster.verdict(good)
    assert control.ok, control
    for probe, outcome in [
        (ask(Protocol.UDP, "web", "outside.eth0"), Outcome.NO_ROUTE),
        (ask(Protocol.UDP, "web", "far.eth0", 54), Outcome.REFUSED),
        (ask(Protocol.UDP, "client", "10.9.9.9"), Outcome.UNREACHABLE),
        (ask(Protocol.UDP, "client", "outside.eth0"), Outcome.TIMEOUT),
    ]:
        seen = cluster.observe(probe, 0.3 if outcome is Outcome.TIMEOUT else 5.0)
        blocked = Blocked("no", WHERE, None, probe, (outcome,), "it")
        verdict = judge(blocked, Contrast(seen, control), cluster.names)
        assert verdict.ok, verdict
        other = Blocked("no", WHERE, None, probe, (Outcome.PROHIBITED,), "it")
        assert f"ended {outcome}" in judge(other, Contrast(seen, control), cluster.names).sentence


def an_unsent_probe_is_explained(cluster: Cluster) -> None:
    apply(
        cluster.namespaces["default/web"],
        [AddRoute(route("10.7.212.0/24", type=RouteType.BLACKHOLE))],
    )
    observation = cluster.observe(ask(Protocol.UDP, "web", "outside.eth0"))
    (why,) = explain(observation, cluster.namespaces)
    assert why.startswith("request: default/web: rule 32766: from all lookup main -> blackhole ")


def run(scene: Callable[[Cluster], None]) -> None:
    with ExitStack() as stack:
        scene(Cluster(stack))


@pytest.mark.parametrize(
    "scene",
    [
        across_nodes,
        by_the_macvlan_link,
        from_a_bound_address_through_the_router,
        many_at_once_are_not_mixed_up,
        another_nic_than_expected_is_named,
        an_answer_by_another_nic_is_no_success,
        a_handshake_that_cannot_end_is_followed,
        negatives_need_a_control,
        an_unsent_probe_is_explained,
    ],
    ids=lambda scene: scene.__name__,
)
def test_observed(scene: Callable[[Cluster], None]) -> None:
    isolated.call(run, scene)


def test_places_are_as_a_scenario_names_them() -> None:
    names = Names({"web": PodFacts("default/web", "web-x", "worker01")}, {}, {"default/web": {}})
    assert names.place(Place("web")) == "default/web"
