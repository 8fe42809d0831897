"""How the cluster's CIDRs are found out."""

from typing import Any

import pytest

from spiderpool.controller.clusterconfig import from_controller_manager, from_kubeadm
from spiderpool.controller.discovery import ClusterFacts, discover, source_of_pods
from spiderpool.errors import BadInput
from spiderpool.types.codec import decode
from spiderpool.types.coordinator import CoordinatorSpec, CoordinatorStatus
from spiderpool.types.modes import Phase, PodCIDRType

PODS, SERVICES = "10.233.64.0/18", "10.233.0.0/18"
TEXT = f"""\
apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
networking:
  dnsDomain: cluster.local
  podSubnet: {PODS}
  serviceSubnet: {SERVICES}
"""


def kubeadm(text: Any = TEXT) -> dict[str, Any]:
    return {"metadata": {"name": "kubeadm-config"}, "data": {"ClusterConfiguration": text}}


def manager(*args: str) -> dict[str, Any]:
    metadata = {"name": "kcm-node1", "namespace": "kube-system"}
    containers = [{"command": ["kube-controller-manager"], "args": list(args)}]
    return {"metadata": metadata, "spec": {"containers": containers}}


def pool(name: str, cidr: str, created: str = "", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "creationTimestamp": created}
    return {"metadata": metadata, "spec": {"cidr": cidr} | spec}


def cilium(**data: str) -> dict[str, Any]:
    return {"metadata": {"name": "cilium-config"}, "data": data}


def found(kind: str = "cluster", *, spec: dict[str, Any] | None = None, **facts: Any) -> Any:
    whole = decode(CoordinatorSpec, {"podCIDRType": kind} | (spec or {}), "spec")
    return discover(whole, ClusterFacts(**facts))


def synced(pods: list[str], services: tuple[str, ...] = (SERVICES,)) -> CoordinatorStatus:
    return CoordinatorStatus(
        phase=Phase.SYNCED, overlay_pod_cidr=tuple(pods), service_cidr=services
    )


def test_kubeadm_config_comes_first() -> None:
    other = manager("--cluster-cidr=1.0.0.0/8", "--service-cluster-ip-range=2.0.0.0/8")
    status = found(kubeadm_config=kubeadm(), controller_managers=(other,))
    assert status == synced([PODS])


def test_dual_stack_lists() -> None:
    text = "networking: {podSubnet: '10.1.0.0/16,fd00:1::/64', serviceSubnet: '10.2.0.0/16'}"
    assert found(kubeadm_config=kubeadm(text)) == synced(
        ["10.1.0.0/16", "fd00:1::/64"], ("10.2.0.0/16",)
    )


@pytest.mark.parametrize(
    "args",
    [
        (f"--cluster-cidr={PODS}", f"--service-cluster-ip-range={SERVICES}"),
        ("--cluster-cidr", PODS, "--service-cluster-ip-range", SERVICES),
    ],
)
def test_then_the_controller_manager(args: tuple[str, ...]) -> None:
    assert found(controller_managers=(manager(*args),)) == synced([PODS])


def test_each_list_is_completed_for_itself() -> None:
    half = kubeadm("networking:\n  podSubnet: 10.1.0.0/16\n")
    other = manager(f"--cluster-cidr={PODS}", f"--service-cluster-ip-range={SERVICES}")
    status = found(kubeadm_config=half, controller_managers=(other,))
    assert status == synced(["10.1.0.0/16"])


def test_nothing_at_all() -> None:
    status = found()
    assert status.phase is Phase.NOT_READY
    assert status.reason == (
        "the cluster's CIDRs are not known: neither ConfigMap kube-system/kubeadm-config nor a "
        "kube-controller-manager pod was found; set spec.overlayPodCIDR and spec.serviceCIDR of "
        "the SpiderCoordinator by hand, or write ConfigMap kubeadm-config; it is read at once"
    )


def test_a_nested_map_gets_its_precise_reason() -> None:
    status = found(kubeadm_config=kubeadm({"networking": {"podSubnet": PODS}}))
    assert status.phase is Phase.NOT_READY
    assert (
        "ConfigMap kube-system/kubeadm-config: data.ClusterConfiguration: must be text but is a "
        "map; put the YAML block marker (a vertical bar) after ClusterConfiguration:"
    ) in status.reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "networking:\n  podSubnet: [10.1.0.0/16]\n",
            "line 2: networking.podSubnet: is a sequence; write one text, with commas",
        ),
        ("a: " + "[" * 3000, "data.ClusterConfiguration: not YAML: "),
        (
            "networking:\n  podSubnet: 10.1.0.0\n",
            "line 2: networking.podSubnet: '10.1.0.0' is not a CIDR",
        ),
        ("networking:\n  serviceSubnet: x/8\n", "line 2: networking.serviceSubnet: 'x' is not"),
        ("a: [1\nb: 2", "line 2: not YAML"),
    ],
)
def test_a_mistake_in_the_document_is_quoted_with_its_line(text: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        from_kubeadm(kubeadm(text))
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "networking: x\n", "just text"])
def test_a_document_of_another_shape_says_nothing(text: str) -> None:
    cidrs = from_kubeadm(kubeadm(text))
    assert (cidrs.pods, cidrs.services) == ((), ())


def test_a_bad_flag_names_the_pod() -> None:
    with pytest.raises(BadInput, match=r"^Pod kube-system/kcm-node1: --cluster-cidr: 'x' is not"):
        from_controller_manager(manager("--cluster-cidr=x"))


