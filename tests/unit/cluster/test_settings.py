"""What the components of the real cluster are told."""

import json
import tomllib
from pathlib import Path

import kube_assets
import realcluster_settings as settings
import yaml
from realcluster_access import Access, grant
from realcluster_release import CHART

from spiderpool.types.address import Address, Prefix

NODE = settings.Node(
    "worker01",
    Address("10.6.212.132"),
    Prefix("10.233.73.192/26"),
    Prefix("10.233.64.0/18"),
    Prefix("10.233.0.0/18"),
)
ACCESS = Access(Path("/access"), "https://10.6.212.132:6443")


def test_the_apis_own_service_has_the_first_address() -> None:
    assert settings.first_service(NODE) == "10.233.0.1"


def test_pods_get_addresses_of_the_nodes_own_block() -> None:
    (plugin,) = json.loads(settings.default_network(NODE))["plugins"]
    assert plugin["ipam"]["ranges"] == [[{"subnet": "10.233.73.192/26"}]]


def test_containerd_reads_its_configuration() -> None:
    plugins = tomllib.loads(settings.containerd_config())["plugins"]
    assert plugins["io.containerd.grpc.v1.cri"]["cni"]["conf_dir"] == "/etc/cni/net.d"


def test_the_kubelet_writes_no_file_of_the_machine() -> None:
    config = json.loads(settings.kubelet_config(Path("/run/logs"), Path("/run/resolv.conf")))
    paths = [value for value in config.values() if isinstance(value, str) and value[:1] == "/"]
    assert sorted(paths) == ["/run/logs/pods", "/run/resolv.conf", "/var/lib/kubelet/plugins"]


def test_the_authorizer_is_no_formality() -> None:
    assert "--authorization-mode=Node,RBAC" in settings.kube_apiserver(NODE, ACCESS)


def test_only_the_administrator_and_the_node_are_in_a_group(tmp_path: Path) -> None:
    users = settings.USERS | {"node": "system:node:worker01"}
    access = grant(tmp_path / "access", ACCESS.url, ("10.6.212.132",), users)
    lines = [line.split(",") for line in access.tokens.read_text().splitlines()]
    groups = {user: group.strip('"') for _, user, _, group in lines}
    assert {user for user, group in groups.items() if group == "system:masters"} == {"admin"}
    assert groups["system:node:worker01"] == "system:nodes"
    assert access.tokens.stat().st_mode & 0o077 == 0


def test_the_multus_that_is_built_is_the_charts() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    tag = values["multus"]["multusCNI"]["image"]["tag"]
    assert tag == "v" + kube_assets.version("multus", kube_assets.MULTUS)
