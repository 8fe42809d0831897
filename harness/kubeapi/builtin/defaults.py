"""The defaults that the API server writes into built-in objects, in place.

Only those that a client or a component reads are here; each is what ``k8s.io/kubernetes``
sets for the same version.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

from harness.kubeapi import crds
from harness.kubeapi.objects import Object


def set_defaults(obj: Object) -> None:
    """Complete an object of a built-in kind; a kind without defaults is left alone."""
    fill = _DEFAULTS.get(obj["kind"])
    if fill and (isinstance(obj.get("spec"), dict) or obj["kind"] in _WITHOUT_SPEC):
        fill(obj)


def _namespace(namespace: Object) -> None:
    labels = namespace["metadata"].setdefault("labels", {})
    labels.setdefault("kubernetes.io/metadata.name", namespace["metadata"].get("name", ""))
    if "uid" not in namespace["metadata"]:
        namespace.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])


def _secret(secret: Object) -> None:
    secret.setdefault("type", "Opaque")
    for key, value in (secret.pop("stringData", None) or {}).items():
        secret.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()


def _pod(pod: Object) -> None:
    _pod_spec(pod["spec"])
    pod["spec"].setdefault("enableServiceLinks", True)
    for container in pod["spec"].get("containers") or []:
        resources = container["resources"]
        if "limits" in resources:
            resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}


def admit_new_pod(pod: Object) -> None:
    """What the admission plugins Priority and DefaultTolerationSeconds give, owned by nobody."""
    spec = pod.get("spec") or {}
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    tolerations = spec.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(_covers(toleration, key) for toleration in tolerations):
            tolerations.append(
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            )


def _covers(toleration: Object, key: str) -> bool:
    same_key = toleration.get("key") in (key, None, "")
    return same_key and toleration.get("effect") in ("NoExecute", None, "")


def _pod_spec(spec: Object) -> None:
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if spec.get("serviceAccountName"):
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or []:
            _container(container)
    for volume in spec.get("volumes") or []:
        if set(volume) == {"name"}:
            volume["emptyDir"] = {}
        for source in ("configMap", "secret", "downwardAPI", "projected"):
            if isinstance(volume.get(source), dict):
                volume[source].setdefault("defaultMode", 0o644)
        if isinstance(volume.get("hostPath"), dict):
            volume["hostPath"].setdefault("type", "")


def _container(container: Object) -> None:
    image = str(container.get("image") or "")
    tag = image.rpartition("/")[2].partition(":")[2]
    pull = "Always" if tag in ("", "latest") and "@" not in image else "IfNotPresent"
    container.setdefault("imagePullPolicy", pull)
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("resources", {})
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for field in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(container.get(field), dict):
            _probe(container[field])
    for variable in container.get("env") or []:
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference:
            reference.setdefault("apiVersion", "v1")


def _probe(probe: Object) -> None:
    for field, value in (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ):
        probe.setdefault(field, value)
    if isinstance(probe.get("httpGet"), dict):
        probe["httpGet"].setdefault("path", "/")
        probe["httpGet"].setdefault("scheme", "HTTP")


def _template(workload: Object) -> Object:
    spec: Object = workload["spec"]
    template = spec.get("template")
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        _pod_spec(template["spec"])
    return spec


def _deployment(deployment: Object) -> None:
    spec = _template(deployment)
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")


def _replica_set(replica_set: Object) -> None:
    _template(replica_set).setdefault("replicas", 1)


def _stateful_set(stateful_set: Object) -> None:
    spec = _template(stateful_set)
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    kept = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    kept.setdefault("whenDeleted", "Retain")
    kept.setdefault("whenScaled", "Retain")
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)


def _daemon_set(daemon_set: Object) -> None:
    spec = _template(daemon_set)
    annotations = daemon_set["metadata"].setdefault("annotations", {})
    annotations.setdefault(TEMPLATE_GENERATION, "1")
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)


TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def count_templates(daemon_set: Object, old: Object) -> None:
    """The generation of a DaemonSet's template is the server's to count."""
    counted = int(old["metadata"]["annotations"][TEMPLATE_GENERATION])
    counted += daemon_set["spec"].get("template") != old["spec"].get("template")
    annotations = {**(daemon_set["metadata"].get("annotations") or {})}
    daemon_set["metadata"]["annotations"] = annotations | {TEMPLATE_GENERATION: str(counted)}


def _job(job: Object) -> None:
    spec = _template(job)
    spec.setdefault("parallelism", 1)
    if spec["parallelism"] == 1:
        spec.setdefault("completions", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")


def complete_new_job(job: Object) -> None:
    """A Job that names no selector gets one that its UID makes unique, and its pods' labels."""
    if not job["spec"].get("manualSelector") and "selector" not in job["spec"]:
        _select_own_pods(job)
    labels = (job["spec"]["template"].get("metadata") or {}).get("labels")
    if labels and not job["metadata"].get("labels"):
        job["metadata"]["labels"] = dict(labels)


def _select_own_pods(job: Object) -> None:
    spec, metadata = job["spec"], job["metadata"]
    uid = metadata["uid"]
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": metadata["name"],
        "controller-uid": uid,
        "job-name": metadata["name"],
    }
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    spec["template"].setdefault("metadata", {}).setdefault("labels", {}).update(labels)


def taint_new_node(node: Object) -> None:
    """Nothing is scheduled there until the node lifecycle controller has seen it ready."""
    taints = node.setdefault("spec", {}).setdefault("taints", [])
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    if taint not in taints:
        taints.append(taint)


def _cron_job(cron_job: Object) -> None:
    spec = cron_job["spec"]
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    template = spec.get("jobTemplate")
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        _template(template)


def _service(service: Object) -> None:
    spec = service["spec"]
    spec.setdefault("sessionAffinity", "None")
    kind = spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        if port.get("targetPort") in (None, 0, "") and "port" in port:
            port["targetPort"] = port["port"]
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _endpoints(endpoints: Object) -> None:
    for subset in endpoints.get("subsets") or []:
        for port in subset.get("ports") or []:
            port.setdefault("protocol", "TCP")


def _endpoint_slice(endpoint_slice: Object) -> None:
    for port in endpoint_slice.get("ports") or []:
        port.setdefault("protocol", "TCP")
        port.setdefault("name", "")


def _webhooks(configuration: Object) -> None:
    for webhook in configuration.get("webhooks") or []:
        webhook.setdefault("failurePolicy", "Fail")
        webhook.setdefault("matchPolicy", "Equivalent")
        webhook.setdefault("namespaceSelector", {})
        webhook.setdefault("objectSelector", {})
        webhook.setdefault("timeoutSeconds", 10)
        if configuration["kind"].startswith("Mutating"):
            webhook.setdefault("reinvocationPolicy", "Never")
        for rule in webhook.get("rules") or []:
            rule.setdefault("scope", "*")
        service = (webhook.get("clientConfig") or {}).get("service")
        if service:
            service.setdefault("port", 443)


_WITHOUT_SPEC = {
    "Namespace",
    "Secret",
    "Endpoints",
    "EndpointSlice",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
}
_DEFAULTS: dict[str, Callable[[Object], None]] = {
    "Namespace": _namespace,
    "Secret": _secret,
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "CronJob": _cron_job,
    "Service": _service,
    "Endpoints": _endpoints,
    "EndpointSlice": _endpoint_slice,
    "MutatingWebhookConfiguration": _webhooks,
    "ValidatingWebhookConfiguration": _webhooks,
    "CustomResourceDefinition": crds.set_defaults,
}
