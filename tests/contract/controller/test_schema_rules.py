"""The rules in the definitions (CEL), each broken once: they hold while no webhook answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from controller_process import created, run

from spiderpool.errors import Invalid
from spiderpool.kube import resources
from spiderpool.kube.api import Client, Object
from spiderpool.kube.client import connect
from spiderpool.kube.resources import Resource
from spiderpool.types.crd import definition
from spiderpool.types.registry import KINDS

POOL = {"subnet": "10.6.0.0/16", "ips": ["10.6.0.5-10.6.0.9"]}
ROUTE = {"dst": "10.20.0.0/16", "gw": "10.6.0.2"}
COORDINATOR = {"podCIDRType": "none"}
VIA = {"dst": "10.0.0.0/8", "gw": "10.6.0.1"}
BOND = {"name": "bond0", "mode": 1}
LONG = "makes a device whose name, MASTER.VLAN, has more than 15 letters; use a shorter master"
NIC = "must be the name of a NIC: without blanks, '/' and ':'"
RANGE = "must be an IP, or a range of one family like 10.6.0.10-10.6.0.20"
BACKWARDS = "runs backwards; write the lower address first"
DEFAULT = "is a default route; set podDefaultRouteNIC to move that of pods"
FIXED = "is not changeable; create a new object"

OF_NETWORKS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "does not match subnet": [("ipVersion", {"ipVersion": 6})],
    "is not in subnet": [("gateway", {"gateway": "10.7.0.1"})],
    "the gw of a route is not in subnet": [("routes", {"routes": [ROUTE | {"gw": "10.7.0.1"}]})],
    "is outside of subnet": [
        ("ips", {"ips": ["10.7.0.1"]}),
        ("excludeIPs", {"excludeIPs": ["10.6.0.1-10.7.0.1"]}),
    ],
    "must be a CIDR without host bits, like 10.6.0.0/16": [
        ("subnet", {"subnet": "10.6.0.1/16"}),
        ("subnet", {"subnet": "10.6.0.0"}),
    ],
    RANGE: [
        ("ips[0]", {"ips": ["10.6.0"]}),
        ("ips[1]", {"ips": ["10.6.0.1", "10.6.0.1-fd00::1"]}),
        ("excludeIPs[0]", {"excludeIPs": ["10.6.0.1-"]}),
    ],
    BACKWARDS: [
        ("ips[0]", {"ips": [text]})
        for text in ("10.6.0.9-10.6.0.8", "10.6.10.0-10.6.9.9", "10.7.0.0-10.6.255.255",
                     "11.0.0.0-10.9.9.9")
    ],
    "must be an IP, like 10.6.0.1": [
        ("gateway", {"gateway": "x"}),
        ("routes[0].gw", {"routes": [ROUTE | {"gw": "x"}]}),
    ],
    "must be a CIDR without host bits, like 10.20.0.0/16": [
        ("routes[0].dst", {"routes": [ROUTE | {"dst": dst}]})
        for dst in ("10.20.0.0", "10.20.0.1/16")
    ],
    "please specify spec.gateway to configure the default route": [
        ("routes[1].dst", {"routes": [ROUTE, ROUTE | {"dst": "0.0.0.0/0"}]})
    ],
    "dst and gw must be of one family": [
        ("routes[0]", {"routes": [ROUTE | {"dst": "fd00::/64"}]})
    ],
    "two routes have the same dst; remove one": [("routes", {"routes": [ROUTE, ROUTE]})],
}  # fmt: skip

OF_SETTINGS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "must be a CIDR or an IP, like 10.20.0.0/16": [
        ("hijackCIDR[0]", {"hijackCIDR": ["10.0.0.0/33"]})
    ],
    DEFAULT: [("hijackCIDR[1]", {"hijackCIDR": ["10.0.0.1", "::/0"]})],
    "must be an IP, like 10.6.0.1": [("policyRoutes[0].gw", {"policyRoutes": [VIA | {"gw": "x"}]})],
    "must be a CIDR or an IP": [("policyRoutes[0].dst", {"policyRoutes": [VIA | {"dst": "x"}]})],
    "dst and gw must be of one family": [
        ("policyRoutes[1]", {"policyRoutes": [VIA, VIA | {"gw": "fd00::1"}]})
    ],
    "must be two bytes like 0a:1b, the first one even": [
        ("podMACPrefix", {"podMACPrefix": text}) for text in ("01:aa", "0g:00", "0a-1b")
    ],
    NIC: [("podDefaultRouteNIC", {"podDefaultRouteNIC": text}) for text in ("a b", "a/b", "..")],
    "tables 253, 254 and 255 are the kernel's own": [
        ("hostRuleTable", {"hostRuleTable": 253}),
        ("hostRuleTable", {"hostRuleTable": 255}),
    ],
    "must be an IP": [("vethLinkAddress", {"vethLinkAddress": "10.6.0.1/16"})],
}

Case = tuple[Object, str]
"""What is asked for, and the field that is told to be wrong."""


def macvlan(**block: Any) -> Object:
    return {"cniType": "macvlan", "macvlan": {"master": ["a"]} | block}


def _of(base: Object, table: dict[str, list[tuple[str, Object]]]) -> dict[str, list[Case]]:
    return {
        message: [(base | change, f"spec.{field}") for field, change in cases]
        for message, cases in table.items()
    }


BLOCKS: dict[str, Object] = {
    "macvlan": {"master": ["a"]},
    "ipvlan": {"master": ["a"]},
    "vlan": {"master": ["a"], "vlanID": 5},
    "sriov": {"resourceName": "a/b"},
    "ovs": {"bridge": "b"},
    "ib-sriov": {"resourceName": "a/b"},
    "ipoib": {"master": "ib0"},
}


def _of_blocks() -> Iterator[tuple[str, list[Case]]]:
    for cni_type, block in BLOCKS.items():
        field = cni_type.replace("-", "")
        other = {"cniType": "custom", field: block}
        yield f"is needed for cniType {cni_type}", [({"cniType": cni_type}, f"spec.{field}")]
        yield f"is read for cniType {cni_type} only; remove it", [(other, f"spec.{field}")]


def _ovs(trunk: Object) -> Object:
    return {"cniType": "ovs", "ovs": {"bridge": "b", "trunk": [trunk]}}


def _vlan(**block: Any) -> Object:
    return {"cniType": "vlan", "vlan": {"master": ["a"]} | block}


OF_ATTACHMENTS: dict[str, list[Case]] = {
    **dict(_of_blocks()),
    "is needed for several master NICs": [(macvlan(master=["a", "b"]), "spec.macvlan.bond")],
    "needs more than one master NIC": [(macvlan(bond=BOND), "spec.macvlan.bond")],
    "matchMasterSubnet is supported by cniType sriov only": [
        ({"cniType": t, t.replace("-", ""): BLOCKS[t] | {"ippools": {"matchMasterSubnet": True}}},
         f"spec.{t.replace('-', '')}.ippools")
        for t in BLOCKS if t != "sriov"
    ],
    LONG: [
        (macvlan(master=["enp129s0f1np1"], vlanID=100), "spec.macvlan.vlanID"),
        (macvlan(master=["a", "b"], bond=BOND | {"name": "a-long-bond"}, vlanID=4094),
         "spec.macvlan.vlanID"),
    ],
    "names a NIC twice; remove one": [
        (macvlan(master=["a", "a"], bond=BOND), "spec.macvlan.master")
    ],
    NIC: [
        (macvlan(master=["a:1"]), "spec.macvlan.master[0]"),
        (macvlan(master=["a", "b"], bond=BOND | {"name": "."}), "spec.macvlan.bond.name"),
        ({"cniType": "ovs", "ovs": {"bridge": "a/b"}}, "spec.ovs.bridge"),
        ({"cniType": "ipoib", "ipoib": {"master": "ib 0"}}, "spec.ipoib.master"),
        (macvlan() | {"coordinator": {"podDefaultRouteNIC": "a\tb"}},
         "spec.coordinator.podDefaultRouteNIC"),
    ],
    "is picked by vlanMode auto": [(_vlan(vlanMode="auto", vlanID=5), "spec.vlan.vlanID")],
    "vlanMode manual needs it": [(_vlan(), "spec.vlan.vlanID")],
    "is not JSON of an object, from { to }": [
        (macvlan() | {"chainCNIJsonData": ["{}", "[]"]}, "spec.chainCNIJsonData[1]"),
        ({"cniType": "custom", "customCNI": '{"type":"x"'}, "spec.customCNI"),
    ],
    "is greater than maxTxRateMbps": [
        ({"cniType": "sriov",
          "sriov": {"resourceName": "a/b", "minTxRateMbps": 9, "maxTxRateMbps": 5}},
         "spec.sriov.minTxRateMbps")
    ],
    "needs id, or minID and maxID": [(_ovs({"maxID": 5}), "spec.ovs.trunk[0]")],
    "is greater than maxID": [(_ovs({"minID": 9, "maxID": 5}), "spec.ovs.trunk[0].minID")],
    **{
        message: [(macvlan() | {"coordinator": change}, f"spec.coordinator.{field}")
                  for field, change in cases]
        for message, cases in OF_SETTINGS.items() if message != NIC
    },
}  # fmt: skip

BROKEN: dict[Resource, dict[str, list[Case]]] = {
    resources.SPIDERIPPOOL: _of(POOL, OF_NETWORKS)
    | _of(POOL, {
        "is empty; remove it or add labels": [("podAffinity", {"podAffinity": {}})],
        "each item must be name or namespace/name": [("multusName", {"multusName": ["a/b/c"]})],
    }),
    resources.SPIDERSUBNET: _of(POOL, OF_NETWORKS),
    resources.SPIDERRESERVEDIP: {
        "all items must be of one family": [({"ips": ["10.6.0.1", "fd00::1"]}, "spec.ips")],
        "an item is not of the family of ipVersion": [
            ({"ipVersion": 6, "ips": ["10.6.0.1"]}, "spec.ips")
        ],
        RANGE: [({"ips": ["1.2.3"]}, "spec.ips[0]")],
        BACKWARDS: [({"ips": ["10.6.0.9-10.6.0.1"]}, "spec.ips[0]")],
    },
    resources.SPIDERCOORDINATOR: _of(COORDINATOR, OF_SETTINGS),
    resources.SPIDERMULTUSCONFIG: OF_ATTACHMENTS,
}  # fmt: skip

CHANGES: dict[Resource, tuple[Object, list[tuple[str, Any]]]] = {
    resources.SPIDERIPPOOL: (POOL, [("subnet", "10.6.0.0/15"), ("ipVersion", 6)]),
    resources.SPIDERSUBNET: (POOL, [("subnet", "10.6.0.0/15"), ("ipVersion", 6)]),
    resources.SPIDERRESERVEDIP: ({"ips": ["10.6.0.1"]}, [("ipVersion", 6)]),
}
"""A good spec, and what may not change in it."""


def object_of(resource: Resource, spec: Object) -> Object:
    namespace = {"namespace": "default"} if resource is resources.SPIDERMULTUSCONFIG else {}
    return {"metadata": {"name": "schema-rules"} | namespace, "spec": spec}


def messages(node: Any) -> Iterator[str]:
    for rule in node.get("x-kubernetes-validations") or ():
        yield rule["message"]
    for inner in (*node.get("properties", {}).values(), *filter(None, [node.get("items")])):
        yield from messages(inner)


def causes(exc: Invalid) -> list[tuple[str, str]]:
    return [(cause["field"], cause["message"]) for cause in exc.details["causes"]]


async def refusal(client: Client, resource: Resource, spec: Object) -> list[tuple[str, str]]:
    try:
        await client.create(resource, object_of(resource, spec))
    except Invalid as exc:
        return causes(exc)
    raise AssertionError(f"{resource.kind} was taken: {spec}")


def test_every_rule_refuses_what_it_is_there_for_and_names_the_field(kubeconfig: Path) -> None:
    async def scene() -> None:
        client = connect(str(kubeconfig))
        for resource, by_message in BROKEN.items():
            for message, cases in by_message.items():
                for spec, field in cases:
                    found = await refusal(client, resource, spec)
                    assert [f for f, text in found if f == field and message in text], (spec, found)
                    assert not [text for _, text in found if "evaluation error" in text], found
        await client.close()

    run(scene)


def test_a_range_outside_of_its_subnet_is_quoted(kubeconfig: Path) -> None:
    async def scene() -> None:
        client = connect(str(kubeconfig))
        spec = POOL | {"ips": ["10.6.0.1", "10.6.255.9-10.7.0.9"]}
        found = await refusal(client, resources.SPIDERIPPOOL, spec)
        ((field, words),) = found
        assert field == "spec.ips"
        assert words.endswith(": 10.6.255.9-10.7.0.9 is outside of subnet 10.6.0.0/16")
        await client.close()

    run(scene)


def test_what_may_not_change_does_not(kubeconfig: Path) -> None:
    async def scene() -> None:
        client = connect(str(kubeconfig))
        for resource, (spec, changes) in CHANGES.items():
            good = spec | {"ipVersion": 4}
            await created(client, resource, object_of(resource, good))
            for field, value in changes:
                try:
                    await client.patch(resource, "schema-rules", {"spec": {field: value}})
                except Invalid as exc:
                    assert any(FIXED in text for f, text in causes(exc) if f == f"spec.{field}")
                else:
                    raise AssertionError(f"{resource.kind} changed {field}")
            await client.delete(resource, "schema-rules")
        await client.close()

    run(scene)


def test_no_rule_goes_untried() -> None:
    tried = {resource.plural: set(by_message) for resource, by_message in BROKEN.items()}
    for resource in CHANGES:
        tried[resource.plural].add(FIXED)
    for cls in KINDS:
        schema = definition(cls)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        assert set(messages(schema)) == tried.get(cls.KIND.plural, set()), cls.KIND.kind


FEW = range(0x1000, 0x1800, 2)
LONGEST = "1000:2000:3000:4000:5000:6000:7000"
LARGEST: dict[Resource, Object] = {
    resources.SPIDERIPPOOL: {
        "subnet": "1000:2000:3000:4000::/64",
        "ips": [f"{LONGEST}:{n:x}-{LONGEST}:{n:x}" for n in FEW],
        "excludeIPs": [f"{LONGEST}:{n:x}-{LONGEST}:{n:x}" for n in FEW],
        "routes": [{"dst": f"1000:{n:x}:3000:4000::/64", "gw": "1000:2000:3000:4000::1"}
                   for n in range(0x3000, 0x3040)],
        "multusName": [f"{'n' * 63}/{'m' * 200}-{n}" for n in range(256)],
    },
    resources.SPIDERRESERVEDIP: {
        "ips": [f"100.{n >> 8}.{n & 255}.100-100.{n >> 8}.{n & 255}.199" for n in range(1024)]
    },
    resources.SPIDERCOORDINATOR: COORDINATOR | {
        "hijackCIDR": [f"1000:{n:x}:3000:4000::/64" for n in range(256)],
        "overlayPodCIDR": [f"1000:{n:x}:3000:4000::/64" for n in range(256)],
        "serviceCIDR": [f"1000:{n:x}:3000:4000::/64" for n in range(256)],
        "policyRoutes": [{"dst": f"1000:{n:x}::/64", "gw": "1000::1"} for n in range(64)],
    },
    resources.SPIDERMULTUSCONFIG: macvlan(
        master=[f"nic-{n}" for n in range(32)], vlanID=4094, bond=BOND | {"options": "a=1;" * 256}
    ) | {"chainCNIJsonData": ['{"type":"x","a":"' + "b" * 65000 + '"}'] * 16},
}  # fmt: skip


def test_the_largest_that_the_schema_allows_is_within_the_budget_of_its_rules(
    kubeconfig: Path,
) -> None:
    async def scene() -> None:
        client = connect(str(kubeconfig))
        for resource, spec in LARGEST.items():
            obj = object_of(resource, spec)
            await client.create(resource, obj)
            await client.delete(resource, "schema-rules", obj["metadata"].get("namespace"))
        await client.close()

    run(scene)
