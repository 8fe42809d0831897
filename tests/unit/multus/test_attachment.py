"""SpiderMultusConfig -> NetworkAttachmentDefinition."""

import json
from typing import Any

import pytest

from spiderpool.errors import BadInput
from spiderpool.multus.attachment import attachment, probing, repaired
from spiderpool.multus.old_names import read_network
from spiderpool.types.codec import decode
from spiderpool.types.coordinator import CoordinatorSpec

OVERLAY = decode(CoordinatorSpec, {"podCIDRType": "calico", "mode": "overlay"}, "cluster")
PAGE_SPEC = {
    "cniType": "macvlan",
    "macvlan": {"master": ["ens192"], "ippools": {"ipv4": ["10-6-v4"]}, "vlanID": 0},
}


def network(spec: dict[str, Any], **annotations: str) -> dict[str, Any]:
    metadata = {"name": "net", "namespace": "default", "uid": "u1", "annotations": annotations}
    return {"metadata": metadata, "spec": spec}


def nad_of(
    spec: dict[str, Any], cluster: CoordinatorSpec | None = OVERLAY, **annotations: str
) -> dict[str, Any]:
    smc, _ = read_network(network(spec, **annotations))
    return attachment(smc, cluster)


def plugins(spec: dict[str, Any], cluster: CoordinatorSpec | None = OVERLAY) -> Any:
    return json.loads(nad_of(spec, cluster)["spec"]["config"])["plugins"]


def chain(spec: dict[str, Any]) -> list[str]:
    return [plugin["type"] for plugin in plugins(spec)]


def test_the_page() -> None:
    nad = nad_of(PAGE_SPEC)
    assert nad["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "spiderpool.spidernet.io/v2beta1",
            "kind": "SpiderMultusConfig",
            "name": "net",
            "uid": "u1",
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert json.loads(nad["spec"]["config"]) == {
        "cniVersion": "0.3.1",
        "name": "net",
        "plugins": [
            {
                "type": "macvlan",
                "master": "ens192",
                "mode": "bridge",
                "ipam": {"type": "spiderpool", "default_ipv4_ippool": ["10-6-v4"]},
            },
            {
                "type": "coordinator",
                "mode": "overlay",
                "tunePodRoutes": True,
                "hostRuleTable": 500,
                "txQueueLen": 0,
                "detectGateway": False,
                "detectIPConflict": False,
            },
        ],
    }


@pytest.mark.parametrize("kind", ["macvlan", "ipvlan"])
def test_conflicts_are_detected_before_the_nic_has_its_address(kind: str) -> None:
    spec = {"cniType": kind, kind: PAGE_SPEC["macvlan"]}
    for cluster, said, expected in (
        (True, {}, True),
        (False, {"coordinator": {"detectIPConflict": True}}, True),
        (True, {"coordinator": {"detectIPConflict": False}}, None),
        (True, {"enableCoordinator": False}, None),
        (False, {}, None),
    ):
        settings = {"podCIDRType": "calico", "mode": "overlay", "detectIPConflict": cluster}
        main, *_ = plugins(spec | said, decode(CoordinatorSpec, settings, "cluster"))
        assert main["ipam"].get("detect_ip_conflict") is expected


def test_addresses_of_another_ipam_are_not_ours_to_probe() -> None:
    plugin = {"type": "macvlan", "ipam": {"type": "host-local"}}
    assert probing(plugin) is plugin
    assert probing({"type": "macvlan"}) == {"type": "macvlan"}


def test_the_same_network_is_the_same_text() -> None:
    spec = {"macvlan": PAGE_SPEC["macvlan"], "cniType": "macvlan"}
    assert nad_of(spec) == nad_of(PAGE_SPEC)
    assert nad_of(PAGE_SPEC)["spec"]["config"].startswith('{"cniVersion":"0.3.1","name":"net"')


def test_a_network_inherits_what_it_does_not_say() -> None:
    said = plugins(PAGE_SPEC | {"coordinator": {"hostRuleTable": 600}})[-1]
    assert (said["mode"], said["hostRuleTable"]) == ("overlay", 600)
    assert plugins(PAGE_SPEC | {"coordinator": {"mode": "underlay"}})[-1]["mode"] == "underlay"


def test_without_a_coordinator_object_everything_is_left_to_the_agent() -> None:
    assert plugins(PAGE_SPEC, None)[-1] == {"type": "coordinator"}


def test_the_clusters_default_route_nic_is_not_written_since_a_pods_annotation_wins_over_it() -> (
    None
):
    cluster = decode(CoordinatorSpec, {"podCIDRType": "auto", "podDefaultRouteNIC": "net1"}, "c")
    assert "podDefaultRouteNic" not in plugins(PAGE_SPEC, cluster)[-1]
    own = PAGE_SPEC | {"coordinator": {"podDefaultRouteNIC": "net1"}}
    assert plugins(own, cluster)[-1]["podDefaultRouteNic"] == "net1"


def test_lone_addresses_become_networks() -> None:
    settings = {
        "hijackCIDR": ["10.9.0.1", "10.8.0.0/16"],
        "policyRoutes": [{"dst": "fd00::1", "gw": "fd00::2"}],
    }
    entry = plugins(PAGE_SPEC | {"coordinator": settings})[-1]
    assert entry["hijackCIDR"] == ["10.9.0.1/32", "10.8.0.0/16"]
    assert entry["policyRoutes"] == [{"dst": "fd00::1/128", "gw": "fd00::2"}]


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        (PAGE_SPEC, ["macvlan", "coordinator"]),
        (PAGE_SPEC | {"enableCoordinator": False}, ["macvlan"]),
        (
            {"cniType": "ipvlan", "ipvlan": {"master": ["a"], "vlanID": 5}},
            ["ifacer", "ipvlan", "coordinator"],
        ),
        ({"cniType": "vlan", "vlan": {"master": ["a"], "vlanID": 5}}, ["vlan", "coordinator"]),
        (
            {"cniType": "sriov", "sriov": {"resourceName": "r/n", "rdmaIsolation": True, "mtu": 9}},
            ["sriov", "rdma", "coordinator", "tuning"],
        ),
        ({"cniType": "ib-sriov", "ibsriov": {"resourceName": "r/n"}}, ["ib-sriov", "coordinator"]),
        ({"cniType": "ipoib", "ipoib": {"master": "ib0"}}, ["ipoib", "coordinator"]),
        (
            {
                "cniType": "ovs",
                "ovs": {"bridge": "br1"},
                "chainCNIJsonData": ['{"type":"tuning"}', '{"type":"sbr"}'],
            },
            ["ovs", "tuning", "sbr", "coordinator"],
        ),
    ],
)
def test_order_of_the_chain(spec: dict[str, Any], types: list[str]) -> None:
    assert chain(spec) == types