def test_a_controller_manager_without_flags_is_not_ready() -> None:
    status = found(controller_managers=(manager("--leader-elect=true"),))
    assert status.phase is Phase.NOT_READY
    assert "Pod kube-system/kcm-node1 says no pod CIDR" in status.reason


def test_calico_pools_by_age_without_those_that_are_off_or_going() -> None:
    gone = pool("gone", "10.9.0.0/16")
    gone["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    pools = (
        pool("b", "10.245.0.0/16", "2026-02-01T00:00:00Z"),
        pool("a", "10.246.0.0/16", "2026-03-01T00:00:00Z"),
        pool("c", "fd00:244::/64", "2026-01-01T00:00:00Z"),
        pool("off", "10.8.0.0/16", disabled=True),
        gone,
    )
    status = found("calico", kubeadm_config=kubeadm(), calico_pools=pools)
    assert status == synced(["fd00:244::/64", "10.245.0.0/16", "10.246.0.0/16"])


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "podCIDRType calico: ippools.crd.projectcalico.org is not installed"),
        ({"calico_pools": ()}, "podCIDRType calico: no enabled pool"),
        ({"calico_pools": (pool("a", "x"),)}, "IPPool a: spec.cidr: 'x' is not a CIDR"),
        ({"calico_pools": ({"metadata": {"name": "a"}},)}, "IPPool a: spec.cidr: '' is not a CIDR"),
    ],
)
def test_calico_that_cannot_be_read(facts: dict[str, Any], words: str) -> None:
    status = found("calico", kubeadm_config=kubeadm(), **facts)
    assert status.phase is Phase.NOT_READY
    assert words in status.reason
    assert status.service_cidr == (SERVICES,)


@pytest.mark.parametrize(
    ("data", "pools", "pods"),
    [
        (
            {
                "ipam": "cluster-pool",
                "cluster-pool-ipv4-cidr": "10.250.0.0/16 10.251.0.0/16",
                "cluster-pool-ipv6-cidr": "fd00:250::/64",
            },
            None,
            ["10.250.0.0/16", "10.251.0.0/16", "fd00:250::/64"],
        ),
        ({"ipam": "kubernetes"}, None, [PODS]),
        (
            {"ipam": "multi-pool"},
            ({"metadata": {"name": "a"}, "spec": {"ipv4": {"cidrs": ["10.3.0.0/16"]}}},),
            ["10.3.0.0/16"],
        ),
    ],
)
def test_cilium(data: dict[str, str], pools: Any, pods: list[str]) -> None:
    status = found(
        "cilium", kubeadm_config=kubeadm(), cilium_config=cilium(**data), cilium_pools=pools
    )
    assert status == synced(pods)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (None, "ConfigMap kube-system/cilium-config is missing"),
        (cilium(ipam="eni"), "data.ipam: mode 'eni' is not supported"),
        (cilium(ipam="cluster-pool"), "data.cluster-pool-ipv4-cidr is missing"),
        (cilium(ipam="multi-pool"), "ciliumpodippools.cilium.io is not installed"),
    ],
)
def test_cilium_that_cannot_be_read(config: Any, words: str) -> None:
    status = found("cilium", kubeadm_config=kubeadm(), cilium_config=config)
    assert status.phase is Phase.NOT_READY
    assert words in status.reason


def test_none_needs_the_service_cidr_only() -> None:
    assert found("none", kubeadm_config=kubeadm()) == synced([])
    assert found("none").phase is Phase.NOT_READY


def test_service_cidr_objects_win_over_what_kubeadm_was_told() -> None:
    objects = (
        {"metadata": {"name": "more"}, "spec": {"cidrs": ["10.7.0.0/16"]}},
        {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.6.0.0/16", "fd00::/108"]}},
    )
    status = found(kubeadm_config=kubeadm(), service_cidrs=objects)
    assert status == synced([PODS], ("10.6.0.0/16", "fd00::/108", "10.7.0.0/16"))


def test_lists_given_by_hand_need_nothing_else() -> None:
    spec = {"overlayPodCIDR": ["10.1.0.0/16"], "serviceCIDR": ["10.2.0.0/16", "10.3.0.1"]}
    assert found("calico", spec=spec) == synced(["10.1.0.0/16"], ("10.2.0.0/16", "10.3.0.1/32"))


@pytest.mark.parametrize(
    ("facts", "source"),
    [
        ({"default_cni": ("k8s-pod-network", "calico")}, PodCIDRType.CALICO),
        ({"default_cni": ("cbr0", "flannel")}, PodCIDRType.CLUSTER),
        ({"default_cni": ("cilium", "cilium-cni")}, PodCIDRType.CILIUM),
        ({"default_cni": ("mine", "macvlan")}, PodCIDRType.NONE),
        ({"default_cni": ()}, PodCIDRType.NONE),
        ({"calico_pools": (pool("a", PODS),)}, PodCIDRType.CALICO),
        ({"calico_pools": ()}, PodCIDRType.CLUSTER),
        ({"cilium_config": cilium()}, PodCIDRType.CILIUM),
        ({}, PodCIDRType.CLUSTER),
    ],
)
def test_auto(facts: dict[str, Any], source: PodCIDRType) -> None:
    assert source_of_pods(ClusterFacts(**facts)) is source
