"""What the components of the cluster are told: configuration files and command lines. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realcluster_access import Access
from realcluster_machine import CNI_CONFIG, PLUGINS

from spiderpool.types.address import Address, Prefix, address_of, family_of, from_int, to_int

RUNTIME_SOCKET = Path("/run/containerd/containerd.sock")
PAUSE = "localhost/pause:1"
API_PORT = 6443
DNS = "10.233.0.3"
"""The page's CoreDNS; nobody is there until its manifest is applied."""
USERS = {
    "admin": "admin",
    "controller-manager": "system:kube-controller-manager",
    "scheduler": "system:kube-scheduler",
    "proxy": "system:kube-proxy",
}
"""The names that Kubernetes' own roles are bound to."""
PORTS = {
    "etcd": 2379,
    "kube-apiserver": API_PORT,
    "kube-controller-manager": 10257,
    "kube-scheduler": 10259,
    "kubelet": 10248,
    "kube-proxy": 10256,
}
"""Where each listens once it runs, on the loopback too."""


@dataclass(frozen=True, slots=True)
class Node:
    """The only one; ``pods`` is the part of ``pod_cidr`` that its pods get addresses of."""

    name: str
    address: Address
    pods: Prefix
    pod_cidr: Prefix
    service_cidr: Prefix


def api_url(node: Node) -> str:
    return f"https://{node.address}:{API_PORT}"


def first_service(node: Node) -> Address:
    """The address of the API's own Service."""
    network = address_of(node.service_cidr)
    return from_int(to_int(network) + 1, family_of(network))


def etcd(folder: Path) -> list[str]:
    """What it holds need not survive."""
    url = f"http://127.0.0.1:{PORTS['etcd']}"
    return [
        f"--data-dir={folder / 'etcd'}", "--unsafe-no-fsync", f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}", "--listen-peer-urls=http://127.0.0.1:2380",
        "--log-level=error",
    ]  # fmt: skip


def kube_apiserver(node: Node, access: Access) -> list[str]:
    """With RBAC, service accounts, and a kubelet that may touch its own node alone."""
    return [
        f"--etcd-servers=http://127.0.0.1:{PORTS['etcd']}", f"--advertise-address={node.address}",
        f"--secure-port={API_PORT}", f"--service-cluster-ip-range={node.service_cidr}",
        f"--tls-cert-file={access.certificate}", f"--tls-private-key-file={access.key}",
        f"--token-auth-file={access.tokens}", "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={access.account_key}",
        f"--service-account-signing-key-file={access.account_key}",
        "--kubelet-preferred-address-types=InternalIP",
    ]  # fmt: skip


def kube_controller_manager(node: Node, access: Access) -> list[str]:
    return [
        f"--kubeconfig={access.kubeconfig('controller-manager')}", "--leader-elect=false",
        "--bind-address=127.0.0.1", "--use-service-account-credentials",
        f"--service-account-private-key-file={access.account_key}",
        f"--root-ca-file={access.authority}", f"--service-cluster-ip-range={node.service_cidr}",
    ]  # fmt: skip


def kube_scheduler(access: Access) -> list[str]:
    kubeconfig = access.kubeconfig("scheduler")
    return [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--bind-address=127.0.0.1"]


def kubelet(node: Node, access: Access, config: Path) -> list[str]:
    return [
        f"--config={config}", f"--kubeconfig={access.kubeconfig('node')}",
        f"--hostname-override={node.name}", f"--node-ip={node.address}",
        "--cert-dir=/var/lib/kubelet/pki",
    ]  # fmt: skip


def kubelet_config(logs: Path, resolv_conf: Path) -> str:
    """For a machine whose control groups may be of version 1, and whose kernel is not ours."""
    return _config(
        "kubelet.config.k8s.io/v1beta1",
        "KubeletConfiguration",
        # only who is inside the cluster's namespaces reaches it
        authentication={"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        authorization={"mode": "AlwaysAllow"},
        containerRuntimeEndpoint=f"unix://{RUNTIME_SOCKET}",
        cgroupDriver="cgroupfs",
        failCgroupV1=False,
        cgroupsPerQOS=False,
        enforceNodeAllocatable=[],
        failSwapOn=False,
        localStorageCapacityIsolation=False,
        evictionHard={"memory.available": "0%", "nodefs.available": "0%"},
        imageGCHighThresholdPercent=100,
        makeIPTablesUtilChains=False,
        volumePluginDir="/var/lib/kubelet/plugins",
        clusterDNS=[DNS],
        podLogsDir=str(logs / "pods"),
        resolvConf=str(resolv_conf),
    )


def kube_proxy_config(node: Node, access: Access) -> str:
    """Limits of the connection table are the whole machine's, so they are left alone."""
    return _config(
        "kubeproxy.config.k8s.io/v1alpha1",
        "KubeProxyConfiguration",
        mode="nftables",
        clusterCIDR=node.pod_cidr,
        hostnameOverride=node.name,
        clientConnection={"kubeconfig": str(access.kubeconfig("proxy"))},
        conntrack={"maxPerCore": 0, "min": 0},
    )


def _config(version: str, kind: str, **settings: Any) -> str:
    return json.dumps({"apiVersion": version, "kind": kind} | settings, indent=1)


def containerd_config() -> str:
    """TOML, for the CRI plugin of containerd 1.6."""
    return f"""\
version = 2
disabled_plugins = ["io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
# not everybody who is root may protect processes from the OOM killer
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{PLUGINS}"
conf_dir = "{CNI_CONFIG}"
"""


def default_network(node: Node) -> str:
    """A pod's ``eth0``: one end of a veth, routed by the node, as Calico does it."""
    pods = [[{"subnet": node.pods}]]
    ipam = {"type": "host-local", "ranges": pods, "routes": [{"dst": "0.0.0.0/0"}]}
    plugins = [{"type": "ptp", "mtu": 1430, "ipam": ipam}]
    return json.dumps({"cniVersion": "0.4.0", "name": "ptp", "plugins": plugins}, indent=1)
