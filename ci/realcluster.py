"""A Kubernetes cluster of one node, inside namespaces of its own, with Spiderpool installed.

etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, Multus,
containerd and runc are the real ones; the node's network is the acceptance page's, built by the
harness. ``run -- COMMAND`` makes it, runs COMMAND on the node, and takes everything down; the
exit status is COMMAND's. COMMAND finds in its environment KUBECONFIG, and in SPIDERPOOL_CLUSTER
the path of a JSON file that says where the network namespaces are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import kube_assets
import realcluster_machine as machine
import realcluster_settings as settings
from image_foundation import foundation
from realcluster_access import Access, grant
from realcluster_cgroups import MOUNTS, Groups, hierarchies, remove_when_over
from realcluster_components import Cluster
from realcluster_images import ARCHITECTURE, archives
from realcluster_release import install

from harness.netns import nft, sandbox
from harness.netns.ledger import Ledger
from harness.nodes.calico import nat_outgoing
from harness.nodes.plugins import machine_plugins
from harness.topology.build import build
from harness.topology.load import load
from harness.topology.model import Topology
from spiderpool.errors import SpiderpoolError
from spiderpool.types.address import Family

ROOT = Path(__file__).parents[1]
TOPOLOGY = ROOT / "scenarios" / "_topologies" / "one-node.yaml"
NODE = "worker01"
FILE = "SPIDERPOOL_CLUSTER"
CACHES = ("KUBECACHEDIR", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")
"""Where kubectl and Helm would write to the user's home."""
SYSTEM_PROGRAMS = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")


def main() -> None:
    """See the module's own words."""
    parser = argparse.ArgumentParser(
        prog="realcluster", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="run")
    run = commands.add_parser("run", help="make the cluster, run COMMAND, take it down")
    run.add_argument("command", nargs="+", metavar="COMMAND", help="after --")
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("realcluster: needs root: containerd and the kubelet do")
    programs = kube_assets.kubernetes_folder(kube_assets.API_PROGRAMS + kube_assets.NODE_PROGRAMS)
    multus = kube_assets.multus_folder()
    foundation(ARCHITECTURE)  # what needs a network is brought before there is none
    try:
        groups = enter()
        sys.exit(inside(options.command, groups, programs, multus))
    except (SpiderpoolError, OSError) as error:
        raise SystemExit(f"realcluster: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None


def enter() -> Groups:
    """Go into namespaces and control groups of our own; the latter.

    It returns in a fork; the process that calls it ends itself after all of that, with its
    exit status.

    Raises:
        SandboxRefused: the kernel gives no namespaces.
        NoControllers, OSError: it gives no control groups.
    """
    groups = Groups(f"realcluster-{os.getpid()}", hierarchies(MOUNTS.read_text()))
    remove_when_over(groups)
    if (cluster := os.fork()) != 0:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the command, too
        code = os.waitstatus_to_exitcode(os.waitpid(cluster, 0)[1])
        groups.remove()
        os._exit(code if code >= 0 else 128 - code)
    groups.join()
    sandbox.enter()
    return groups


def inside(command: Sequence[str], groups: Groups, programs: Path, multus: Path) -> int:
    """The exit status of ``command``.

    Raises:
        SpiderpoolError: there is no cluster to run it on.
        OSError: the machine lacks what it takes.
    """
    topology = load(TOPOLOGY)
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), *SYSTEM_PROGRAMS))
    os.environ |= {name: str(sandbox.RUN / "cache" / name) for name in CACHES}
    with Ledger() as ledger:
        build(topology, ledger)
        machine.furnish(ledger[NODE], NODE, groups)
        machine.install_plugins(machine_plugins())
        with ledger[NODE].entered():
            cluster = Cluster(node_of(topology), access_of(topology), programs, sandbox.RUN)
            return used(cluster, command, ledger, topology, multus)


def used(
    cluster: Cluster, command: Sequence[str], ledger: Ledger, topology: Topology, multus: Path
) -> int:
    """Start it and run ``command``; logs are kept when either fails."""
    status = 1
    try:
        asyncio.run(make(cluster, ledger, topology, multus))
        status = act(command, cluster, describe(cluster, ledger))
    finally:
        if status:
            cluster.write_down()
            keep(cluster.logs)
    return status


def node_of(topology: Topology) -> settings.Node:
    (node,) = topology.nodes
    address = node.address(Family.V4)
    assert address is not None
    (pods,), (pod_cidr,), (service_cidr,) = node.blocks, topology.pod_cidrs, topology.service_cidrs
    return settings.Node(node.name, address, pods, pod_cidr, service_cidr)


def access_of(topology: Topology) -> Access:
    """The API's Service has the first address of its range."""
    node = node_of(topology)
    first = settings.first_service(node)
    names = (node.address, first, "127.0.0.1", "localhost", "kubernetes.default.svc")
    users = settings.USERS | {"node": f"system:node:{node.name}"}
    return grant(sandbox.RUN / "access", settings.api_url(node), names, users)


async def make(cluster: Cluster, ledger: Ledger, topology: Topology, multus: Path) -> None:
    """Return when Spiderpool runs on a node that is Ready."""
    started = time.monotonic()
    await nft.load(ledger[NODE], nat_outgoing(topology.pod_cidrs))
    images = cluster.folder / "images"
    images.mkdir()
    await cluster.start(lambda: archives(images, multus))
    said(f"node Ready after {time.monotonic() - started:.1f} s")
    await asyncio.to_thread(install, cluster)
    said(f"Spiderpool installed after {time.monotonic() - started:.1f} s")


def describe(cluster: Cluster, ledger: Ledger) -> Path:
    """The file that SPIDERPOOL_CLUSTER names."""
    paths = {name: str(machine.show_namespace(name, ledger[name])) for name in ledger.names}
    node = {"netns": paths.pop(NODE), "cniResults": "/var/lib/cni/results"}
    kubeconfig = str(cluster.access.kubeconfig("admin"))
    path = cluster.folder / "cluster.json"
    path.write_text(json.dumps({"kubeconfig": kubeconfig, "nodes": {NODE: node}, "places": paths}))
    return path


def act(command: Sequence[str], cluster: Cluster, description: Path) -> int:
    """Run it on the node; its exit status."""
    environment = os.environ | {
        "KUBECONFIG": str(cluster.access.kubeconfig("admin")),
        FILE: str(description),
    }
    return subprocess.run(command, check=False, env=environment).returncode


def keep(logs: Path) -> None:
    """Copy them out of the sandbox, to where a person finds them."""
    kept = Path(tempfile.mkdtemp(prefix="realcluster-logs-"))
    shutil.copytree(logs, kept, dirs_exist_ok=True)
    said(f"logs of all components are in {kept}")


def said(words: str) -> None:
    """Tell a person who waits."""
    print(f"realcluster: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
