"""The kinds of objects that Spiderpool reads or writes, and where the API serves them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind as the API serves it; ``group`` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return f"{self.plural}.{self.version}.{self.group}" if self.group else self.plural

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """The URL path of the collection, or of one object; names are used as given."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")


GROUP = "spiderpool.spidernet.io"

SPIDERIPPOOL = Resource(GROUP, "v2beta1", "spiderippools", "SpiderIPPool", namespaced=False)
SPIDERIPBLOCK = Resource(GROUP, "v2beta1", "spideripblocks", "SpiderIPBlock", namespaced=False)
SPIDERSUBNET = Resource(GROUP, "v2beta1", "spidersubnets", "SpiderSubnet", namespaced=False)
SPIDERENDPOINT = Resource(GROUP, "v2beta1", "spiderendpoints", "SpiderEndpoint")
SPIDERRESERVEDIP = Resource(
    GROUP, "v2beta1", "spiderreservedips", "SpiderReservedIP", namespaced=False
)
SPIDERMULTUSCONFIG = Resource(GROUP, "v2beta1", "spidermultusconfigs", "SpiderMultusConfig")
SPIDERCOORDINATOR = Resource(
    GROUP, "v2beta1", "spidercoordinators", "SpiderCoordinator", namespaced=False
)
NETWORKATTACHMENT = Resource(
    "k8s.cni.cncf.io", "v1", "network-attachment-definitions", "NetworkAttachmentDefinition"
)
CRD = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)
NAMESPACE = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
NODE = Resource("", "v1", "nodes", "Node", namespaced=False)
POD = Resource("", "v1", "pods", "Pod")
CONFIGMAP = Resource("", "v1", "configmaps", "ConfigMap")
SECRET = Resource("", "v1", "secrets", "Secret")
SERVICE = Resource("", "v1", "services", "Service")
ENDPOINTS = Resource("", "v1", "endpoints", "Endpoints")
EVENT = Resource("", "v1", "events", "Event")
ENDPOINTSLICE = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
LEASE = Resource("coordination.k8s.io", "v1", "leases", "Lease")
DEPLOYMENT = Resource("apps", "v1", "deployments", "Deployment")
REPLICASET = Resource("apps", "v1", "replicasets", "ReplicaSet")
STATEFULSET = Resource("apps", "v1", "statefulsets", "StatefulSet")
DAEMONSET = Resource("apps", "v1", "daemonsets", "DaemonSet")
JOB = Resource("batch", "v1", "jobs", "Job")
CRONJOB = Resource("batch", "v1", "cronjobs", "CronJob")
MUTATINGWEBHOOK = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "mutatingwebhookconfigurations",
    "MutatingWebhookConfiguration",
    namespaced=False,
)
VALIDATINGWEBHOOK = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingwebhookconfigurations",
    "ValidatingWebhookConfiguration",
    namespaced=False,
)
CALICO_IPPOOL = Resource("crd.projectcalico.org", "v1", "ippools", "IPPool", namespaced=False)
CILIUM_PODIPPOOL = Resource(
    "cilium.io", "v2alpha1", "ciliumpodippools", "CiliumPodIPPool", namespaced=False
)
SERVICECIDRS = tuple(
    Resource("networking.k8s.io", version, "servicecidrs", "ServiceCIDR", namespaced=False)
    for version in ("v1", "v1beta1", "v1alpha1")
)
"""The version of ServiceCIDR differs between releases of Kubernetes; newest first."""
VIRTUALMACHINE = Resource("kubevirt.io", "v1", "virtualmachines", "VirtualMachine")
VIRTUALMACHINEINSTANCE = Resource(
    "kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance"
)
