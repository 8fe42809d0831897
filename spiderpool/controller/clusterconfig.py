"""The cluster's CIDRs as Kubernetes itself was told them: kubeadm and kube-controller-manager."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spiderpool.errors import BadInput
from spiderpool.types.address import Prefix, network_of, parse_interface_address

Object = Mapping[str, Any]

KUBEADM_CONFIG = "kubeadm-config"
KUBEADM_WHERE = f"ConfigMap kube-system/{KUBEADM_CONFIG}"
CLUSTER_CONFIGURATION = f"{KUBEADM_WHERE}: data.ClusterConfiguration"

_FLAGS = {"--cluster-cidr": "pods", "--service-cluster-ip-range": "services"}


@dataclass(frozen=True, slots=True)
class ClusterCIDRs:
    """Networks of pods and of services as ``source`` says; empty: it says none."""

    source: str
    pods: tuple[Prefix, ...] = ()
    services: tuple[Prefix, ...] = ()


def parse_networks(text: str, where: str) -> tuple[Prefix, ...]:
    """Networks from a list with commas or blanks; host bits are dropped, as Kubernetes does.

    Raises:
        BadInput: naming ``where``, for what is not a CIDR.
    """
    found = []
    for item in re.split(r"[,\s]+", text.strip()):
        if "/" not in item:
            raise BadInput(where, f"{item!r} is not a CIDR", "write it like 10.233.64.0/18")
        found.append(network_of(parse_interface_address(item, where)))
    return tuple(found)


def from_kubeadm(config_map: Object) -> ClusterCIDRs:
    """podSubnet and serviceSubnet of ``networking`` in kubeadm's ClusterConfiguration.

    Raises:
        BadInput: the document is not text, not YAML, or holds something that is no CIDR;
            the error quotes line and text.
    """
    text = (config_map.get("data") or {}).get("ClusterConfiguration")
    if text is None:
        raise BadInput(KUBEADM_WHERE, "data.ClusterConfiguration is missing")
    if not isinstance(text, str):
        raise BadInput(
            CLUSTER_CONFIGURATION,
            f"must be text but is a {_shape(text)}",
            "put the YAML block marker (a vertical bar) after ClusterConfiguration:",
        )
    said = {key: parse_networks(value, where) for key, value, where in _networking(text)}
    pods, services = said.get("podSubnet", ()), said.get("serviceSubnet", ())
    return ClusterCIDRs(KUBEADM_WHERE, pods, services)


def _shape(value: object) -> str:
    return "map" if isinstance(value, Mapping) else type(value).__name__


def _networking(text: str) -> Iterator[tuple[str, str, str]]:
    """(key, value, where with line) of the scalars below ``networking``."""
    import yaml  # noqa: PLC0415  # 20 ms that a start without kubeadm-config does not need

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 0
        raise BadInput(f"{CLUSTER_CONFIGURATION} line {line}", f"not YAML: {exc.problem}") from None
    except (yaml.YAMLError, RecursionError) as exc:
        raise BadInput(CLUSTER_CONFIGURATION, f"not YAML: {exc}") from None
    for section, members in _pairs(root):
        if section.value == "networking":
            for key, value in _pairs(members):
                if key.value in ("podSubnet", "serviceSubnet") and value.value:
                    line = value.start_mark.line + 1
                    where = f"{CLUSTER_CONFIGURATION} line {line}: networking.{key.value}"
                    if value.id != "scalar":
                        raise BadInput(where, f"is a {value.id}", "write one text, with commas")
                    yield key.value, str(value.value), where


def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:
    """Key and value nodes of a YAML map; nothing for anything else."""
    return iter(node.value) if node is not None and node.id == "mapping" else iter(())


def from_controller_manager(pod: Object) -> ClusterCIDRs:
    """``--cluster-cidr`` and ``--service-cluster-ip-range`` of a kube-controller-manager pod.

    Raises:
        BadInput: naming pod and flag, for a value that is no CIDR.
    """
    metadata = pod["metadata"]
    where = f"Pod {metadata.get('namespace')}/{metadata['name']}"
    said: dict[str, tuple[Prefix, ...]] = {}
    for container in (pod.get("spec") or {}).get("containers") or ():
        words = [*(container.get("command") or ()), *(container.get("args") or ())]
        for flag, value in _flags(words):
            said.setdefault(_FLAGS[flag], parse_networks(value, f"{where}: {flag}"))
    return ClusterCIDRs(where, said.get("pods", ()), said.get("services", ()))


def _flags(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The flags of :data:`_FLAGS`, written ``--flag=value`` or ``--flag value``."""
    pending = ""
    for word in words:
        flag, equals, value = word.partition("=")
        if pending:
            yield pending, word
            pending = ""
        elif flag in _FLAGS and equals:
            yield flag, value
        elif flag in _FLAGS:
            pending = flag
