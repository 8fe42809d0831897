"""A real kubectl against the server: what people type."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rest import Api, Kubelet, eventually, unique
from widgets import GROUP, definition, established

pytestmark = pytest.mark.binary("kubectl")

Kubectl = Callable[..., str]

CONFIG_MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: "1"}
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: nginx}
spec:
  replicas: 2
  selector: {matchLabels: {app: nginx}}
  template:
    metadata:
      labels: {app: nginx}
    spec:
      containers:
      - name: nginx
        image: nginx
        ports: [{name: http, containerPort: 80, protocol: TCP}]
"""
WIDGET = f"""
apiVersion: {GROUP}/v1
kind: Widget
metadata: {{name: gear}}
spec: {{size: 3, tags: [x]}}
"""


@pytest.fixture
def kubectl(kubeconfig: Path, namespace: str) -> Kubectl:
    """Runs kubectl in the test's namespace; answers what it printed, errors included."""
    beside = str(Path(sys.executable).parent)
    path = f"{beside}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which("kubectl", path=path) or "kubectl"

    def run(*arguments: str, stdin: str = "", fails: bool = False) -> str:
        command = [program, f"--kubeconfig={kubeconfig}", f"--namespace={namespace}", *arguments]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=60, check=False
        )
        printed = done.stdout + done.stderr
        assert (done.returncode != 0) is fails, printed
        return printed

    return run


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_apply_creates_changes_and_leaves(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f-", stdin=CONFIG_MAP) == "configmap/settings created\n"
    assert kubectl("apply", "-f-", stdin=CONFIG_MAP) == "configmap/settings unchanged\n"
    changed = CONFIG_MAP.replace('a: "1"', 'b: "2"')
    assert kubectl("apply", "-f-", stdin=changed) == "configmap/settings configured\n"
    assert kubectl("get", "cm", "settings", "-o=jsonpath={.data}") == '{"b":"2"}'


def test_apply_merges_lists_of_a_workload(kubectl: Kubectl) -> None:
    kubectl("apply", "-f-", stdin=DEPLOYMENT)
    kubectl("set", "env", "deployment/nginx", "EXTRA=1")
    changed = DEPLOYMENT.replace("image: nginx", "image: nginx:2")
    assert kubectl("apply", "-f-", stdin=changed) == "deployment.apps/nginx configured\n"
    container = "{.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env}"
    printed = kubectl("get", "deployment", "nginx", f"-o=jsonpath={container}")
    assert printed == 'nginx:2 [{"name":"EXTRA","value":"1"}]'


def test_server_side_apply(kubectl: Kubectl) -> None:
    applied = kubectl("apply", "--server-side", "-f-", stdin=CONFIG_MAP)
    assert applied == "configmap/settings serverside-applied\n"
    changed = CONFIG_MAP.replace('a: "1"', 'b: "2"')
    kubectl("apply", "--server-side", "-f-", stdin=changed)
    assert kubectl("get", "cm", "settings", "-o=jsonpath={.data}") == '{"b":"2"}'


def test_create_refuses_twice(kubectl: Kubectl) -> None:
    assert kubectl("create", "-f-", stdin=CONFIG_MAP) == "configmap/settings created\n"
    refused = kubectl("create", "-f-", stdin=CONFIG_MAP, fails=True)
    assert 'Error from server (AlreadyExists): error when creating "STDIN"' in refused
    assert 'configmaps "settings" already exists' in refused


def test_unknown_fields_are_refused(kubectl: Kubectl) -> None:
    refused = kubectl("apply", "-f-", stdin=CONFIG_MAP + "extra: 1\n", fails=True)
    assert 'strict decoding error: unknown field "extra"' in refused


def test_config_map_with_a_document_for_a_value(kubectl: Kubectl) -> None:
    wrong = CONFIG_MAP.replace('{a: "1"}', "{ClusterConfiguration: {networking: {}}}")
    refused = kubectl("apply", "-f-", stdin=wrong, fails=True)
    assert "cannot unmarshal object into Go struct field ConfigMap.data of type string" in refused


def test_get_prints_tables(kubectl: Kubectl) -> None:
    kubectl("apply", "-f-", stdin=DEPLOYMENT)
    header, row = lines(kubectl("get", "deployments", "-o=wide"))
    assert header == [
        "NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR",
    ]  # fmt: skip
    assert row[:4] == ["nginx", "0/2", "0", "0"]
    assert row[5:] == ["nginx", "nginx", "app=nginx"]
    assert kubectl("get", "deployments", "-o=name") == "deployment.apps/nginx\n"
    assert "No resources found" in kubectl("get", "deployments", "-l=app=other")


def test_get_all_by_label(kubectl: Kubectl) -> None:
    kubectl("apply", "-f-", stdin=DEPLOYMENT)
    kubectl("label", "deployment", "nginx", "team=red")
    kubectl("expose", "deployment", "nginx", "--port=80", "--labels=team=red")
    printed = kubectl("get", "all", "-l=team=red", "-o=name").split()
    assert printed == ["service/nginx", "deployment.apps/nginx"]


def test_custom_resources(kubectl: Kubectl, widget_path: str) -> None:
    assert widget_path
    assert kubectl("apply", "-f-", stdin=WIDGET) == f"widget.{GROUP}/gear created\n"
    assert kubectl("apply", "-f-", stdin=WIDGET) == f"widget.{GROUP}/gear unchanged\n"
    header, row = lines(kubectl("get", "wid"))
    assert header == ["NAME", "SIZE", "COLOR", "READY", "FIRST"]
    assert row == ["gear", "3", "red", "x"]
    assert "gear" in kubectl("get", "contract")
    assert "Kind:         Widget" in kubectl("describe", "widget", "gear")
    printed = kubectl("explain", "widget.spec.size")
    assert "FIELD: size <integer>" in printed
    refused = kubectl("apply", "-f-", stdin=WIDGET.replace("size: 3", "size: 0"), fails=True)
    assert "spec.size: Invalid value: 0: spec.size in body should be greater than" in refused


def test_custom_kind_is_found_right_after_its_definition(client: Api, kubectl: Kubectl) -> None:
    established(client, definition("gadgets", "Gadget"))
    text = WIDGET.replace("Widget", "Gadget")
    eventually(lambda: "gadgets" in kubectl("api-resources", f"--api-group={GROUP}"))
    assert kubectl("apply", "-f-", stdin=text) == f"gadget.{GROUP}/gear created\n"
    kubectl("wait", "--for=condition=Established", f"crd/gadgets.{GROUP}", "--timeout=10s")


def test_patch_label_and_annotate(kubectl: Kubectl) -> None:
    kubectl("apply", "-f-", stdin=CONFIG_MAP)
    assert "patched" in kubectl("patch", "cm", "settings", '-p={"data":{"c":"3"}}')
    merged = kubectl("patch", "cm", "settings", "--type=merge", '-p={"data":{"a":null}}')
    assert "patched" in merged
    operation = '[{"op":"add","path":"/data/d","value":"4"}]'
    assert "patched" in kubectl("patch", "cm", "settings", "--type=json", f"-p={operation}")
    assert kubectl("get", "cm", "settings", "-o=jsonpath={.data}") == '{"c":"3","d":"4"}'
    assert "labeled" in kubectl("label", "cm", "settings", "x=y")
    assert "annotated" in kubectl("annotate", "cm", "settings", "n=m")
    assert "settings" in kubectl("get", "cm", "-l=x=y")


def test_delete_waits_until_it_is_gone(kubectl: Kubectl) -> None:
    kubectl("apply", "-f-", stdin=CONFIG_MAP)
    assert 'configmap "settings" deleted' in kubectl("delete", "cm", "settings")
    assert "NotFound" in kubectl("get", "cm", "settings", fails=True)
    assert "NotFound" in kubectl("delete", "cm", "settings", fails=True)
    kubectl("delete", "cm", "settings", "--ignore-not-found")


def test_describe_shows_events(kubectl: Kubectl, client: Api, core: str, namespace: str) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    pod = client.must(client.create(f"{core}/pods", {"metadata": {"name": "p"}, "spec": spec}))
    involved = {"kind": "Pod", "name": "p", "namespace": namespace, "uid": pod["metadata"]["uid"]}
    event = {
        "metadata": {"name": "p.1"},
        "involvedObject": involved,
        "type": "Warning",
        "reason": "FailedCreatePodSandBox",
        "message": "no address left",
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "count": 1,
    }
    client.must(client.create(f"{core}/events", event))
    printed = kubectl("describe", "pod", "p")
    assert "FailedCreatePodSandBox" in printed
    assert "no address left" in printed


def test_generators(kubectl: Kubectl) -> None:
    name = unique("generated")
    assert "created" in kubectl("create", "namespace", name)
    assert "created" in kubectl("create", "configmap", "literal", "--from-literal=k=v")
    assert "created" in kubectl("create", "deployment", "web", "--image=nginx", "--replicas=0")
    assert "created" in kubectl("create", "service", "clusterip", "web", "--tcp=80:8080")
    assert "created" in kubectl("create", "secret", "generic", "key", "--from-literal=k=v")
    assert kubectl("get", "cm", "literal", "-o=jsonpath={.data}") == '{"k":"v"}'
    port = "{.spec.ports[0].port} {.spec.ports[0].targetPort}"
    assert kubectl("get", "svc", "web", f"-o=jsonpath={port}") == "80 8080"
    assert kubectl("get", "deployment", "web", "-o=jsonpath={.spec.replicas}") == "0"
    assert kubectl("get", "secret", "key", "-o=jsonpath={.data.k}") == "dg=="


def test_yaml_is_what_was_written(kubectl: Kubectl) -> None:
    kubectl("apply", "-f-", stdin=CONFIG_MAP)
    printed = kubectl("get", "cm", "settings", "-o=yaml")
    assert printed.startswith('apiVersion: v1\ndata:\n  a: "1"\nkind: ConfigMap\nmetadata:\n')


@pytest.fixture
def node(client: Api) -> Iterator[str]:
    name = unique("node")
    client.must(client.create("/api/v1/nodes", {"metadata": {"name": name}}))
    status = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    client.must(client.patch(f"/api/v1/nodes/{name}/status", status))
    yield name
    client.must(client.delete(f"/api/v1/nodes/{name}"))


@pytest.mark.usefixtures("control_plane", "node")
def test_a_deployments_life(kubectl: Kubectl, client: Api, core: str) -> None:
    kubelet = Kubelet(client, core)
    kubectl("apply", "-f-", stdin=DEPLOYMENT)
    eventually(lambda: [pod["status"]["phase"] for pod in kubelet.look()] == ["Running"] * 2)
    rolled = kubectl("rollout", "status", "deployment/nginx", "--timeout=20s")
    assert 'deployment "nginx" successfully rolled out' in rolled
    kubectl("wait", "--for=condition=Available", "deployment/nginx", "--timeout=20s")
    kubectl("wait", "--for=condition=Ready", "pod", "-l=app=nginx", "--timeout=20s")
    assert "scaled" in kubectl("scale", "deployment/nginx", "--replicas=1")
    eventually(lambda: len(kubelet.look()) == 1)
    assert "1" in kubectl("rollout", "history", "deployment/nginx")
    kubectl("delete", "deployment", "nginx", "--cascade=foreground", "--wait=false")

    def gone() -> bool:
        left = kubectl("get", "deployment", "nginx", "--ignore-not-found", "-o=name")
        return not kubelet.look() and not left

    eventually(gone)
