"""Annotations and labels that Spiderpool reads or writes. The keys are the code's own.

``tests/docs`` finds every such key of the code and fails when one is missing here.
"""

from __future__ import annotations

from docs.generators.markdown import code, table
from spiderpool.agent.configuration import DEFAULT_ROUTE_NIC
from spiderpool.controller.admission.defaults import POOL_CIDR, SUBNET_CIDR
from spiderpool.controller.admission.injection import NETWORK_INJECT, RDMA_INJECT
from spiderpool.controller.install.merging import INSTALLED
from spiderpool.ipam import annotations as of_ipam
from spiderpool.ipam import autopools
from spiderpool.ipam.attachments import DEFAULT_NETWORK, NETWORKS
from spiderpool.ipam.reclaim import NETWORK_STATUS
from spiderpool.multus.attachment import ATTACHMENT_NAME, CNI_VERSION, CONFIG_NAME, RESOURCE_NAME
from spiderpool.types.address import Family

ANNOTATIONS: dict[str, tuple[str, str, str]] = {
    NETWORKS: (
        "Pod",
        "macvlan-ens192",
        "Networks of further NICs, net1 first: names, `namespace/name@nic`, or a JSON list. "
        "Multus reads it.",
    ),
    DEFAULT_NETWORK: ("Pod", "kube-system/macvlan-ens192", "The network of eth0. Multus reads it."),
    DEFAULT_ROUTE_NIC: ("Pod", "net1", "The NIC by which the pod's default route leads."),
    of_ipam.IPPOOL: (
        "Pod",
        '{"ipv4": ["10-6-v4"], "ipv6": ["10-6-v6"]}',
        "Pools for any NIC, tried in this order. Names may have `*`, `?` and `[...]`.",
    ),
    of_ipam.IPPOOLS: (
        "Pod",
        '[{"interface": "net1", "ipv4": ["10-6-v4"], "cleangateway": true}]',
        "Pools for each NIC; wins over `ippool`. With `cleangateway` the NIC gets no default "
        "route.",
    ),
    of_ipam.SUBNET: (
        "Pod",
        '{"ipv4": ["subnet-6"]}',
        "A SpiderSubnet, out of which the workload gets a pool of its own.",
    ),
    of_ipam.SUBNETS: (
        "Pod",
        '[{"interface": "net1", "ipv4": ["subnet-6"]}]',
        "The same for each NIC; wins over `subnet`.",
    ),
    autopools.NUMBER: (
        "Pod",
        "+2",
        "Size of that pool: `5` addresses, or `+2` more than there are replicas; `+1` by default.",
    ),
    autopools.RECLAIM: (
        "Pod",
        "false",
        "`false` keeps that pool when the workload is deleted; also a label of the pool.",
    ),
    of_ipam.ROUTES: (
        "Pod",
        '[{"dst": "10.20.0.0/16", "gw": "10.6.0.1"}]',
        "Routes of the NIC whose subnet holds the gateway.",
    ),
    of_ipam.NAMESPACE_POOLS[Family.V4]: (
        "Namespace",
        '["10-6-v4"]',
        "IPv4 pools of its pods that name none.",
    ),
    of_ipam.NAMESPACE_POOLS[Family.V6]: (
        "Namespace",
        '["10-6-v6"]',
        "IPv6 pools of its pods that name none.",
    ),
    RDMA_INJECT: (
        "Pod, Namespace, SpiderMultusConfig",
        "rdma",
        "A pod gets every network whose SpiderMultusConfig has the same value, and one of its "
        "resources. Needs `spiderpoolController.podResourceInject.enabled`.",
    ),
    NETWORK_INJECT: (
        "Pod, Namespace, SpiderMultusConfig",
        "storage",
        "The same, for networks without RDMA.",
    ),
    ATTACHMENT_NAME: (
        "SpiderMultusConfig",
        "macvlan-ens192",
        "Name of its NetworkAttachmentDefinition, instead of its own name.",
    ),
    CNI_VERSION: ("SpiderMultusConfig", "0.4.0", "`cniVersion` of the configuration; 0.3.1."),
    CONFIG_NAME: (
        "SpiderMultusConfig",
        "macvlan",
        "`name` in the configuration, instead of the attachment's name.",
    ),
    RESOURCE_NAME: (
        "NetworkAttachmentDefinition",
        "spidernet.io/sriov",
        "Written by the controller: the device plugin's resource that a pod takes one of.",
    ),
    NETWORK_STATUS: (
        "Pod",
        '[{"name": "default/macvlan-ens192", "interface": "net1"}]',
        "Written by Multus. An address that stands there is not collected while the pod lives.",
    ),
    INSTALLED: (
        "SpiderCoordinator, SpiderIPPool",
        '{"mode": "overlay"}',
        "Written by the installation: the values that it set last, so that an upgrade knows what "
        "somebody else changed.",
    ),
    autopools.APPLICATION: (
        "SpiderIPPool",
        "Deployment/default/web",
        "Written by the controller: the workload that an automatic pool belongs to.",
    ),
}
"""Key -> objects that have it, an example, meaning."""

LABELS: dict[str, tuple[str, str]] = {
    POOL_CIDR: ("SpiderIPPool", "Its subnet, with dashes: `10-6-0-0-16`."),
    SUBNET_CIDR: ("SpiderSubnet", "The same."),
    autopools.OWNER_SUBNET: ("SpiderIPPool", "The SpiderSubnet that it is taken from."),
    autopools.OWNER_GV: ("SpiderIPPool", "API version of the workload that it belongs to."),
    autopools.OWNER_KIND: ("SpiderIPPool", "Kind of that workload."),
    autopools.OWNER_NAMESPACE: ("SpiderIPPool", "Its namespace."),
    autopools.OWNER_NAME: ("SpiderIPPool", "Its name."),
    autopools.OWNER_UID: ("SpiderIPPool", "Its UID."),
    autopools.INTERFACE: ("SpiderIPPool", "The NIC that the pool is for."),
    autopools.IP_VERSION: ("SpiderIPPool", "`IPv4` or `IPv6`."),
    autopools.RECLAIM: ("SpiderIPPool", "Whether it goes with the workload."),
    autopools.APP_GROUP: ("podAffinity of a SpiderIPPool", "API group of a workload."),
    autopools.APP_VERSION: ("podAffinity of a SpiderIPPool", "API version of a workload."),
    autopools.APP_KIND: ("podAffinity of a SpiderIPPool", "Kind of a workload."),
    autopools.APP_NAMESPACE: ("podAffinity of a SpiderIPPool", "Namespace of a workload."),
    autopools.APP_NAME: ("podAffinity of a SpiderIPPool", "Name of a workload."),
}
"""Key -> where it stands, meaning."""


def annotation_table() -> str:
    """A table."""
    rows = [
        (code(key), on, code(example), text) for key, (on, example, text) in ANNOTATIONS.items()
    ]
    return table(("Annotation", "On", "Like", "Meaning"), rows)


def label_table() -> str:
    """A table."""
    rows = [(code(key), on, text) for key, (on, text) in LABELS.items()]
    return table(("Label", "On", "Meaning"), rows)
