"""Objects of all kinds, spoilt at random: the webhook answers each, and what definitions and
rules let in is read by whoever works with it, our own plugins included."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from harness.kubeapi.cel.rules import rule_causes
from harness.kubeapi.schema.structural import fill_defaults, prune
from harness.kubeapi.schema.validate import validate
from spiderpool.agent.configuration import configuration
from spiderpool.controller.admission import review
from spiderpool.controller.admission.findings import Cluster
from spiderpool.controller.discovery import ClusterFacts, discover
from spiderpool.controller.subnets import status_of
from spiderpool.ifacer.config import configuration as ifacer
from spiderpool.ipam.netconf import read_conf
from spiderpool.ipam.pools import grounds, read_pool, read_reserved
from spiderpool.multus.attachment import attachment
from spiderpool.multus.old_names import read_network
from spiderpool.types.coordinator import SpiderCoordinator
from spiderpool.types.crd import definition
from spiderpool.types.metadata import read
from spiderpool.types.registry import KINDS
from spiderpool.types.subnet import SpiderSubnet

Object = dict[str, Any]
SCHEMAS: dict[str, Object] = {
    cls.KIND.plural: definition(cls)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for cls in KINDS
}
NETWORK = {
    "subnet": "10.7.0.0/24", "ips": ["10.7.0.5", "10.7.0.9-10.7.0.20"],
    "excludeIPs": ["10.7.0.10"], "gateway": "10.7.0.1",
    "routes": [{"dst": "10.20.0.0/16", "gw": "10.7.0.2"}],
}  # fmt: skip
SETTINGS = {
    "mode": "overlay", "hijackCIDR": ["169.254.0.0/16", "10.0.0.1"], "podMACPrefix": "0a:1b",
    "policyRoutes": [{"dst": "10.0.0.0/8", "gw": "10.6.0.1"}], "podDefaultRouteNIC": "net1",
    "hostRuleTable": 500, "podRPFilter": 0, "txQueueLen": 5, "vethLinkAddress": "169.254.1.9",
    "vethMTU": 1400,
}  # fmt: skip
BONDED = {
    "master": ["eth1", "eth2"], "vlanID": 5, "ippools": {"ipv4": ["a"]},
    "bond": {"name": "bond0", "mode": 1, "options": "miimon=100;primary=eth1"},
}  # fmt: skip
SEEDS: dict[str, list[Object]] = {
    "spiderippools": [
        NETWORK | {"podAffinity": {"matchLabels": {"a": "b"}}, "multusName": ["default/x"]},
        {"subnet": "fd00::/64", "ips": ["fd00::10-fd00::ff"], "gateway": "fd00::1"},
    ],
    "spidersubnets": [NETWORK],
    "spiderreservedips": [{"ips": ["10.6.0.1", "10.6.0.5-10.6.0.9"]}, {"ips": ["fd00::1"]}],
    "spidercoordinators": [SETTINGS | {"podCIDRType": "cluster", "serviceCIDR": ["10.2.0.0/16"]}],
    "spidermultusconfigs": [
        {"cniType": "macvlan", "macvlan": BONDED, "coordinator": SETTINGS,
         "chainCNIJsonData": ['{"type":"tuning"}']},
        {"cniType": "vlan", "vlan": {"master": ["eth1"], "vlanID": 7,
         "spiderpoolConfigPools": {"IPv4IPPool": ["a"]}, "ippools": {"ipv6": ["b"]}},
         "coordinator": {"tuneMode": "overlay"}},
        {"cniType": "ovs", "ovs": {"bridge": "br1", "trunk": [{"minID": 1, "maxID": 10}]}},
        {"cniType": "custom", "customCNI": '{"plugins":[{"type":"ptp"}]}'},
    ],
}  # fmt: skip
ODD: list[Any] = [
    None, True, [], {}, [[]], [None], "", " ", "x", 0, -1, 7, 67, 255, 4095, 2**31, 2**63, 1.5,
    "10.6.0.1", "10.7.0.9-10.7.0.1", "10.6.0.1-fd00::1", "::ffff:10.6.0.1", "10.6.0.1/16", "::/0",
    "0.0.0.0/0", "fd00::9-fd00::1", "fe80::1%eth0", "010.7.0.1", "1-2-3", "-", "٣", "a\0b", "en s",
    "..", "é" * 8, "e" * 16, "\x1b[31m", "a/b/c", "[a", "x" * 400, "01:aa", "miimon=x", "x=y",
    "primary=z", '{"type":"x","v":NaN}', '{"type":"x","v":1e999}', '{"type":"x","v":"\\ud800"}',
    '{"type":"x","type":"y"}', '{"type":"../x"}', '{"plugins":[]}', '{"type":5}', "{}", "[]", "{",
    '{"type":"x","v":' + "[" * 2000 + "]" * 2000 + "}",
]  # fmt: skip
ANNOTATIONS = ("multus.spidernet.io/cr-name", "cni.spidernet.io/cniconfig-name")


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of everything inside."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def spoilt(plural: str, chance: random.Random) -> Object:
    spec = copy.deepcopy(chance.choice(SEEDS[plural]))
    for _ in range(chance.choice((1, 1, 2))):
        container, key = chance.choice(list(places(spec)) or [(spec, "x")])
        if chance.random() < 0.2 and container:
            del container[key]
        else:
            container[key] = copy.deepcopy(chance.choice(ODD))
    metadata: Object = {"name": "x", "uid": "u", "namespace": "default"}
    if chance.random() < 0.2:
        text = chance.choice([word for word in ODD if isinstance(word, str)])
        metadata["annotations"] = {chance.choice(ANNOTATIONS): text}
    return {"metadata": metadata, "spec": spec}


def reviewed(plural: str, obj: Object) -> Object:
    resource, kind = {"resource": plural}, {"kind": "K"}
    return {"request": {"uid": "u", "resource": resource, "kind": kind, "object": obj}}


def stored(plural: str, obj: Object) -> Object | None:
    """What the API server would store; None when definition or webhook refuse it."""
    schema, new = SCHEMAS[plural], copy.deepcopy(obj)
    prune(schema, new)
    fill_defaults(schema, new)
    review.mutate(reviewed(plural, new), Cluster())
    answer = review.validate(reviewed(plural, new), Cluster())["response"]
    broken = validate(schema, new) or list(rule_causes(schema, new))
    return new if answer["allowed"] and not broken else None


STATUS = {"phase": "Synced", "overlayPodCIDR": ["10.1.0.0/16"], "serviceCIDR": ["10.2.0.0/16"]}
PLAIN = {"metadata": {"name": "default"}, "spec": {"podCIDRType": "cluster"}, "status": STATUS}


def read_as_pool(obj: Object) -> None:
    pool = read_pool(obj)
    grounds(pool, read_reserved([])[pool.family], [])


def read_as_coordinator(obj: Object) -> None:
    discover(read(SpiderCoordinator, obj).spec, ClusterFacts())
    configuration({}, obj | {"status": STATUS}, {})


def read_as_network(obj: Object) -> None:
    cluster = read(SpiderCoordinator, PLAIN).spec
    text = attachment(read_network(obj)[0], cluster)["spec"].get("config")
    for plugin in orjson.loads(text).get("plugins", ()) if text else ():
        if plugin["type"] == "ifacer":
            ifacer(plugin)
        elif plugin["type"] == "coordinator":
            configuration(plugin, PLAIN, {})
        elif "ipam" in plugin:
            read_conf(plugin)


READERS: dict[str, Callable[[Object], Any]] = {
    "spiderippools": read_as_pool,
    "spidersubnets": lambda obj: status_of(read(SpiderSubnet, obj), []),
    "spiderreservedips": lambda obj: read_reserved([obj]),
    "spidercoordinators": read_as_coordinator,
    "spidermultusconfigs": read_as_network,
}


@pytest.mark.parametrize("plural", SEEDS)
def test_what_is_let_in_can_be_worked_with(plural: str) -> None:
    chance = random.Random(plural)
    let_in = 0
    for _ in range(500):
        obj = stored(plural, spoilt(plural, chance))
        if obj is not None:
            let_in += 1
            READERS[plural](obj)
    assert 20 < let_in < 480, "nearly all or nearly none were tried"
