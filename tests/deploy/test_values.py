"""Values: those of the page work, wrong ones are refused with words that lead to them."""

import json

import pytest
from deploy_chart import CHART, Helm, Object, Render, one

from spiderpool.controller.install.multus import KEEPS

pytestmark = pytest.mark.binary("helm")

BAD: list[tuple[Object, str]] = [
    ({"coordinator": {"mode": "overlya"}}, "at '/coordinator/mode': value must be one of"),
    ({"coordinator": {"modes": "overlay"}}, "additional properties 'modes' not allowed"),
    ({"cordinator": {"mode": "overlay"}}, "additional properties 'cordinator' not allowed"),
    ({"coordinator": {"tunePodRoutes": "yes"}}, "at '/coordinator/tunePodRoutes': got string"),
    (
        {"spiderpoolAgent": {"updateStrategy": {"rollingUpdate": {"maxSurge": 1}}}},
        "at '/spiderpoolAgent/updateStrategy/rollingUpdate/maxSurge': value must be one of",
    ),
    ({"coordinator": {"hostRuleTable": 254}}, "at '/coordinator/hostRuleTable'"),
    ({"coordinator": {"hijackCIDR": ["here"]}}, "at '/coordinator/hijackCIDR/0'"),
    ({"coordinator": {"podMACPrefix": "0b:1b"}}, "at '/coordinator/podMACPrefix'"),
    ({"coordinator": {"name": "other"}}, "at '/coordinator/name': value must be 'default'"),
    ({"plugins": {"installCNI": "true"}}, "at '/plugins/installCNI': got string, want boolean"),
    ({"multus": {"multusCNI": {"defaultCniCRName": "K8s_Net"}}}, "/multusCNI/defaultCniCRName'"),
    ({"ipam": {"enableStatefulSet": False}}, "at '/ipam/enableStatefulSet': value must be true"),
    ({"ipam": {"enableIPv4": False, "enableIPv6": False}}, "no address is left to give"),
    ({"clusterDefaultPool": {"installIPv4IPPool": True}}, "clusterDefaultPool.ipv4Subnet: is em"),
    (
        {"ipam": {"enableIPv6": False}, "clusterDefaultPool": {"installIPv6IPPool": True}},
        "IPv6 is disabled; set ipam.enableIPv6=true",
    ),
    ({"spiderpoolAgent": {"httpPort": 70000}}, "at '/spiderpoolAgent/httpPort': maximum"),
    ({"spiderpoolAgent": {"image": {"digest": "latest"}}}, "at '/spiderpoolAgent/image/digest'"),
    (
        {"spiderpoolAgent": {"prometheus": {"serviceMonitor": {"install": True}}}},
        "set spiderpoolAgent.prometheus.enabled=true",
    ),
    (
        {"spiderpoolController": {"prometheus": {"prometheusRule": {"install": True}}}},
        "spiderpoolController.prometheus.prometheusRule.install: there are no metrics",
    ),
    (
        {
            "spiderpoolAgent": {
                "prometheus": {"prometheusRule": {"enableWarningIPAMReleaseFailure": False}}
            }
        },
        "/prometheusRule/enableWarningIPAMReleaseFailure': value must be true",
    ),
    ({"grafanaDashboard": {"install": True}}, "there are no metrics to show"),
    ({"spiderpoolController": {"replicas": 0}}, "at '/spiderpoolController/replicas'"),
    (
        {"multus": {"multusCNI": {"install": False, "defaultCniCRName": "calico"}}},
        "Multus is not installed by this release",
    ),
]


def test_lint(helm: Helm) -> None:
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("values", "words"), BAD, ids=[words for _, words in BAD])
def test_wrong_values_are_refused(helm: Helm, values: Object, words: str) -> None:
    done = helm("template", "x", str(CHART), "-f-", stdin=json.dumps(values))
    assert done.returncode != 0
    assert words in done.stderr


def objects_of(objects: list[Object]) -> list[Object]:
    """What the init job creates."""
    text = one(objects, "ConfigMap", "spiderpool-init")["data"]["objects.json"]
    created: list[Object] = json.loads(text)
    return created


def arguments_of(objects: list[Object], kind: str, name: str) -> list[str]:
    pod = one(objects, kind, name)["spec"]["template"]["spec"]
    arguments: list[str] = pod["containers"][0]["args"]
    return arguments