def test_bond_and_vlan_together() -> None:
    bond = {"name": "bond0", "mode": 1, "options": "miimon=100"}
    spec = {"cniType": "macvlan", "macvlan": {"master": ["a", "b"], "bond": bond, "vlanID": 7}}
    ifacer, macvlan, _ = plugins(spec)
    assert ifacer == {"type": "ifacer", "interfaces": ["a", "b"], "vlanID": 7, "bond": bond}
    assert macvlan["master"] == "bond0.7"


def test_disable_ipam_leaves_no_ipam() -> None:
    assert "ipam" not in plugins(PAGE_SPEC | {"disableIPAM": True})[0]


@pytest.mark.parametrize("text", ["", None])
def test_a_custom_network_may_have_no_configuration(text: str | None) -> None:
    assert nad_of({"customCNI": text})["spec"] == {}


def test_a_custom_configuration_is_kept_byte_for_byte() -> None:
    text = '{ "cniVersion":"0.3.1",\n"type": "bridge" }'
    assert nad_of({"cniType": "custom", "customCNI": text})["spec"]["config"] == text


def test_annotations_set_names_and_version() -> None:
    smc, _ = read_network(
        network(
            PAGE_SPEC,
            **{
                "multus.spidernet.io/cr-name": "renamed",
                "multus.spidernet.io/cni-version": "1.0.0",
                "cni.spidernet.io/cniconfig-name": "mycni",
            },
        )
    )
    nad = attachment(smc, OVERLAY)
    assert nad["metadata"]["name"] == "renamed"
    config = json.loads(nad["spec"]["config"])
    assert (config["cniVersion"], config["name"]) == ("1.0.0", "mycni")


def test_the_device_plugins_resource_is_annotated() -> None:
    resource = "k8s.v1.cni.cncf.io/resourceName"
    sriov = nad_of({"cniType": "sriov", "sriov": {"resourceName": "r/n"}})
    assert sriov["metadata"]["annotations"] == {resource: "r/n"}
    ovs = nad_of({"cniType": "ovs", "ovs": {"bridge": "br1", "deviceID": "0000:03:02.0"}})
    assert ovs["metadata"]["annotations"] == {resource: "ovs-cni.network.kubevirt.io/br1"}


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        (
            {"cniType": "macvlan"},
            "SpiderMultusConfig default/net: no spec.macvlan specified for cniType macvlan",
        ),
        (PAGE_SPEC | {"chainCNIJsonData": ["{"]}, "spec.chainCNIJsonData[0]: not JSON"),
        (PAGE_SPEC | {"chainCNIJsonData": ['{"a":1}']}, 'chainCNIJsonData[0]: "type" is missing'),
    ],
)
def test_what_cannot_be_made(spec: dict[str, Any], error: str) -> None:
    with pytest.raises(BadInput) as caught:
        nad_of(spec)
    assert error in str(caught.value)


def test_repair_restores_what_was_edited_and_keeps_what_is_of_others() -> None:
    desired = nad_of(PAGE_SPEC, a="1")
    actual = desired | {
        "metadata": desired["metadata"]
        | {
            "resourceVersion": "5",
            "ownerReferences": [],
            "annotations": {"theirs": "x", "multus.spidernet.io/cr-name": "gone", "a": "2"},
        },
        "spec": {"config": "{}"},
    }
    fixed = repaired(actual, desired)
    assert fixed is not None
    assert fixed["spec"] == desired["spec"]
    assert fixed["metadata"]["resourceVersion"] == "5"
    assert fixed["metadata"]["annotations"] == {"theirs": "x", "a": "1"}
    assert fixed["metadata"]["ownerReferences"] == desired["metadata"]["ownerReferences"]
    assert repaired(fixed, desired) is None


def test_owners_of_others_stay_owners() -> None:
    desired = nad_of(PAGE_SPEC)
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "name": "bundle", "uid": "u9"}
    old = desired["metadata"]["ownerReferences"][0] | {"uid": "an earlier one's"}
    actual = desired | {"metadata": desired["metadata"] | {"ownerReferences": [old, theirs]}}
    fixed = repaired(actual, desired)
    assert fixed is not None
    owners = [theirs, *desired["metadata"]["ownerReferences"]]
    assert fixed["metadata"]["ownerReferences"] == owners
    assert repaired(fixed, desired) is None
