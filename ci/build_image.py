"""Build the container image as an OCI layout, without a container engine.

Three layers: Python from pinned Debian packages (image_debian), pinned dependencies from the
Python package index, and the product. There is no shell, no package manager and no pip in
it. Beside the layout lie an SBOM for each architecture and, with ``--root``, the root file
system alone, for a Dockerfile.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from image_debian import write_pins
from image_foundation import LIBRARY, MACHINES, PINS, compile_all, foundation
from image_layout import Layer, Layout, layer, unpack_layer
from image_sbom import Part, document

ROOT = Path(__file__).parents[1]
NAME = "ghcr.io/spidernet-io/spiderpool/spiderpool:0.1.0"
PYTHON = (3, 11)
CONFIG = {
    "User": "65532:65532",
    "WorkingDir": "/",
    "Env": [
        "PATH=/usr/bin",
        f"PYTHONPATH=/{LIBRARY}",
        "PYTHONDONTWRITEBYTECODE=1",
        "PYTHONUTF8=1",
    ],
    "Cmd": ["python3", "-m", "spiderpool.agent"],
}
USERS = "root:x:0:0::/root:/none\nspiderpool:x:65532:65532::/:/none\n"
GROUPS = "root:x:0:\nspiderpool:x:65532:\n"
CTL = """#!/usr/bin/python3
import sys

from spiderpool.ctl.main import main

sys.exit(main())
"""


def main() -> None:
    """Build what the arguments name."""
    parser = argparse.ArgumentParser(prog="build-image", description=str(__doc__).split("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "image", metavar="FOLDER")
    parser.add_argument("--architecture", action="append", choices=MACHINES, help="by default all")
    parser.add_argument("--root", type=Path, metavar="FOLDER", help="write the files, no layout")
    parser.add_argument("--afresh", action="store_true", help="make what is cached, too")
    parser.add_argument("--lock", action="store_true", help="pin the packages that Debian has now")
    options = parser.parse_args()
    if sys.version_info[:2] != PYTHON:
        raise SystemExit("build_image: needs Python 3.11, whose bytecode the image holds")
    architectures = options.architecture or list(MACHINES)
    if options.lock:
        write_pins(PINS, list(MACHINES))
    elif options.root:
        layers, _ = image(architectures[0], options.afresh)
        for each in layers:
            unpack_layer(each, options.root)
    else:
        build(architectures, options.output, options.afresh)


def created() -> str:
    """How old the image says it is: SOURCE_DATE_EPOCH (reproducible-builds.org), or 1970."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "0")
    if not text.isdigit():
        raise SystemExit(f"build_image: SOURCE_DATE_EPOCH: {text!r} is no number of seconds")
    return datetime.fromtimestamp(int(text), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def build(architectures: list[str], output: Path, afresh: bool = False) -> None:
    """Replace ``output`` by the layout of ``architectures``; print what was written."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as name:
        layout, images = Layout(Path(name) / "layout", created()), []
        for architecture in architectures:
            layers, sbom = image(architecture, afresh)
            images.append(layout.add_image(architecture, layers, CONFIG))
            path = output.with_name(f"sbom-{architecture}.spdx.json")
            path.write_text(sbom)
            print(path)
            tell(architecture, layers)
        layout.finish(NAME, images)
        shutil.rmtree(output, ignore_errors=True)
        (Path(name) / "layout").rename(output)
    print(output)


def tell(architecture: str, layers: list[Layer]) -> None:
    """How large it became."""
    sizes = ", ".join(f"{each.title} {len(each.blob) / 1e6:.1f} MB" for each in layers)
    print(f"build_image: {architecture}: {sizes}", file=sys.stderr, flush=True)


def image(architecture: str, afresh: bool) -> tuple[list[Layer], str]:
    """Its layers, and its SBOM, which lies in the last of them too."""
    layers, parts = foundation(architecture, afresh)
    parts.append(Part("pypi", "spiderpool", NAME.rpartition(":")[2]))
    sbom = json.dumps(document("spiderpool", architecture, parts, created()), indent=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        add_product(folder, architecture)
        (folder / "opt/spiderpool/sbom.spdx.json").write_text(sbom)
        compile_all(folder)
        return [*layers, layer("product", folder)], sbom


def add_product(folder: Path, architecture: str) -> None:
    """Our code, its command, the plugins for the node, and the user that it runs as."""
    package = ROOT / "spiderpool"
    for path in sorted(package.rglob("*.py")):
        copy = folder / LIBRARY / "spiderpool" / path.relative_to(package)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    plugins = folder / "opt/spiderpool/cni"
    plugins.mkdir()
    for name in ("spiderpool", "coordinator", "ifacer"):
        shutil.copy(ROOT / "dist" / "cni" / architecture / "spiderpool", plugins / name)
    for name in ("dev", "etc", "proc", "sys", "tmp", "usr/bin"):
        (folder / name).mkdir(parents=True)
    (folder / "usr/bin/spiderpoolctl").write_text(CTL)
    (folder / "usr/bin/spiderpoolctl").chmod(0o755)
    (folder / "etc/passwd").write_text(USERS)
    (folder / "etc/group").write_text(GROUPS)
    (folder / "tmp").chmod(0o1777)


if __name__ == "__main__":
    main()
