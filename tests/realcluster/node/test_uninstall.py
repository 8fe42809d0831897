"""helm uninstall, last of all tests here: nothing of Spiderpool is left but what the docs name."""

from __future__ import annotations

from pathlib import Path

from real_node import NAMESPACE, PAGE, Object, items, kubectl, run, until

KINDS = (
    *("pods", "daemonsets", "deployments", "jobs", "configmaps", "secrets", "services"),
    *("serviceaccounts", "roles", "rolebindings", "clusterroles", "clusterrolebindings"),
    *("mutatingwebhookconfigurations", "validatingwebhookconfigurations", "leases", "crds"),
)


MULTUS = Path("/etc/cni/net.d/00-multus.conf")


def left() -> list[str]:
    """Objects whose names or groups are ours."""
    names = kubectl("get", ",".join(KINDS), f"-n={NAMESPACE}", "-o=name").split()
    return [name for name in names if "spider" in name]


def test_helm_uninstall_is_clean() -> None:
    kubectl("apply", f"-f={PAGE / 'ippool.yaml'}", f"-f={PAGE / 'multusconfig.yaml'}")
    assert left(), "the control: this finds what is there"
    run("helm", "uninstall", "spiderpool", f"--namespace={NAMESPACE}", "--wait", "--timeout=60s")
    until(lambda: not left())
    definitions = [each["metadata"]["name"] for each in items("crds")]
    assert definitions == ["network-attachment-definitions.k8s.cni.cncf.io"]


def test_what_stays_on_the_node_is_what_the_docs_say() -> None:
    for folder in ("/var/lib/spidernet", "/var/run/spidernet"):
        assert Path(folder).is_dir()
    assert Path("/opt/cni/bin/spiderpool").exists()
    assert MULTUS.exists()


def test_pods_start_by_the_default_network_once_multus_is_off_the_node() -> None:
    """Until then Multus asks the API by an account that is gone; the docs say so."""
    kubectl("run", "plain", "--image=nginx", "--image-pull-policy=IfNotPresent")
    until(lambda: [each for each in items("events") if _is_multus_complaint(each)])
    MULTUS.unlink()
    kubectl("wait", "--for=condition=Ready", "pod/plain", "--timeout=60s")
    (pod,) = items("pods")
    assert pod["status"]["podIP"].startswith("10.233.73.")
    kubectl("delete", "pod", "plain")


def _is_multus_complaint(event: Object) -> bool:
    return event["reason"] == "FailedCreatePodSandBox" and "Unauthorized" in event["message"]
