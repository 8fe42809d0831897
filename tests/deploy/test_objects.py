"""Every object of every release is one that an API server takes, and asks for no power in vain."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from deploy_chart import NAMESPACE, Object, Render, containers, one, pods, run

from spiderpool.agent import folders
from spiderpool.agent import options as agent_options
from spiderpool.controller import main as controller
from spiderpool.controller.install import main as install
from spiderpool.controller.install.definitions import definitions
from spiderpool.kernel import main as kernel

pytestmark = [pytest.mark.binary("helm"), pytest.mark.binary("kubectl")]

FOREIGN = Path(__file__).with_name("foreign_kinds.yaml")
METRICS = {
    "enabled": True,
    "serviceMonitor": {"install": True, "labels": {"release": "prom"}},
    "prometheusRule": {"install": True, "labels": {"release": "prom"}},
}
POOLS = {
    "installIPv4IPPool": True,
    "ipv4Subnet": "10.6.0.0/16",
    "ipv4IPRanges": ["10.6.212.100-10.6.212.200", "10.6.213.1"],
    "ipv4Gateway": "10.6.0.1",
    "installIPv6IPPool": True,
    "ipv6Subnet": "fd00:10:6::/64",
    "ipv6IPRanges": ["fd00:10:6::100-fd00:10:6::1ff"],
    "ipv6Gateway": "fd00:10:6::1",
}
COORDINATOR = {
    "mode": "underlay",
    "podCIDRType": "cluster",
    "overlayPodCIDR": ["10.233.64.0/18"],
    "serviceCIDR": ["10.233.0.0/18"],
    "hijackCIDR": ["10.9.0.1"],
    "policyRoutes": [{"dst": "10.8.0.0/16", "gw": "10.6.0.1"}],
    "podMACPrefix": "0a:1b",
    "podDefaultRouteNIC": "net1",
    "hostRPFilter": -1,
    "vethLinkAddress": "169.254.100.1",
    "detectGateway": True,
    "detectIPConflict": True,
    "txQueueLen": 1000,
}
RELEASES: dict[str, Object] = {
    "default": {},
    "the page": {"coordinator": {"mode": "overlay"}},
    "all that can be added": {
        "global": {"commonLabels": {"team": "net"}, "commonAnnotations": {"note": "x"}},
        "coordinator": COORDINATOR,
        "clusterDefaultPool": POOLS,
        "grafanaDashboard": {"install": True, "annotations": {"grafana_folder": "Network"}},
        "plugins": dict.fromkeys(("installCNI", "installOvsCNI", "installRdmaCNI"), True),
        "multus": {"multusCNI": {"defaultCniCRName": "calico", "log": {"logFile": "/var/log/m"}}},
        "spiderpoolAgent": {
            "prometheus": METRICS,
            "podLabels": {"a": "b"},
            "podAnnotations": {"a": "b"},
            "extraEnv": [{"name": "A", "value": "b"}],
            "image": {"imagePullSecrets": [{"name": "pull"}]},
            "affinity": {"nodeAffinity": {}},
        },
        "spiderpoolController": {
            "prometheus": METRICS,
            "replicas": 2,
            "hostnetwork": False,
            "podDisruptionBudget": {"enabled": True, "minAvailable": "50%"},
            "enableValidatingResourcesDeletedWebhook": True,
            "podResourceInject": {"enabled": True},
            "networkPolicy": {"metricsFrom": [{"namespaceSelector": {}}]},
            "debug": {"logLevel": "debug", "logFormat": "text"},
        },
    },
    "as little as possible": {
        "ipam": {"enableIPv6": False},
        "multus": {"multusCNI": {"install": False}},
        "spiderpoolAgent": {"serviceAccount": {"create": False}, "tolerations": []},
        "spiderpoolController": {"serviceAccount": {"create": False}},
        "cleanup": {"enabled": False},
    },
}
releases = pytest.mark.parametrize("values", RELEASES.values(), ids=RELEASES)


@pytest.fixture(scope="module")
def server(kubeconfig: Path) -> Iterator[Path]:
    """One that has the namespace, our kinds, and those of others that it lacks."""
    foreign = list(yaml.safe_load_all(FOREIGN.read_text()))
    known = run("kubectl", f"--kubeconfig={kubeconfig}", "api-resources", "-o=name").stdout
    missing = [one for one in foreign if one["metadata"]["name"] not in known.split()]
    space: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    apply(kubeconfig, [space, *missing, *definitions()], "--server-side")
    waited = run(
        "kubectl", f"--kubeconfig={kubeconfig}", "wait", "--for=condition=Established",
        "crd", "--all", "--timeout=20s",
    )  # fmt: skip
    assert waited.returncode == 0, waited.stderr
    yield kubeconfig


def apply(kubeconfig: Path, objects: list[Object], *options: str) -> list[str]:
    """One answer a line."""
    documents = "\n---\n".join(map(json.dumps, objects))
    arguments = (f"--kubeconfig={kubeconfig}", "apply", "--validate=strict", "-f-", *options)
    done = run("kubectl", *arguments, stdin=documents)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@releases
def test_an_api_server_takes_every_object(render: Render, server: Path, values: Object) -> None:
    objects = render(values)
    answers = apply(server, objects, "--dry-run=server")
    assert len(answers) == len(objects)
    assert all(answer.endswith("created (server dry run)") for answer in answers)


def test_an_api_server_refuses_what_is_wrong(render: Render, server: Path) -> None:
    """The control: the same way of asking finds a mistake."""
    agent = one(render(), "DaemonSet", "spiderpool-agent")
    agent["spec"]["template"]["spec"]["hostNetwrok"] = True
    with pytest.raises(AssertionError, match="unknown field"):
        apply(server, [agent], "--dry-run=server")


@releases
def test_an_api_server_takes_what_the_init_job_creates(
    render: Render, server: Path, values: Object
) -> None:
    data = one(render(values), "ConfigMap", "spiderpool-init")["data"]
    objects = json.loads(data["objects.json"])
    answers = apply(server, objects, "--dry-run=server")
    assert len(answers) == len(objects)


@releases
def test_every_command_line_is_understood(render: Render, values: Object) -> None:
    sockets: set[str] = set()
    for name, pod in pods(render(values)).items():
        for container in containers(pod):
            command = container.get("command", [])
            arguments = [
                re.sub(r"\$\((\w+)\)", "value", argument.replace("$(POD_IP)", "fd00::1"))
                for argument in container.get("args", [])
            ]
            match command[2:]:
                case ["spiderpool.agent"]:
                    parsed = agent_options.parse(arguments)
                    assert parsed.health is not None
                    assert (parsed.health.host, parsed.health.port) == ("fd00::1", 5710)
                    assert parsed.kernel_socket is not None
                    sockets.add(str(parsed.kernel_socket))
                case ["spiderpool.kernel"]:
                    sockets.add(str(kernel.parser().parse_args(arguments).socket))
                case ["spiderpool.agent.folders"]:
                    folders.parser().parse_args(arguments)
                case ["spiderpool.controller"]:
                    settings = controller.settings_of(controller.parser().parse_args(arguments))
                    assert settings.webhook is not None
                    assert settings.webhook.service is not None
                    assert settings.webhook.service.name == name
                case ["spiderpool.controller.install", *step]:
                    install.parser().parse_args([*step, *arguments])
                case _:
                    assert container["name"] in ("fetch-plugins", *MULTUS)
    assert len(sockets) == 1, "the agent asks where the kernel role serves"


MULTUS = ("install-multus-binary", "multus-cni")


@releases
def test_no_container_is_privileged(render: Render, values: Object) -> None:
    for pod in pods(render(values)).values():
        assert not pod.get("hostPID")
        assert not pod.get("hostIPC")
        for container in containers(pod):
            security = container["securityContext"]
            assert security["privileged"] is False
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}
            assert security["capabilities"]["drop"] == ["ALL"]
            added = security["capabilities"].get("add", [])
            kernel = ["NET_ADMIN", "NET_RAW", "SYS_ADMIN"]
            assert added == (kernel if container["name"] == "spiderpool-kernel" else [])


@releases
def test_who_has_the_token_has_no_power_and_the_other_way_round(
    render: Render, values: Object
) -> None:
    pod = pods(render(values))["spiderpool-agent"]
    agent, kernel = pod["containers"]
    mounts = [{mount["name"] for mount in one["volumeMounts"]} for one in (agent, kernel)]
    assert mounts == [{"socket", "state", "kernel", "api-access"}, {"kernel", "sysctls"}]
    assert agent["securityContext"]["runAsNonRoot"] is True
    peer = f"--peer-uid={agent['securityContext']['runAsUser']}"
    assert peer in kernel["args"]
    groups = {one["securityContext"]["runAsGroup"] for one in pod["containers"]}
    assert len(groups) == 1, "the socket is its group's"


@releases
def test_the_controller_is_not_root(render: Render, values: Object) -> None:
    pod = pods(render(values))["spiderpool-controller"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert not [volume for volume in pod["volumes"] if "hostPath" in volume]


@releases
def test_only_who_talks_to_the_api_has_a_token(render: Render, values: Object) -> None:
    for name in ("spiderpool-agent", "spiderpool-controller"):
        pod = pods(render(values))[name]
        assert pod["automountServiceAccountToken"] is False
        holders = [
            container["name"]
            for container in containers(pod)
            if "api-access" in [mount["name"] for mount in container["volumeMounts"]]
        ]
        assert holders == [name]


@releases
def test_selectors_choose_the_pods_of_their_own(render: Render, values: Object) -> None:
    objects = render(values)
    labels = {
        obj["metadata"]["name"]: obj["spec"]["template"]["metadata"]["labels"]
        for obj in objects
        if obj["kind"] in ("DaemonSet", "Deployment", "Job")
    }
    for obj in objects:
        match obj["kind"]:
            case "Service":
                selector = obj["spec"]["selector"]
            case "DaemonSet" | "Deployment" | "PodDisruptionBudget":
                selector = obj["spec"]["selector"]["matchLabels"]
            case "NetworkPolicy":
                selector = obj["spec"]["podSelector"]["matchLabels"]
            case _:
                continue
        chosen = [name for name, found in labels.items() if selector.items() <= found.items()]
        assert chosen == [obj["metadata"]["name"].removesuffix("-metrics")]


@releases
def test_everything_that_is_left_behind_by_a_hook_is_named(render: Render, values: Object) -> None:
    """Helm forgets hooks: what they make must delete itself, or be deleted by the clean job."""
    staying = [
        (obj["kind"], obj["metadata"]["name"])
        for obj in render(values)
        if "helm.sh/hook" in (obj["metadata"].get("annotations") or {})
        and "hook-succeeded" not in obj["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
    ]
    assert staying == [("Job", "spiderpool-init")]
