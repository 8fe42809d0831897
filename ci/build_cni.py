"""Compile the CNI client (spiderpool/cni/native) for each architecture.

The compiler is Zig from the Python package index, pinned by hash: it brings musl and links
for either architecture on either. Compiler and outcomes are cached in
``$XDG_CACHE_HOME/spiderpool``; the bytes depend on the source, the options and the compiler
alone, not on where or when they are made.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pinned import NotBrought, bring, cache_root

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "spiderpool" / "cni" / "native").glob("*.[ch]"))
TARGETS = {"amd64": "x86_64-linux-musl", "arm64": "aarch64-linux-musl"}
COMPILER = (
    "ziglang==0.17.1 "
    "--hash=sha256:ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54 "
    "--hash=sha256:b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e"
)
OPTIONS = (
    *("-std=c17", "-D_GNU_SOURCE", "-Os", "-static", "-s", "-g0", "-Wl,--build-id=none"),
    *("-Werror", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow"),
    *("-Wformat=2", "-Wvla", "-Wstrict-prototypes", "-Wmissing-prototypes"),
    # undefined behaviour ends the process instead of going on
    *("-fsanitize=undefined", "-fsanitize-trap=undefined", "-fstack-protector-strong"),
)


def main() -> None:
    """Print the path of each file that was written."""
    parser = argparse.ArgumentParser(prog="build-cni", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "cni", metavar="FOLDER")
    parser.add_argument("--afresh", action="store_true", help="compile what is cached, too")
    options = parser.parse_args()
    cache = cache_root() / f"cni-{key()}"
    for architecture in TARGETS:
        made = cached(architecture, cache, options.afresh)
        print(deliver(made, options.output / architecture))


def key() -> str:
    """Names what the outcome depends on."""
    inputs = (*(path.read_text() for path in SOURCES), COMPILER, *OPTIONS, *TARGETS.values())
    return hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:16]


def cached(architecture: str, cache: Path, afresh: bool) -> Path:
    """The executable of ``architecture`` in the cache, compiled first where it is missing."""
    cache.mkdir(parents=True, exist_ok=True)
    made = cache / architecture
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if afresh or not made.exists():
            compile_for(architecture, compiler(), made)
    return made


def compiler() -> Path:
    """Zig, brought by pip when it is not in the cache."""
    folder = cache_root() / COMPILER.split(maxsplit=1)[0].replace("==", "-")
    zig = folder / "ziglang" / "zig"
    if not zig.exists():
        said("bringing the compiler by pip (100 MB, once)")
        try:
            bring(COMPILER, folder)
        except NotBrought:
            raise SystemExit(
                "build_cni: the compiler cannot be brought by pip (its words are above); "
                f"where there is no network, copy {folder} from a machine that has it"
            ) from None
    return zig


def compile_for(architecture: str, zig: Path, made: Path) -> None:
    """Put the executable at ``made``; a reader never sees half a file."""
    said(f"compiling for {architecture} (a minute, the first time)")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=made.parent) as name:
        folder = Path(name)
        for path in SOURCES:
            shutil.copy(path, folder)
        environment = os.environ | {
            "ZIG_GLOBAL_CACHE_DIR": str(cache_root() / "zig-cache"),
            "ZIG_LOCAL_CACHE_DIR": str(folder / "zig-cache"),
        }
        command = [str(zig), "cc", "-target", TARGETS[architecture], *OPTIONS]
        command += [*(path.name for path in SOURCES if path.suffix == ".c"), "-o", "client"]
        if subprocess.run(command, check=False, cwd=folder, env=environment).returncode:
            raise SystemExit("build_cni: spiderpool/cni/native was not compiled; see above")
        (folder / "client").chmod(0o755)
        (folder / "client").rename(made)
    said(f"compiled for {architecture} in {time.monotonic() - started:.1f} s")


def deliver(made: Path, folder: Path) -> Path:
    """Copy to ``folder``, where it is called ``spiderpool``, in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".spiderpool.{os.getpid()}"
    shutil.copy(made, draft)
    return draft.rename(folder / "spiderpool")


def said(words: str) -> None:
    """Tell a person who waits."""
    print(f"build_cni: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
