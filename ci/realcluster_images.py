"""The images of the cluster: ours, Multus, and one for all workloads; no registry is asked.

The workloads' image waits and does nothing else. It takes the places of the page's ``nginx``
and ``coredns`` and of the pause container: what a pod answers to a packet is up to who judges.
"""

from __future__ import annotations

import contextlib
import platform
import shutil
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import build_image
import kube_assets
from image_foundation import MACHINES, foundation
from image_layout import Layer, Layout, layer
from realcluster_settings import PAUSE

MULTUS = (
    f"ghcr.io/k8snetworkplumbingwg/multus-cni:v{kube_assets.version('multus', kube_assets.MULTUS)}"
)
WORKLOADS = ("docker.io/library/nginx:latest", "docker.io/library/coredns:latest")
"""Names that the runtime makes of the manifests' short ones."""
WAIT = """
from signal import SIGINT, SIGTERM, SIG_BLOCK, pthread_sigmask, sigwait
pthread_sigmask(SIG_BLOCK, {SIGINT, SIGTERM})  # or the kernel drops them: this is process 1
sigwait({SIGINT, SIGTERM})
"""
ARCHITECTURE = next(name for name, machine in MACHINES.items() if machine == platform.machine())


def archives(folder: Path, multus: Path) -> list[Path]:
    """Write each image into ``folder``, as an archive that ``ctr images import`` takes."""
    ours = folder / "spiderpool"
    with contextlib.redirect_stdout(sys.stderr):  # stdout is the command's
        build_image.build([ARCHITECTURE], ours)
    python = foundation(ARCHITECTURE)[0][0]
    waiting = folder / "waiting"
    _layout(waiting, [python], {"Cmd": ["python3", "-c", WAIT], "Env": ["PATH=/usr/bin"]}, PAUSE)
    return [_archive(each) for each in (ours, waiting, _multus(folder, multus))]


def _multus(folder: Path, programs: Path) -> Path:
    """With the files where the chart's DaemonSet, and they themselves, look for them."""
    root, output = folder / "multus-root", folder / "multus"
    plugins = root / "usr" / "src" / "multus-cni" / "bin"
    plugins.mkdir(parents=True)
    shutil.copy(programs / "multus", plugins)
    shutil.copy(programs / "passthru-cni", plugins / "passthru")
    for name in ("install_multus", "thin_entrypoint"):
        shutil.copy(programs / name, root)
    _layout(output, [layer("multus", root, effort=0)], {}, MULTUS)
    return output


def _layout(folder: Path, layers: Sequence[Layer], config: Mapping[str, object], name: str) -> None:
    layout = Layout(folder)
    layout.finish(name, [layout.add_image(ARCHITECTURE, layers, config)])


def _archive(layout: Path) -> Path:
    path = layout.with_suffix(".tar")
    with tarfile.open(path, "w") as archive:
        archive.add(layout, arcname="")
    return path


def import_commands(ctr: Sequence[str], archives: Sequence[Path]) -> list[list[str]]:
    """What brings them into the runtime, where the kubelet sees them."""
    imports = [[*ctr, "images", "import", str(each)] for each in archives]
    return imports + [[*ctr, "images", "tag", PAUSE, name] for name in WORKLOADS]
