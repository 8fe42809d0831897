"""helm uninstall, last of all tests here: nothing of Spiderpool is left but what the docs name."""

from __future__ import annotations

from pathlib import Path

from real_node import NAMESPACE, PAGE, items, kubectl, run, until

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
    assert MULTUS.exists()
    run("helm", "uninstall", "spiderpool", f"--namespace={NAMESPACE}", "--wait", "--timeout=60s")
    until(lambda: not left())
    definitions = [each["metadata"]["name"] for each in items("crds")]
    assert definitions == ["network-attachment-definitions.k8s.cni.cncf.io"]


def test_what_stays_on_the_node_is_what_the_docs_say() -> None:
    for folder in ("/var/lib/spidernet", "/var/run/spidernet"):
        assert Path(folder).is_dir()
    assert Path("/opt/cni/bin/spiderpool").exists()


def test_pods_start_by_the_default_network_again() -> None:
    until(lambda: not MULTUS.exists())
    kubectl("run", "plain", "--image=nginx", "--image-pull-policy=IfNotPresent")
    kubectl("wait", "--for=condition=Ready", "pod/plain", "--timeout=60s")
    (pod,) = items("pods")
    assert pod["status"]["podIP"].startswith("10.233.73.")
    kubectl("delete", "pod", "plain")