def test_the_mode_reaches_the_spidercoordinator(render: Render) -> None:
    (coordinator,) = objects_of(render({"coordinator": {"mode": "overlay"}}))
    assert coordinator["kind"] == "SpiderCoordinator"
    assert coordinator["metadata"]["name"] == "default"
    assert coordinator["spec"]["mode"] == "overlay"
    assert coordinator["spec"]["hijackCIDR"] == ["169.254.0.0/16"]


def test_default_pools(render: Render) -> None:
    pools = {
        "installIPv4IPPool": True,
        "ipv4Subnet": "10.6.0.0/16",
        "ipv4IPRanges": ["10.6.212.100-10.6.212.200"],
        "ipv4Gateway": "10.6.0.1",
        "installIPv6IPPool": True,
        "ipv6Subnet": "fd00:10:6::/64",
    }
    _, four, six = objects_of(render({"clusterDefaultPool": pools}))
    assert four["metadata"]["name"] == "default-v4-ippool"
    assert four["spec"] == {
        "subnet": "10.6.0.0/16",
        "ips": ["10.6.212.100-10.6.212.200"],
        "gateway": "10.6.0.1",
        "default": True,
    }
    assert six["spec"] == {"subnet": "fd00:10:6::/64", "ips": [], "default": True}


def test_plugins_of_others_are_fetched_only_when_asked_for(render: Render) -> None:
    def steps(objects: list[Object]) -> list[str]:
        agent = one(objects, "DaemonSet", "spiderpool-agent")["spec"]["template"]["spec"]
        return [container["name"] for container in agent["initContainers"]]

    own = ["install-plugins", "prepare-folders"]
    assert steps(render()) == own
    assert steps(render({"plugins": {"installCNI": True}})) == ["fetch-plugins", *own]


def test_the_default_network_is_found_or_named(render: Render) -> None:
    found = arguments_of(render(), "Job", "spiderpool-init")
    assert "--cni-conf-dir=/host/etc/cni/net.d" in found
    objects = render({"multus": {"multusCNI": {"defaultCniCRName": "calico"}}})
    assert "--default-network=calico" in arguments_of(objects, "Job", "spiderpool-init")
    configuration = json.loads(
        one(objects, "ConfigMap", "spiderpool-multus")["data"]["00-multus.conf"]
    )
    assert configuration["clusterNetwork"] == "calico"
    assert configuration["multusNamespace"] == "spiderpool"
    assert "--cluster-network=spiderpool/calico" in arguments_of(
        objects, "DaemonSet", "spiderpool-agent"
    )


def test_multus_keeps_its_configuration_until_the_clean_job_says_otherwise(render: Render) -> None:
    (container,) = one(render(), "DaemonSet", "spiderpool-multus")["spec"]["template"]["spec"][
        "containers"
    ]
    assert KEEPS in container["args"], "the job looks for this very word"
    wanted = "--multus=spiderpool-multus"
    for uninstall, install in ((True, True), (False, True), (True, False)):
        values: Object = {"multus": {"multusCNI": {"uninstall": uninstall, "install": install}}}
        job = one(render(values), "Job", "spiderpool-clean")["spec"]["template"]["spec"]
        assert (wanted in job["containers"][0]["args"]) == (uninstall and install)


def test_without_multus_there_is_neither_it_nor_a_default_network(render: Render) -> None:
    objects = render({"multus": {"multusCNI": {"install": False}}})
    assert not [obj for obj in objects if obj["metadata"]["name"] == "spiderpool-multus"]
    arguments = arguments_of(objects, "Job", "spiderpool-init")
    assert not [a for a in arguments if a.startswith(("--cni-conf-dir", "--default-network"))]


def test_an_offline_registry_takes_the_place_of_all(render: Render) -> None:
    values = {
        "global": {"imageRegistryOverride": "registry.local:5000"},
        "plugins": {"installCNI": True},
    }
    text = json.dumps(render(values))
    images = {part.split('"')[0] for part in text.split('"image": "')[1:]}
    assert images
    assert all(image.startswith("registry.local:5000/") for image in images)


def test_a_digest_wins_over_a_tag(render: Render) -> None:
    digest = "sha256:" + "a" * 64
    objects = render({"spiderpoolAgent": {"image": {"tag": "x", "digest": digest}}})
    agent = one(objects, "DaemonSet", "spiderpool-agent")["spec"]["template"]["spec"]
    assert agent["containers"][0]["image"] == f"localhost/spiderpool@{digest}"
